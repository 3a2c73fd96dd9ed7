# SPDX-License-Identifier: BSD-3-Clause
"""Bulk both ways, curl, and small writes, between handfast and the kernel over a tap that loses, reorders, doubles
and delays: test_bulk.py HANDFAST. HANDFAST_MIB makes it longer, as script/soak does."""

import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import wire

MIB = int(os.environ.get("HANDFAST_MIB", "0"))
LISTEN = ("--listen", "0.0.0.0:7000,[::]:7000", "--drain", "30s")
IMPAIR = "reorder=25%,dup=2%,delay=50ms±10ms"
PACE = 300  # seconds for anything that has to get through a bad link
# A SYN-ACK that the kernel's own hook drops makes it forget the half-open: these get through (test_loss.py).
RULES = """
add table inet loss
add chain inet loss in {{ type filter hook input priority 0; }}
add chain inet loss out {{ type filter hook output priority 0; }}
add rule inet loss in iifname "hf0" meta l4proto tcp numgen random mod 100 < {0} counter drop
add rule inet loss out tcp flags & (syn | ack) == syn | ack accept
add rule inet loss out oifname "hf0" meta l4proto tcp numgen random mod 100 < {0} counter drop
"""
# name: (loss, --impair, octets)
LINKS = {"clean": (0, "", 16 << 20), "loss 1 %": (1, "", 2 << 20), "loss 5 %": (5, "", 1 << 19),
         "bad": (0, IMPAIR, 1 << 19)}
if MIB:
    LINKS = {name: (loss, impair, octets * max(1, MIB // 16) if loss or impair else MIB << 20)
             for name, (loss, impair, octets) in LINKS.items()}


class Bulk(wire.Test):
    def link(self, loss):
        if loss:
            subprocess.run(["nft", "-f", "-"], input=RULES.format(loss), text=True, check=True, timeout=20)
            self.addCleanup(wire.sh, "nft delete table inet loss")

    def each(self, what, talk, *args):
        """talk(version, octets) on every link, both IP versions at once."""
        for name, (loss, impair, octets) in LINKS.items():
            with self.subTest(link=name):
                self.link(loss)
                serve = self.start("serve", *LISTEN, *args, *(("--impair", impair) if impair else ()))
                failed = []

                def one(version):
                    try:
                        talk(version, octets)
                    except (OSError, AssertionError) as why:
                        failed.append(f"IPv{version}: {why!r}")

                threads = [threading.Thread(target=one, args=(version,)) for version in (4, 6)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(PACE)
                report = serve.stop()
                self.assertEqual((failed, [t.is_alive() for t in threads]), ([], [False, False]), serve.said())
                books = self.balanced(serve, report)
                self.assertEqual((books["accepted"], books["closed"]), (2, 2), books)
                print(f"{what}, link {name}: 2 of {octets} octets, all right,",
                      f"{report['counters']['retransmit_text']} retransmissions of ours")
                self.doCleanups()

    def open(self, version):
        sock = socket.create_connection((wire.OURS[version], 7000), timeout=PACE)
        sock.settimeout(PACE)
        return sock

    def test_echo_of_a_stream(self):
        def talk(version, octets):
            text = random.Random(version).randbytes(octets)
            with self.open(version) as sock:
                sender = threading.Thread(target=lambda: (sock.sendall(text), sock.shutdown(socket.SHUT_WR)))
                sender.start()
                got = hashlib.sha256()
                while piece := sock.recv(1 << 16):
                    got.update(piece)
                sender.join(PACE)
            self.assertEqual(got.hexdigest(), hashlib.sha256(text).hexdigest())

        self.each("echo", talk, "--app", "echo")

    def test_small_writes_come_back_one_by_one(self):
        def talk(version, octets):
            dice = random.Random(version)
            with self.open(version) as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for _ in range(20 + (octets >> 17)):
                    keys = [dice.randbytes(dice.randint(1, 48)) for _ in range(dice.randint(1, 4))]
                    for key in keys:
                        sock.sendall(key)
                    want = b"".join(keys)
                    got = b""
                    while len(got) < len(want) and (piece := sock.recv(len(want) - len(got))):
                        got += piece
                    self.assertEqual(got, want)
                sock.shutdown(socket.SHUT_WR)
                self.assertEqual(sock.recv(1), b"")

        self.each("echo of small writes", talk, "--app", "echo")

    def test_discard(self):
        def talk(version, octets):
            with self.open(version) as sock:
                sock.sendall(bytes(octets))
                sock.shutdown(socket.SHUT_WR)
                self.assertEqual(sock.recv(1), b"")

        self.each("discard", talk, "--app", "discard")

    def test_curl(self):
        with tempfile.TemporaryDirectory() as root:
            text = random.Random(0).randbytes(max(MIB, 16) << 20)
            for _, _, octets in LINKS.values():
                Path(root, str(octets)).write_bytes(text[:octets])

            def talk(version, octets):
                got = subprocess.run(["curl", "-sS", "-g", "-m", str(PACE),
                                      f"http://{wire.endpoint(wire.OURS[version], 7000)}/{octets}"],
                                     capture_output=True, timeout=PACE + 10, check=True).stdout
                self.assertEqual(hashlib.sha256(got).hexdigest(), hashlib.sha256(text[:octets]).hexdigest())

            self.each("curl", talk, "--app", "http", "--root", root)

    def test_load_gives_and_takes(self):
        """handfast opens: a peer that discards sees the pattern, one that gives lines is believed."""
        pattern, lines = bytes(range(251)) * 300, b"".join(
            bytes(32 + (line + i) % 95 for i in range(72)) + b"\r\n" for line in range(95))

        def discard(sock):
            seen = 0
            while piece := sock.recv(1 << 16):
                self.assertEqual(piece, pattern[seen % 251:][:len(piece)])
                seen += len(piece)
            return seen

        def chargen(sock):
            """Until the client says that it is enough."""
            sent = 0
            sock.settimeout(0.05)
            while True:
                try:
                    sent += sock.send((lines * 12)[sent % len(lines):][:1 << 16])
                    if sock.recv(1, socket.MSG_DONTWAIT) == b"":
                        return sent
                except (BlockingIOError, socket.timeout):
                    continue

        for name, (loss, impair, _) in LINKS.items():
            for version, app, answer in ((4, "discard", discard), (6, "chargen", chargen)):
                with self.subTest(link=name, app=app):
                    self.link(loss)
                    listener = self.listener(7001, version)
                    listener.settimeout(PACE)
                    load = self.start("load", "--target", wire.endpoint(wire.KERNEL[version], 7001), "--app", app,
                                      "--concurrency", "1", "--duration", "2s", "--drain", "60s",
                                      *(("--impair", impair) if impair else ()))
                    sock, _ = listener.accept()
                    sock.settimeout(PACE)
                    octets = answer(sock)
                    sock.close()
                    report = load.wait(PACE)
                    books = self.balanced(load, report)
                    self.assertEqual((books["established"], books["closed"]), (1, 1), books)
                    self.assertEqual(report["counters"]["text_out" if app == "discard" else "text_in"], octets)
                    self.assertGreater(octets, 20000)
                    self.doCleanups()


def nftables_works():
    ran = subprocess.run(["nft", "-f", "-"], input=RULES.format(1) + "delete table inet loss\n", capture_output=True,
                         text=True, timeout=20, check=False)
    return ran.returncode == 0 or wire.skip(f"nft: {ran.stderr.splitlines()[0]}")


if __name__ == "__main__":
    if wire.inside() and len(sys.argv) > 1:
        nftables_works()
    wire.main("nft", "curl")
