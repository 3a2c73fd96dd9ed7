# SPDX-License-Identifier: BSD-3-Clause
"""`trace` against tcpdump, line by line, on captures of every form: test_captures.py HANDFAST

Classic and pcapng, of either byte order, micro- and nanoseconds, whole and cut; each link type that trace reads; VLAN
tags, IP options, IPv6 extension headers; segments with any flags and options. Made here, from a seed.
"""

import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import wire

LINKS = {"ethernet": 1, "raw": 101, "ipv4": 228, "ipv6": 229, "cooked": 113, "cooked2": 276, "null": 0, "loop": 108}
STATES = re.compile(r"  #\d+ ~[A-Z0-9-]+ > ~[A-Z0-9-]+$")
BEGAN = 1700000000


class Frames:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def octets(self, n):
        return self.random.randbytes(n)

    def options(self):
        made = b""
        for _ in range(self.random.randint(0, 5)):
            sack = self.random.randint(1, 3)
            one = self.random.choice([b"\1", b"\2\4" + self.octets(2), b"\3\3" + self.octets(1), b"\4\2", b"\0",
                                      bytes([5, 2 + 8 * sack]) + self.octets(8 * sack), b"\x08\x0a" + self.octets(8),
                                      b"\x22\x0a" + self.octets(8), b"\x22\2", b"\x63\4" + self.octets(2)])
            made += one if len(made + one) <= 40 else b""
        return made + bytes(-len(made) % 4)

    def segment(self):
        options = self.options()
        flags = self.random.choice([2, 0x12, 0x10, 0x18, 0x11, 4, 0x14, 0x29, 0xc2, self.random.getrandbits(8)])
        return struct.pack("!HH8sBBHHH", *self.random.choices([80, 1000, 1001], k=2), self.octets(8),
                           (5 + len(options) // 4) << 4, flags, self.random.getrandbits(16), 0,
                           self.random.choice([0, 5])) + options + self.octets(self.random.choice([0, 0, 1, 10, 100]))

    def packet(self, version):
        ends = self.random.choices([1, 2, 3], k=2)
        text, following = self.segment(), 6
        if version == 4:
            words = self.random.choice([5, 5, 6, 15])
            return struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(text), 1, 0, 64, 6, 0,
                               *(bytes([10, 0, 0, end]) for end in ends)) + b"\1" * (words * 4 - 20) + text
        for header in self.random.choice([(), (), (0,), (60,), (60, 0), (43,)]):  # innermost first
            padding = bytes(6) if header == 43 else b"\1\4\0\0\0\0"
            text, following = bytes([following, 0]) + padding + text, header
        return struct.pack("!IHBB16s16s", 0x60000000, len(text), following, 64,
                           *(bytes.fromhex(f"20010db8{end:024x}") for end in ends)) + text

    def frame(self, link):
        version = {"ipv4": 4, "ipv6": 6}.get(link) or self.random.choice([4, 6])
        kind = struct.pack("!H", 0x800 if version == 4 else 0x86dd)
        tag = self.random.choice([b"", b"\x81\0\0\7"]) + kind
        family = 2 if version == 4 else self.random.choice([24, 28, 30])
        before = {
            "ethernet": b"\2" * 12 + self.random.choice([b"", b"\x88\xa8\0\7", b"\x91\0\0\7"]) + tag,
            "cooked": b"\0\0\0\1\0\6" + b"\2" * 8 + tag,
            "cooked2": tag[:2] + b"\0\0\0\0\0\1\0\1\0\6" + b"\2" * 8 + tag[2:],
            "null": struct.pack(self.random.choice("<>") + "I", family),
            "loop": struct.pack(">I", family),
        }.get(link, b"")
        return before + self.packet(version)

    def classic(self, link, order, nano, snap):
        yield struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, snap, LINKS[link])
        for i in range(30):
            frame = self.frame(link)
            yield struct.pack(order + "IIII", BEGAN + i, self.random.randrange(10**6), len(frame[:snap]), len(frame))
            yield frame[:snap]

    def pcapng(self, link, order, nano, snap):
        def block(kind, body):
            body += bytes(-len(body) % 4)
            size = struct.pack(order + "I", len(body) + 12)
            return struct.pack(order + "I", kind) + size + body + size

        yield block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
        yield block(1, struct.pack(order + "HHI", LINKS[link], 0, snap) +
                    (struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0) if nano else b""))
        for i in range(30):
            frame = self.frame(link)
            stamp = (BEGAN + i) * (10**9 if nano else 10**6) + self.random.randrange(10**6)
            yield block(6, struct.pack(order + "IIIII", 0, stamp >> 32, stamp & 0xffffffff, len(frame[:snap]),
                                       len(frame)) + frame[:snap])


def tcpdump_lines(path, *options):
    """Up to "length N". Behind an extension header tcpdump tells the ports apart from the addresses, of the
    second cooked form the interface and direction, and of either a tag's EtherType."""
    said = subprocess.run(["tcpdump", "-n", *options, "-r", path], capture_output=True, text=True, timeout=30,
                          check=True).stdout
    said = re.sub(r"^(\S+) (\S+ +In  )?(ethertype IPv\d, )?IP", r"\1 IP", said, flags=re.MULTILINE)
    lines = [re.sub(r"(, length \d+).*", r"\1", line) for line in said.splitlines() if ": Flags [" in line]
    return [re.sub(r"(IP6 \S+) > (\S+): .*?(\d+) > (\d+): Flags", r"\1.\3 > \2.\4: Flags", line) for line in lines]


class Captures(wire.Test):
    def lines(self, path, *options):
        ran = subprocess.run([sys.argv[1], "trace", "-q", *options, path], capture_output=True, text=True, timeout=60,
                             check=False)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return [STATES.sub("", line) for line in ran.stdout.splitlines()]

    def test_every_form(self):
        frames = Frames(4)
        scratch = tempfile.TemporaryDirectory(prefix="captures-")
        self.addCleanup(scratch.cleanup)
        path = str(Path(scratch.name, "a.pcap"))
        for link in LINKS:
            for form in frames.classic, frames.pcapng:
                for order in "<>":
                    # a snapshot of 160 octets has all headers, and not all text
                    for nano, snap in ((False, 65535), (True, 160)):
                        Path(path).write_bytes(b"".join(form(link, order, nano, snap)))
                        for option in [], ["-S"]:
                            with self.subTest(form=form.__name__, link=link, order=order, nano=nano, option=option):
                                ours = self.lines(path, *option)
                                self.assertEqual(ours, tcpdump_lines(path, *option))
                                self.assertEqual(len(ours), 30)

    def test_options_that_the_capture_cuts(self):
        """What is not here is told as tcpdump does, [|tcp]; what cannot be is [bad opt]."""
        scratch = tempfile.TemporaryDirectory(prefix="captures-")
        self.addCleanup(scratch.cleanup)
        path = str(Path(scratch.name, "a.pcap"))
        text = struct.pack("!HHIIBBHHH", 1, 2, 3, 4, 0xa0, 0x10, 5, 0, 0) + b"\2\4\5\xb4\1\1\x08\x0a" + bytes(12)
        packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(text), 1, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2") + text
        for snap, shown in ((40, "[[|tcp]]"), (42, "[[|tcp]]"), (44, "[mss 1460,[|tcp]]"),
                            (46, "[mss 1460,nop,nop,[|tcp]]"), (52, "[mss 1460,nop,nop,[|tcp]]"),
                            (60, "[mss 1460,nop,nop,TS val 0 ecr 0,eol]")):
            Path(path).write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snap, 101) +
                                   struct.pack("<IIII", BEGAN, 0, snap, len(packet)) + packet[:snap])
            self.assertRegex(self.lines(path)[0], re.escape(f"options {shown}, length 0") + "$", snap)


if __name__ == "__main__":
    wire.main("tcpdump")
