# SPDX-License-Identifier: BSD-3-Clause
"""`trace` against tcpdump on the same captures, line by line: test_trace.py HANDFAST

Of two kernels (curl and nginx in namespaces of their own, 5 % loss by nftables), where handfast made no packet
and tcpdump sees the wire; with VLAN tags; from the middle on; and of handfast's own making.
"""

import re
import struct
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import wire

PEER = {4: "10.77.0.2", 6: "fd77::2"}
LOSS = """
add table inet loss
add chain inet loss in { type filter hook input priority 0; }
add rule inet loss in iifname "left" meta l4proto tcp numgen random mod 100 < 5 counter drop
"""
SUFFIX = re.compile(r"  #(\d+) ~([A-Z0-9-]+) > ~([A-Z0-9-]+)$")


def tcpdump_lines(path, *options):
    """tcpdump's lines of TCP segments up to "length N": behind that it guesses at what the text is."""
    out = subprocess.run(["tcpdump", "-n", *options, "-r", path], capture_output=True, text=True, check=True).stdout
    return [re.sub(r"(, length \d+).*", r"\1", line) for line in out.splitlines() if ": Flags [" in line]


def trace(path, *options):
    ran = subprocess.run([sys.argv[1], "trace", *options, path], capture_output=True, text=True, timeout=60, check=False)
    if ran.returncode:
        raise AssertionError(ran.stderr)
    return ran.stdout.splitlines(), ran.stderr


def frames(path):
    """(header of the record, frame) of a classic capture, and the file's header"""
    octets = Path(path).read_bytes()
    found, at = [], 24
    while at < len(octets):
        _, _, here, wire_len = struct.unpack_from("<IIII", octets, at)
        found.append((octets[at:at + 8], wire_len, octets[at + 16:at + 16 + here]))
        at += 16 + here
    return octets[:24], found


def write(path, header, records):
    Path(path).write_bytes(header + b"".join(stamp + struct.pack("<II", len(frame), wire_len) + frame
                                             for stamp, wire_len, frame in records))


class Trace(wire.Test):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="trace-")
        self.addCleanup(scratch.cleanup)
        self.path = str(Path(scratch.name, "a.pcap"))

    def same_as_tcpdump(self, path, at_least):
        for option in [], ["-S"]:
            ours, _ = trace(path, *option)
            self.assertEqual([SUFFIX.sub("", line) for line in ours], tcpdump_lines(path, *option))
            self.assertGreater(len(ours), at_least)
        return ours

    def capture(self, interface):
        """Until stopped."""
        process = self.program("tcpdump", "-U", "--immediate-mode", "-s", "200", "-i", interface, "-w", self.path, "tcp",
                               stderr=subprocess.PIPE, text=True)
        said = process.stderr.readline()
        while said and "listening" not in said:
            said = process.stderr.readline()
        self.assertIn("listening", said)
        return process

    def peer_namespace(self):
        """A second kernel's TCP behind a veth pair. @return how to run something there"""
        holder = self.program("unshare", "-n", "sleep", "600")
        wire.until(lambda: Path(f"/proc/{holder.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink(),
                   what="no namespace")
        wire.sh(f"ip link add left type veth peer name right netns {holder.pid}")
        self.addCleanup(wire.sh, "ip link delete left")
        there = ["nsenter", "-t", str(holder.pid), "-n", "--"]
        for where, name, host in (("", "left", 1), (" ".join(there), "right", 2)):
            wire.sh(f"{where} ip addr add 10.77.0.{host}/24 dev {name}")
            wire.sh(f"{where} ip addr add fd77::{host}/64 dev {name} nodad")
            wire.sh(f"{where} ip link set {name} up")
            wire.sh(f"{where} ethtool -K {name} tso off gso off gro off")
        return there

    def two_kernels(self):
        """60 transfers over a lossy wire, captured. @return how many"""
        there = self.peer_namespace()
        wire.nginx(self, 80, body="x" * 3000, run=there)
        capture = self.capture("left")
        subprocess.run(["nft", "-f", "-"], input=LOSS, text=True, check=True, timeout=20)
        self.addCleanup(wire.sh, "nft delete table inet loss")

        def get(i):
            host = PEER[4] if i % 2 else f"[{PEER[6]}]"
            return len(subprocess.run(["curl", "-sS", "-g", "-m", "60", *[f"http://{host}/"] * 5],
                                      capture_output=True, timeout=70, check=True).stdout)

        with ThreadPoolExecutor(20) as pool:
            self.assertEqual(set(pool.map(get, range(60))), {15000})
        self.assertRegex(wire.sh("nft list table inet loss"), r"counter packets [1-9]")
        wire.until(lambda: not set(wire.kernel_states(80)) - {"TIME-WAIT"}, 60, "connections do not end")
        waiting = wire.kernel_states(80, "TIME-WAIT")
        capture.terminate()
        capture.wait(20)
        return waiting

    def test_between_two_kernels(self):
        waiting = self.two_kernels()
        lines = self.same_as_tcpdump(self.path, 600)

        # What the follower makes of each connection at its end is what the kernel has.
        last = {}
        for line in lines:
            number, sender, receiver = SUFFIX.search(line).groups()
            ours = " > 10.77.0.2.80:" in line or " > fd77::2.80:" in line
            last[number] = (sender, receiver) if ours else (receiver, sender)
        self.assertEqual(len(last), 60)
        clients = [ends[0] for ends in last.values()]
        # A FIN that is sent again as its ACK comes in looks like one that was not acknowledged: seldom, CLOSING.
        self.assertEqual(clients.count("TIME-WAIT") + clients.count("CLOSING"), waiting, last)
        self.assertLessEqual(clients.count("CLOSING"), 3, last)
        self.assertLessEqual({server for _, server in last.values()}, {"CLOSED", "LAST-ACK"})

        # A filter leaves numbers and states as they are.
        port = re.search(r"10\.77\.0\.1\.(\d+) >", next(line for line in lines if "10.77.0.1" in line))[1]
        some, said = trace(self.path, "-S", "--host", "10.77.0.1", "--port", port)
        self.assertEqual(some, [line for line in lines if f"10.77.0.1.{port}" in line])
        self.assertIn(f"{len(lines)} segments of 60 connections, {len(some)} shown", said)
        self.assertEqual(trace(self.path, "-S", "--conn", "60")[0], [x for x in lines if "  #60 " in x])
        self.assertEqual(trace(self.path, "--host", "fd77::9")[0], [])

        # Tagged, and as somebody sees it who comes in the middle.
        header, records = frames(self.path)
        self.assertEqual(len(records), len(lines))
        tagged = self.path + ".vlan"
        write(tagged, header, [(stamp, length + 4, frame[:12] + b"\x81\0\0\7" + frame[12:])
                               for stamp, length, frame in records])
        self.assertEqual(self.same_as_tcpdump(tagged, 600), lines)
        middle = self.path + ".middle"
        write(middle, header, records[len(records) // 3:])
        self.same_as_tcpdump(middle, 400)

    def test_bad_input(self):
        head = struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
        cut = head + struct.pack("<IIII", 1, 0, 60, 60) + bytes(20)
        for octets, says in ((None, "No such file"), (b"", "truncated"), (b"?" * 24, "unknown file format"),
                             (cut, "truncated"), (head[:20] + b"\x93\0\0\0", "link type")):
            if octets is not None:
                Path(self.path).write_bytes(octets)
            ran = subprocess.run([sys.argv[1], "trace", "-q", self.path], capture_output=True, text=True, check=False)
            self.assertEqual((ran.returncode, ran.stdout), (2, ""), says)
            self.assertRegex(ran.stderr, rf"\Ahandfast: {self.path}: [^\n]*{says}[^\n]*\n\Z")
        for args, says in (((), "one capture is wanted"), (("a", "b"), "one capture is wanted"),
                           (("--port", "0", "a"), "--port"), (("--host", "x", "a"), "--host")):
            ran = subprocess.run([sys.argv[1], "trace", *args], capture_output=True, text=True, check=False)
            self.assertEqual(ran.returncode, 2)
            self.assertIn(says, ran.stderr)

    def alike(self, running, own, sent):
        """What passed, live and in a capture of ours, is what the kernel's side has seen; sent: in lines of ours."""
        def ways(lines):
            bare = [re.sub(r"^\S+ (\S+ +(In|Out) +)?|  #.*", "", line) for line in lines if ": Flags [" in line]
            return [[line for line in bare if (sent in line) == ours] for ours in (True, False)]

        seen = ways(tcpdump_lines(self.path))
        self.assertEqual(ways(tcpdump_lines(own)), seen)
        self.assertEqual(ways(running.said().splitlines()), seen)
        for line in running.said().splitlines():
            if ": Flags [" in line:
                self.assertRegex(line, r"  #\d+ [A-Z0-9-]+ > ~[A-Z]" if sent in line else r"  #\d+ ~[A-Z0-9-]+ > [A-Z]")

    def stopped(self, capture, report):
        self.assertEqual(report["watch"]["lost"], 0)
        capture.terminate()
        capture.wait(20)

    def test_our_own(self):
        own = self.path + "ng"
        serve = self.start("serve", "--listen", "0.0.0.0:80,[::]:80", "--app", "http", "--response", "20000",
                           "--trace", "--capture", own)
        capture = self.capture("hf0")
        for version in 4, 6:
            wire.sh(f"curl -sS -g -o /dev/null {wire.url(version)}")
            self.connect(80, version).close()
        report = serve.stop()
        self.balanced(serve, report)
        self.stopped(capture, report)
        self.same_as_tcpdump(self.path, 40)
        self.alike(serve, own, ".80 > ")

    def test_our_own_load(self):
        own = self.path + "ng"
        wire.nginx(self, 80)
        capture = self.capture("any")  # hf0 comes with load, which waits for nobody
        load = self.start("load", "--target", "10.99.0.1:80", "--app", "http", "--rate", "50/s", "--count", "30",
                          "--trace", "--capture", own)
        report = load.wait()
        self.balanced(load, report)
        self.stopped(capture, report)
        self.assertGreater(len(tcpdump_lines(self.path)), 200)
        self.alike(load, own, ".80: Flags [")


if __name__ == "__main__":
    wire.main("nginx", "nft", "curl", "tcpdump", "nsenter", "ethtool")
