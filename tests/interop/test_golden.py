# SPDX-License-Identifier: BSD-3-Clause
"""The golden cases of opening and closing, black box over a tap (HF-H5): test_golden.py HANDFAST

What the peer sends and what has to come back are the files of tests/golden. The program runs as anybody would run it,
so its application closes when it can and not at the case's second: the peer keeps the case's distance from what it
answers or said last, two seconds at most, and segments are compared in order, without stamps and our timestamps.
"""

import re
import select
import socket
import sys
import time
import unittest
from pathlib import Path

import wire

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
import golden  # noqa: E402
import segments  # noqa: E402

SERVE = ("serve", "--listen", "192.0.2.1:80")
LOAD = ("load", "--target", "192.0.2.9:80", "--ports", "40001-40001", "--count", "1",
        "--rate", "1/s", "--seed", "1")  # which is 433 ms after the tap is there: time for us to listen
CASES = {
    "bad-checksums": (*SERVE, "--close", "hold", "--app", "echo"),
    "close-fin-acks-fin": (*SERVE, "--close", "us"),
    "close-peer-first": (*SERVE, "--close", "peer"),
    "close-simultaneous": (*SERVE, "--close", "us"),
    "close-us-first": (*SERVE, "--close", "us"),
    "closed-port": ("serve", "--listen", "192.0.2.1:81"),
    "connect-refused": LOAD,
    "half-close-us": (*SERVE, "--close", "half"),
    "old-syn": (*SERVE, "--close", "hold"),
    "padding": (*SERVE, "--close", "peer", "--app", "echo"),
    "rst-in-window": (*SERVE, "--close", "hold"),
    "rst-syn-received": (*SERVE, "--close", "hold"),
    "time-wait-fin-again": (*SERVE, "--close", "us"),
    "time-wait-new-syn": (*SERVE, "--close", "us"),
}
CLOSES_AGAIN = "time-wait-new-syn"  # what that case leaves open, in the end
SILENCE = 2.0  # longest that is kept


class Peer:
    """192.0.2.9 on the kernel's side of the tap, by its own MAC address, so that the kernel lets it be."""

    def __init__(self):
        self.numbers = segments.Numbers(1)
        self.echo = {}  # our latest timestamp, by flow
        self.got = []  # (time, line)
        self.begun = None
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind(("hf0", 3))

    def now(self):
        return 0 if self.begun is None else time.monotonic() - self.begun

    def begin(self):
        if self.begun is None:
            self.begun = time.monotonic()

    def arp(self, frame):
        ours, sender = segments.STATIONS[1], frame[22:28]
        if frame[20:22] == b"\0\1" and frame[38:42] == bytes([192, 0, 2, 9]):
            self.socket.send(sender + ours + frame[12:20] + b"\0\2" + ours + frame[38:42] + sender + frame[28:32])

    def take(self):
        try:
            frame, (_, _, kind, *_) = self.socket.recvfrom(2000)
        except OSError:  # the program has ended, and its tap
            return
        if kind == socket.PACKET_OUTGOING:
            return
        if frame[12:14] == b"\x08\x06":
            self.arp(frame)
        elif frame[12:14] == b"\x08\x00" and frame[23] == 6:
            self.begin()
            flow, line = segments.decode(self.now(), frame, self.numbers, True)
            self.got.append((self.now(), line))
            if stamp := re.search(r"TS val (\d+)", line):
                self.echo[flow] = int(stamp[1])

    def listen(self, condition, seconds):
        """Take frames until the condition holds. @return whether it does"""
        end = time.monotonic() + seconds
        while not condition() and (left := end - time.monotonic()) > 0:
            if select.select([self.socket], [], [], min(left, 0.01))[0]:
                self.take()
        return condition()

    def say(self, flow, line):
        self.begin()
        if " S " not in line:
            line = re.sub(r"ecr \d+", f"ecr {self.echo.get(flow, 0)}", line)
        line = re.sub(r"^\S+", f"{self.now():.6f}", line)
        self.socket.send(segments.encode(line, flow, self.numbers, 4, True)[1])


def bare(line):
    """Without stamp, our timestamps' values, and by how much an ISS differs."""
    return re.sub(r" iss \+\d+$", "", re.sub(r"TS val \d+ ecr \d+", "TS", line.split(" ", 1)[1]))


class Golden(wire.Test):
    def open(self, args):
        running = self.start(args[0], "--dev", "tap:hf0", "--addr", "192.0.2.1/24", "--tap-kernel-addr",
                             "192.0.2.200/24", *args[1:], profile=None)

        wire.until(lambda: "LOWER_UP" in wire.sh("ip -o link show type tun"), 20, "no tap")
        peer = Peer()
        self.addCleanup(peer.socket.close)
        return running, peer

    def live(self, name):
        """A machine that stands still for 200 ms makes us repeat what nobody lost: then once more."""
        case = golden.Case(golden.HERE / name)
        want = [line for line in (case.path / "want.txt").read_text(encoding="utf-8").split("\n") if " > " in line]
        for _ in range(3):
            got = self.once(name, case, want)
            if got == [bare(line) for line in want]:
                return
        self.assertEqual(got, [bare(line) for line in want])

    def once(self, name, case, want):
        """What we have said in this case."""
        running, peer = self.open(CASES[name])
        if running.command == "serve":
            peer.begin()  # a load does by its SYN
        stamps = [float(line.split()[0]) for line in want]
        said = 0.0, 0.0  # the last event, by the case and by our clock
        for flow, line in case.lines:
            at = float(line.split()[0])
            due = sum(stamp < at for stamp in stamps)
            if not peer.listen(lambda n=due: len(peer.got) >= n, 10):
                break  # the rest has nothing to follow
            if due and stamps[due - 1] > said[0]:
                said = stamps[due - 1], peer.got[due - 1][0]
            clock = said[1] + min(at - said[0], SILENCE)
            peer.listen(lambda t=clock: peer.now() >= t, 10)
            peer.say(flow, line)
            said = at, peer.now()  # a pause in saying it must not make the next distance shorter
        peer.listen(lambda: len(peer.got) >= len(want), 10)
        peer.listen(lambda: len(peer.got) > len(want), 0.3)
        if name == CLOSES_AGAIN and len(peer.got) > len(want):
            self.assertIn("> F. seq 1", peer.got.pop()[1])
        peer.socket.close()
        running.stop()
        self.assertIn(running.process.returncode, (0, 1), running.said())
        self.assertNotRegex(running.said(), "leak(ed)? +[1-9]|do not balance")
        return [bare(line) for _, line in peer.got]


def add(name):
    setattr(Golden, f"test_{name.replace('-', '_')}", lambda self: self.live(name))


for each in CASES:
    add(each)

if __name__ == "__main__":
    wire.main()
