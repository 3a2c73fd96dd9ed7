# SPDX-License-Identifier: BSD-3-Clause
"""--trace and --capture of a run, in each other's light and in tshark's: test_watch.py HANDFAST"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import jsonschema

HANDFAST = sys.argv[1]
SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs/report.schema.json").read_text(encoding="utf-8"))
LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{6} (IP6? .*, length \d+)  (#\d+ ~?[A-Z0-9-]+ > ~?[A-Z0-9-]+)")


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=120, check=False)


def lines(text):
    """(tcpdump's part but for the stamp, states)"""
    return [match.groups() for match in map(LINE.fullmatch, text.splitlines()) if match]


class Watch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="watch-")
        self.addCleanup(scratch.cleanup)
        self.path = str(Path(scratch.name, "a.pcapng"))

    def pair(self, *args):
        started = time.time()
        ran = run(HANDFAST, "pair", "--count", "30", "--concurrency", "5", "--json", "-", "--capture", self.path, *args)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        report = json.loads(ran.stdout)
        jsonschema.validate(report, SCHEMA)
        return report, lines(ran.stderr), started, time.time()

    def test_trace_and_capture_agree(self):
        for args in ["--app", "rr"], ["-6", "-S", "--close", "both"], ["--close", "rst"]:
            report, live, _, _ = self.pair("--trace", *args)
            own = report["ends"]["client"]["counters"]
            self.assertEqual(report["watch"], {"frames": own["rx_frames"] + own["tx_frames"], "lost": 0})
            self.assertEqual(len(live), report["watch"]["frames"])
            read = run(HANDFAST, "trace", *(["-S"] if "-S" in args else []), self.path)
            self.assertEqual((read.returncode, read.stderr),
                             (0, f"{len(live)} segments of 30 connections\n"))
            filed = lines(read.stdout)
            # The client's states are its own, the server's inferred; from the file both are, and the same.
            self.assertEqual([(line, states.replace("~", "")) for line, states in live],
                             [(line, states.replace("~", "")) for line, states in filed])
            for line, states in live:
                sender, receiver = states.split()[1::2]
                out = not re.match(r"IP6? 198\.19\.0\.1\.80 |IP6? 2001:2:0:1::1\.80 ", line)
                self.assertEqual((sender[0] == "~", receiver[0] == "~"), (not out, out), line)

    def test_quiet_without(self):
        ran = run(HANDFAST, "pair", "--count", "3", "--json", "-")
        self.assertNotIn("watch", json.loads(ran.stdout))
        self.assertNotIn("watched", ran.stderr)

    def test_tshark(self):
        if not shutil.which("tshark"):
            self.skipTest("tshark is not installed; script/setup test does")
        report, live, started, ended = self.pair("--app", "rr")
        self.assertEqual(live, [])
        fields = "frame.time_epoch", "frame.packet_flags_direction", "ip.src", "tcp.flags", "tcp.checksum.status"
        ran = run("tshark", "-r", self.path, "-o", "tcp.check_checksum:TRUE", "-T", "fields",
                  *(word for field in fields for word in ("-e", field)))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        rows = [line.split("\t") for line in ran.stdout.splitlines()]
        self.assertEqual(len(rows), report["watch"]["frames"])
        ways = {(int(way, 16) & 3, source) for _, way, source, _, _ in rows}
        self.assertEqual({(way, source == "198.19.0.1") for way, source in ways}, {(1, True), (2, False)})
        self.assertEqual({status for *_, status in rows}, {"1"})
        stamps = [stamp for stamp, *_ in rows]
        self.assertEqual(stamps, sorted(stamps))
        self.assertTrue(started - 1 < float(stamps[0]) <= float(stamps[-1]) < ended + 1, (started, stamps[0], ended))
        self.assertTrue(any(not stamp.endswith("000") for stamp in stamps), "microseconds")

    def test_bad_files(self):
        ran = run(HANDFAST, "pair", "--count", "1", "--capture", "/nosuch/file")
        self.assertEqual((ran.returncode, ran.stderr),
                         (2, "handfast: --capture: /nosuch/file: No such file or directory\n"))
        ran = run(HANDFAST, "pair", "--count", "1", "-q", "--capture", "/dev/full")
        self.assertEqual(ran.returncode, 3)
        self.assertIn("/dev/full: cannot be written: No space left on device", ran.stderr)

    def test_no_trial_leaves_a_file(self):
        for args, says in ((("--app", "echo"), "--app: pair has none, rr"), (("--capture", "-"), "--capture: '-' is no capture; give a file")):
            ran = subprocess.run([HANDFAST, "pair", "--capture", self.path, *args], capture_output=True, text=True, timeout=60,
                                 check=False, cwd=Path(self.path).parent)
            self.assertEqual((ran.returncode, ran.stdout, ran.stderr.count("\n")), (2, "", 1), ran.stderr)
            self.assertIn(says, ran.stderr)
            self.assertEqual(list(Path(self.path).parent.iterdir()), [])

    def test_a_fifo(self):
        """Whoever reads it gets the whole capture; without a reader nothing waits for one."""
        os.mkfifo(self.path)
        ran = run(HANDFAST, "pair", "--count", "1", "-q", "--capture", self.path)
        self.assertEqual((ran.returncode, ran.stderr), (3, f"handfast: {self.path}: nobody reads it yet\n"))
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        ran = run(HANDFAST, "pair", "--count", "3", "--json", "-", "--capture", self.path)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        whole = Path(self.path + ".whole")
        whole.write_bytes(os.read(reader, 1 << 16))
        read = run(HANDFAST, "trace", str(whole))
        frames = json.loads(ran.stdout)["watch"]["frames"]
        self.assertEqual((len(lines(read.stdout)), read.stderr), (frames, f"{frames} segments of 3 connections\n"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
