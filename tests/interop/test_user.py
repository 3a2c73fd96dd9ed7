# SPDX-License-Identifier: BSD-3-Clause
"""`--user` on a tap: the program becomes somebody else once it is up, in every thread and for good: test_user.py HANDFAST

Where this run's root is only root of its own user namespace there is nobody else to become, and that is said."""

import pwd
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import wire

SERVE = ("--listen", "0.0.0.0:80,[::]:80", "--app", "http", "--response", "5")
NOBODY = pwd.getpwnam("nobody")


def is_mapped():
    """Whether nobody is somebody in this user namespace."""
    for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines():
        first, _, count = map(int, line.split())
        if first <= NOBODY.pw_uid < first + count:
            return True
    return False


class User(wire.Test):
    def refused(self, *args, says, status, run=()):
        ran = subprocess.run([*run, sys.argv[1], *args], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(ran.returncode, status, ran.stderr)
        self.assertRegex(ran.stderr, says)
        self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)

    def test_every_thread_has_given_up_every_right(self):
        if not is_mapped():
            self.refused("serve", "-c", wire.PROFILE, *SERVE, "--user", "nobody", says="not in this user namespace",
                         status=3)
            return
        serve = self.start("serve", *SERVE, "--user", "nobody")
        tasks = list(Path(f"/proc/{serve.process.pid}/task").iterdir())
        self.assertGreater(len(tasks), 2)
        for task in tasks:
            status = dict(re.findall(r"(\w+):\s*(.*)", (task / "status").read_text(encoding="utf-8")))
            self.assertEqual(status["Uid"].split(), [str(NOBODY.pw_uid)] * 4, status["Name"])
            self.assertEqual(status["Gid"].split(), [str(NOBODY.pw_gid)] * 4, status["Name"])
            self.assertLessEqual(set(status["Groups"].split()), {str(NOBODY.pw_gid)}, status["Name"])
            for rights in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status[rights], 16), 0, (status["Name"], rights))
            self.assertEqual(status["NoNewPrivs"], "1", status["Name"])
        for version in (4, 6):
            ran = subprocess.run(["curl", "-sS", "-g", "-m", "20", wire.url(version)], capture_output=True, check=True)
            self.assertEqual(len(ran.stdout), 5)
        books = self.balanced(serve, serve.stop())
        self.assertEqual((books["accepted"], books["closed"]), (2, 2))

    def test_a_report_that_only_root_may_write(self):
        if not is_mapped():
            return
        with tempfile.TemporaryDirectory() as scratch:  # root's alone
            for option in ("--json", "--hgrm"):
                self.refused("serve", "-c", wire.PROFILE, *SERVE, "--user", "nobody", option, f"{scratch}/report",
                             says=f"{option}: {scratch}/report.*: Permission denied", status=3)

    def test_whom_one_cannot_become(self):
        self.refused("pair", "--user", "no such one", says="--user no such one: this machine has no such user", status=2)
        self.refused("pair", "--user", "4000000000", says="no such user", status=2)
        for root in ("root", "0"):
            self.refused("pair", "--user", root, says="root is who is to be left", status=2)
        if is_mapped():
            self.refused("pair", "--user", "nobody", says="only root", status=3,
                         run=("setpriv", "--reuid=20001", "--clear-groups"))


if __name__ == "__main__":
    wire.main("curl", "setpriv")
