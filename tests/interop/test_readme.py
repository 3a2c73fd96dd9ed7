# SPDX-License-Identifier: BSD-3-Clause
"""README's tour of serve and load, pasted into a shell line by line: test_readme.py HANDFAST"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import wire

README = wire.ROOT / "README.md"


def tour():
    """All that the section shows to be typed."""
    section = re.search(r"^## serve and load\n(.*?)^## ", README.read_text(encoding="utf-8"), re.M | re.S)[1]
    return "".join(re.findall(r"^```sh\n(.*?)^```\n", section, re.M | re.S))


class Readme(wire.Test):
    def test_the_tour(self):
        lines = tour()
        runs = len(re.findall(r"^build/release/app/handfast ", lines, re.M))
        self.assertGreater(runs, 3)
        with tempfile.TemporaryDirectory() as scratch:
            Path(scratch, "build/release").mkdir(parents=True)
            Path(scratch, "build/release/app").symlink_to(Path(sys.argv[1]).resolve().parent)
            for name in ("config", "docs"):
                shutil.copytree(wire.ROOT / name, Path(scratch, name))
            lines = lines.replace("/tmp/hf", f"{scratch}/hf")
            ran = subprocess.run(["bash"], input=lines, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 cwd=scratch, timeout=180, check=False)
        said = ran.stdout
        self.assertEqual(ran.returncode, 0, said)
        self.assertEqual(said.count("leaked                     0 mbufs, 0 connections, 0 timers"), runs, said)
        self.assertEqual(re.findall("FAILED: .*", said), ["FAILED: no connection was established"] *
                         lines.count("# refused"), said)
        self.assertNotRegex(said, r"not found|No such file|curl: \(|^handfast: ")
        hello = hashlib.sha256((wire.ROOT / "docs/hello.c").read_bytes()).hexdigest()
        self.assertEqual(hello in said, "hello.c | sha256sum" in lines, said)
        if "wrk " in lines:
            self.assertRegex(said, r"Requests/sec: +[1-9]")


if __name__ == "__main__":
    wire.main("curl", "nginx", *(["wrk"] if "\nwrk " in tour() else []))
