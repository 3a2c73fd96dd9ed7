# SPDX-License-Identifier: BSD-3-Clause
"""What `replay` does with seeds, with bad files and with bad calls: test_replay.py HANDFAST"""

import json
import re
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import jsonschema

import segments

HANDFAST = sys.argv[1]
FLOW = "192.0.2.9", 40000, "192.0.2.1", 80
LINES = ("0.000 < S seq 0 win 65535 len 0 <mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 7>",
         "0.600 < S seq 0 win 65535 len 0 <mss 1460,sackOK,TS val 1600 ecr 0,nop,wscale 7>")

# Its header and one interface, of IP packets.
PCAPNG = bytes.fromhex("0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000"
                       "01000000 14000000 65000000 00000000 14000000")


class Replay(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="replay-")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.source, self.target = self.scratch / "in.pcap", self.scratch / "out.pcap"
        self.write(self.source)

    def write(self, path, link=segments.RAW, version=4):
        frames = [segments.encode(line, FLOW, segments.Numbers(7), version, link == segments.ETHERNET)
                  for line in LINES]
        segments.capture_write(path, link, frames, 1000)

    def replay(self, *args):
        return subprocess.run([HANDFAST, "replay", *map(str, args)], capture_output=True, text=True, timeout=60,
                              check=False)

    def refused(self, *args, says):
        ran = self.replay(*args)
        self.assertEqual(ran.returncode, 2, ran.stderr)
        self.assertRegex(ran.stderr, r"\A[^\n]+\n\Z")
        self.assertIn(says, ran.stderr)

    def octets(self, *args):
        ran = self.replay(self.source, self.target, *args)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return self.target.read_bytes(), ran.stdout

    def syn_acks(self, octets):
        self.target.write_bytes(octets)
        found = segments.Numbers(7)
        for time, frame in segments.capture_read(self.target, 1000)[1]:
            segments.decode(time, frame, found, False)
        return found.syns[FLOW]

    def test_seed(self):  # HF-H2
        one, told = self.octets("--seed", "1")
        again, told_again = self.octets("--seed", "1")
        self.assertEqual(one, again)
        self.assertEqual(told, told_again)
        self.assertIn("secrets: seeded (1)", told)
        two, told = self.octets("--seed", "2")
        self.assertIn("secrets: seeded (2)", told)
        first, second = self.syn_acks(one), self.syn_acks(two)
        self.assertEqual(len({iss for _, iss in first}), 1)  # retransmitted, not made anew
        self.assertEqual([at for at, _ in first], [at for at, _ in second])
        self.assertNotEqual(first[0][1], second[0][1])

    def test_json(self):
        schema = Path(__file__).resolve().parents[2] / "docs/replay.schema.json"
        check = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
        ran = self.replay(self.source, self.target, "--json", "-")
        again = self.replay(self.source, self.target, "--json", self.scratch / "report", "-q")
        self.assertEqual((ran.returncode, again.returncode, again.stdout), (0, 0, ""))
        self.assertEqual(ran.stdout, (self.scratch / "report").read_text(encoding="utf-8"))
        self.assertIn("2 frames in", ran.stderr)  # what people read steps aside
        report = json.loads(ran.stdout)
        self.assertEqual([error.message for error in check.iter_errors(report)], [])
        sent = len(segments.capture_read(self.target, 1000)[1])
        self.assertEqual((report["frames"]["in"], report["frames"]["out"]), (2, sent))
        counters = report["counters"]
        self.assertEqual((counters["rx_frames"], counters["tx_frames"], counters["synack_out"]), (2, sent, sent))
        self.assertEqual(report["states"]["SYN-RECEIVED"]["entered"], 1)
        self.refused_by_the_disk()

    def refused_by_the_disk(self):
        self.refused(self.source, self.target, "--json", self.scratch / "no" / "such", "-q", says="/no/such: No such file or directory")
        ran = self.replay(self.source, self.target, "--json", "/dev/full", "-q")
        self.assertEqual((ran.returncode, ran.stderr), (1, "handfast: --json: /dev/full: No space left on device\n"))

    def test_clock(self):
        """Stamps are the capture's, whatever its date: the SYN-ACK goes again a second after the first one."""
        octets, _ = self.octets()
        self.assertEqual([at for at, _ in self.syn_acks(octets)], [0, 0.6, 1, 3, 7, 15, 31])
        octets, _ = self.octets("--linger", "2s")
        self.assertEqual([at for at, _ in self.syn_acks(octets)], [0, 0.6, 1])

    def test_a_bad_link(self):  # HF-H6
        def at(*args):
            octets, told = self.octets("--impair", *args)
            return [at for at, _ in self.syn_acks(octets)], told

        self.assertEqual(at("rule=drop:out:syn-ack:1")[0], [0.6, 1, 3, 7, 15, 31])
        self.assertEqual(at("in:delay=50ms,out:delay=20ms", "--linger", "2s")[0], [0.07, 0.67, 1.07])
        self.assertIn("2 frames in, 0 out", self.octets("--impair", "delay=1s", "--linger", "0s")[1])
        times, told = at("loss=50%,hold=16384", "--seed", "3")
        self.assertEqual((times, told), at("loss=50%,hold=16384", "--seed", "3"))
        lost = re.search(r"^bad link: (\d+) impair_lost$", told, re.M)
        self.assertTrue(0 < int(lost[1]) < 2 + 7, told)
        self.refused(self.source, self.target, "--impair", "loss=2", says="--impair: ")

    def test_quiet(self):
        self.assertEqual(self.octets("-q")[1], "")

    def test_other_addresses(self):
        _, told = self.octets("--addr", "192.0.2.7")
        self.assertIn("dropped: 2 rx_drop_not_ours", told)
        self.assertEqual(len(self.target.read_bytes()), 24)

    def test_an_empty_capture(self):
        segments.capture_write(self.source, segments.RAW, [], 0)
        _, told = self.octets()
        self.assertIn("0 frames in, 0 out", told)

    def test_stamps_that_go_back(self):
        frames = [segments.encode(line, FLOW, segments.Numbers(7), 4, False) for line in LINES]
        segments.capture_write(self.source, segments.RAW, reversed(frames), 1000)
        _, told = self.octets("--linger", "0s")
        self.assertIn("1 stamps were earlier", told)
        self.assertEqual([at for at, _ in segments.capture_read(self.target, 1000)[1]], [0.6])

    def test_stamps_far_away(self):
        """A stamp's seconds are 32 bits without a sign; what pcapng says beyond them cannot be written."""
        frames = [segments.encode(line, FLOW, segments.Numbers(7), 4, False) for line in LINES]
        base = 2**32 - 100
        segments.capture_write(self.source, segments.RAW, frames, base)
        self.octets("--linger", "2s")
        self.assertEqual([at for at, _ in segments.capture_read(self.target, base)[1]], [0, 0.6, 1])
        block = struct.pack("<IIIIIIII", 6, 32, 0, 1 << 20, 0, 0, 0, 32)  # at 2^52 us
        self.source.write_bytes(PCAPNG + block)
        self.refused(self.source, self.target, says="a stamp is not from 1970 to 2106")

    def test_pcapng(self):
        self.source.write_bytes(PCAPNG)
        self.assertIn("0 frames in", self.octets()[1])

    def test_bad_files(self):
        octets = self.source.read_bytes()
        self.refused(self.scratch / "none.pcap", self.target, says="none.pcap: No such file")
        self.refused(self.scratch, self.target, says="error reading dump file")
        self.refused(self.source, self.scratch / "none/out.pcap", says="none/out.pcap: No such file")
        profile, link, new = self.scratch / "a.yaml", self.scratch / "link", self.scratch / "new"
        profile.touch()
        link.hardlink_to(self.source)
        for out, args, says in ((self.source, (), "IN and OUT"), (link, (), "IN and OUT"), (profile, ("-c", profile), "-c and OUT"),
                                (new, ("--json", self.source), "IN and --json"), (new, ("-c", profile, "--json", profile), "-c and --json"),
                                (new, ("--json", f"{self.scratch}/./new"), "OUT and --json")):
            self.refused(self.source, out, *args, says=f"{says} are one file, ")
            self.assertFalse(new.exists())
        self.assertEqual((self.source.read_bytes(), profile.read_bytes()), (octets, b""))
        self.refused("-", self.target, says="'-' is no capture")
        bad = self.scratch / "bad.pcap"
        for text, says in ((b"", "truncated dump file"), (b"#!/bin/sh\n" * 9, "unknown file format"),
                           (octets[:20] + bytes([147]) + octets[21:], "link type"),
                           (octets[:-1], "truncated dump file"), (octets[:30], "truncated dump file"),
                           (octets[:32] + b"\xff\xff\xff\x7f" + octets[36:], "bad.pcap: ")):
            bad.write_bytes(text)
            self.refused(bad, self.target, says=says)

    def test_usage(self):
        self.refused(says="replay IN.pcap OUT.pcap")
        self.refused(self.source, says="replay IN.pcap OUT.pcap")
        self.refused(self.source, self.target, self.target, says="replay IN.pcap OUT.pcap")
        files = self.source, self.target
        self.refused(*files, "--addr", "grue", says="--addr: 'grue' is no address")
        self.refused(*files, "--addr", "192.0.2.1:80", says="'192.0.2.1:80' is no address")
        self.refused(*files, "--listen", "192.0.2.1", says="is no ADDR:PORT")
        self.refused(*files, "--listen", "192.0.2.9:80", says="--listen: 192.0.2.9:80: ")
        self.refused(*files, "--app", "http", says="--app: 'http'")
        for calls in ("close 1", "1 close", "1 close x", "1 close 0", "1 hang 1", "-1 close 1", "1 send 1",
                      "1 close 1 2", "1 connect 192.0.2.9", "1 connect 192.0.2.9:80 x", "1.0000001 close 1"):
            self.refused(*files, "--calls", calls, says=f"--calls: '{calls}' is no call")
        self.refused(*files, "--calls", "2 close 1, 1 close 1", says="earlier")
        self.refused(*files, "--calls", ",".join(["1 close 1"] * 65)[:511], says="--calls")

    def test_calls_to_nobody(self):
        told = self.octets("--calls", "0 status 9, 0 close 9, 0 connect 192.0.2.9:9 192.0.2.8:9")[1]
        self.assertIn("0.000000 9 status ENOENT CLOSED\n0.000000 9 close ENOENT CLOSED\n", told)
        self.assertIn("0.000000 1 connect EADDRNOTAVAIL CLOSED\n", told)
        self.assertIn("1 opened, 0 accepted; 0 established, 1 failed", told)

    def test_a_send_that_nobody_takes(self):
        told = self.octets("--calls", "0 connect 192.0.2.9:9, 0 shutdown 1, 0 send 1 5, 0 abort 1, 1 send 1 5")[1]
        self.assertIn("0.000000 1 send EPIPE ", told)
        self.assertIn("1.000000 1 send EBADF CLOSED\n", told)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
