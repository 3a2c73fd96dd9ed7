# SPDX-License-Identifier: BSD-3-Clause
"""`handfast top` beside a running instance, plain and on a terminal: test_top.py HANDFAST"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import unittest

from instance import Instance, until

HANDFAST = sys.argv[1]
SMALL = ["--client-ports", "1024-9999", "--set", "tcp.max_tw_buckets=1Mi", "-q", "--duration", "60s"]


class Terminal:
    """A program on a pseudo-terminal of 100 by 60."""

    def __init__(self, instance, *args, term="xterm", stdin=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 100, 0, 0))
        self.process = subprocess.Popen(instance.command(*args), stdin=stdin or slave, stdout=slave, stderr=subprocess.PIPE,
                                        text=True, env={**instance.env, "TERM": term}, cwd="/",
                                        start_new_session=True)
        os.close(slave)
        self.text = ""

    def shows(self, pattern):
        """Whether this has been on the screen by now."""
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                break
        return re.search(pattern, self.text)

    def type(self, keys):
        os.write(self.master, keys)

    def wait(self):
        try:
            _, err = self.process.communicate(timeout=30)
        finally:
            self.process.kill()
            os.close(self.master)
        return self.process.returncode, err


class Top(unittest.TestCase):
    def setUp(self):
        self.instance = Instance(HANDFAST, "pair", *SMALL)
        self.stopped = False
        self.addCleanup(self.stop)
        self.instance.workers()
        until(lambda: self.instance.ask("/handfast/states")[0]["time_wait_now"] > 1000)

    def stop(self):
        if not self.stopped:
            self.stopped = True
            status = self.instance.stop()
            self.assertEqual(status[0], 0, status)

    def test_once(self):
        ran = self.instance.run("top", "--once", "--interval", "0.5s")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertRegex(ran.stdout, rf"^handfast pair, process {self.instance.pid}, \d+ s, 2 workers\n")
        self.assertRegex(ran.stdout, r"opened [1-9][\d.kM]*/s, accepted [1-9][\d.kM]*/s, closed [1-9]")
        for line in (r"STATE +now +peak +entered/s", r"TIME-WAIT +[1-9]", r"TIME-WAIT entered [1-9].*/s",
                     r"WORKER +estab +timewait +closed/s +in/s +out/s +busy", r"client0 .*%", r"server0 .*%",
                     r"DROPS", r"BOOKS +client +server", r"attempted +[1-9]", r"POOL +used +peak +size +refused",
                     r"2MSL records +[1-9]"):
            self.assertRegex(ran.stdout, rf"(?m)^{line}")

    def test_plain_where_there_is_no_terminal(self):
        process = subprocess.Popen(self.instance.command("top", "--interval", "0.1"), env=self.instance.env, cwd="/",
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        looks = 0
        for line in process.stdout:
            looks += line.startswith("handfast pair")
            if looks == 3:
                break
        self.assertEqual(looks, 3)

    def test_plain_where_no_key_can_come(self):
        """An input that has ended answers at once, and would be no wait between two looks."""
        terminal = Terminal(self.instance, "top", "--interval", "0.1", stdin=subprocess.DEVNULL)
        until(lambda: terminal.shows("server0"), what="nothing on the screen")
        terminal.process.kill()
        self.assertRegex(terminal.text, r"^handfast pair, process")
        terminal.wait()

    def test_terminal_until_q(self):
        terminal = Terminal(self.instance, "top", "--interval", "0.2")
        for what in ("handfast pair, process", "STATE", "ESTABLISHED", "TIME-WAIT", "server0"):
            until(lambda text=what: terminal.shows(text), what=f"no {what} on the screen")
        terminal.type(b"q")
        self.assertEqual(terminal.wait(), (0, ""))

    def test_terminal_until_the_instance_ends(self):
        terminal = Terminal(self.instance, "top", "--interval", "0.2")
        until(lambda: terminal.shows("server0"), what="nothing on the screen")
        self.stop()
        status, err = terminal.wait()
        self.assertEqual(status, 0)
        self.assertRegex(err, r"^handfast: top: process \d+( does not answer any more|: .*)\n$")

    def test_unknown_terminal(self):
        terminal = Terminal(self.instance, "top", term="no-such-terminal")
        status, err = terminal.wait()
        self.assertEqual(status, 3)
        self.assertRegex(err, r"^handfast: top: the terminal 'no-such-terminal' is unknown: .*\n$")


class Wrong(unittest.TestCase):
    def test_wrong(self):
        instance = Instance(HANDFAST, "--version")
        self.addCleanup(instance.stop)
        instance.process.wait()
        for args, status in ((["--bogus"], 2), (["x"], 2), (["--interval", "0"], 2), (["--interval", "2h"], 2),
                             (["--pid", "-1"], 2), (["--pid"], 2), (["--pid", "1"], 3),
                             (["--file-prefix", "nobody"], 3)):
            ran = instance.run("top", *args)
            self.assertEqual(ran.returncode, status, args)
            self.assertRegex(ran.stderr, r"^handfast: top: .*\n$")
        for args, says in ((["--once", "-xh"], "'-x' is no option"), (["--pid"], "--pid: a value must follow"),
                           (["--once=3"], "'--once=3' is no option"), (["--once", "x"], "'x' is no option")):
            self.assertIn(f"top: {says}", instance.run("top", *args).stderr)
        self.assertIn("--once", instance.run("top", "--help").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
