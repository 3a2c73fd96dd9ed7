# SPDX-License-Identifier: BSD-3-Clause
"""Bulk text both ways at once between handfast and the kernel over a bad link, octet for octet, with SACK at
work at both ends: test_sack.py HANDFAST"""

import random
import subprocess
import sys
import threading
import unittest
from pathlib import Path

import wire

# The kernel's losses, but of SYNs: see test_loss.py. What its output hook drops it knows not to have sent,
# so what it sends is lost on our side, where it must find out by SACK.
LOSS = """
add table inet loss
add chain inet loss in {{ type filter hook input priority 0; }}
add rule inet loss in tcp flags & syn == 0 iifname "hf0" numgen random mod 100 < {percent} counter drop
"""
BUFFERS = ("--set", "tcp.rcv_buf=512Ki", "--set", "tcp.snd_buf=512Ki")
MAC = "02:00:00:00:00:02"


def netstat(name):
    lines = [line.split()[1:] for line in Path("/proc/net/netstat").read_text(encoding="ascii").splitlines()
             if line.startswith("TcpExt:")]
    return int(dict(zip(*lines))[name])


class Sack(wire.Test):
    def lose(self, percent):
        subprocess.run(["nft", "-f", "-"], input=LOSS.format(percent=percent), text=True, check=True, timeout=20)
        self.addCleanup(wire.sh, "nft delete table inet loss")

    def echo(self, version, octets):
        """What is sent comes back, both at once."""
        text = random.Random(octets + version).randbytes(octets)
        sock = self.connect(7, version)
        sock.settimeout(60)
        sender = threading.Thread(target=sock.sendall, args=(text,))
        sender.start()
        back = bytearray()
        while len(back) < octets:
            piece = sock.recv(1 << 16)
            self.assertTrue(piece, f"the stream ended after {len(back)} octets")
            back += piece
        sender.join(10)
        self.assertTrue(back == text, "other octets came back")
        sock.close()

    def over(self, octets, *options):
        """Both IP versions. @return what the kernel and we counted"""
        before = {name: netstat(name) for name in ("TCPSackRecovery", "TCPDSACKOldSent", "TCPDSACKRecv")}
        serve = self.start("serve", "--listen", "0.0.0.0:7,[::]:7", "--app", "echo", "--drain", "20s", "--mac", MAC,
                           *BUFFERS, *options)
        for version in (4, 6):  # who asks three times in vain for a neighbour has no route to it: not the matter here
            wire.sh(f"ip neigh replace {wire.OURS[version]} lladdr {MAC} dev hf0 nud permanent")
            self.echo(version, octets)
        report = serve.stop()
        books = self.balanced(serve, report)
        self.assertEqual(books["closed"], 2, books)
        return {name: netstat(name) - n for name, n in before.items()}, report["counters"]

    def test_losses_of_one_percent(self):
        self.lose(1)
        theirs, ours = self.over(4 << 20, "--impair", "in:loss=1%")
        self.assertGreater(theirs["TCPSackRecovery"], 0)
        self.assertGreater(ours["sack_recovery"], 0)
        self.assertGreater(ours["sack_out"], 0)
        self.assertEqual(ours["sack_refused"], 0)

    def test_losses_of_five_percent(self):
        self.lose(5)
        theirs, ours = self.over(1 << 20, "--impair", "in:loss=5%")
        self.assertGreater(theirs["TCPSackRecovery"], 0)
        self.assertGreater(ours["sack_recovery"], 0)
        self.assertGreater(ours["sack_out"], 0)

    def test_loaded_with_losses(self):
        self.lose(2)
        listener = self.listener(7000)
        octets = 1 << 20
        want = (bytes(range(251)) * (octets // 251 + 1))[:octets]
        got = []

        def serve():
            sock, _ = listener.accept()
            with sock:
                text = bytearray()
                while len(text) < octets:
                    text += sock.recv(1 << 16)
                got.append(bytes(text))
                sock.sendall(text)

        thread = threading.Thread(target=serve)
        thread.start()
        _, report = self.load("--target", "10.99.0.1:7000", "--app", "rr", "--request", str(octets), "--response",
                              str(octets), "--count", "1", "--drain", "60s", "--impair", "in:loss=2%", *BUFFERS)
        thread.join(10)
        self.assertTrue(got == [want], "other octets came")
        self.assertEqual(report["ends"]["client"]["cut_short"], 0)
        self.assertGreater(report["counters"]["sack_recovery"], 0)

    def test_reordered_doubled_and_late(self):
        theirs, ours = self.over(1 << 19, "--impair", "reorder=25%,dup=2%,delay=50ms±10ms")
        self.assertGreater(ours["ooo_queued"], 0)
        self.assertGreater(ours["dsack_out"], 0)
        self.assertGreater(theirs["TCPDSACKOldSent"], 0)
        self.assertGreater(ours["dsack_in"], 0)
        self.assertGreater(theirs["TCPDSACKRecv"], 0)

    def test_lost_reordered_and_doubled(self):
        _, ours = self.over(1 << 19, "--impair", "loss=2%,reorder=10%,dup=2%,delay=5ms±2ms,corrupt=0.5%")
        self.assertGreater(ours["sack_recovery"], 0)


def nftables_works():
    ran = subprocess.run(["nft", "-f", "-"], input=LOSS.format(percent=1) + "delete table inet loss\n",
                         capture_output=True, text=True, timeout=20, check=False)
    return ran.returncode == 0 or wire.skip(f"nft: {ran.stderr.splitlines()[0]}")


if __name__ == "__main__":
    if wire.inside() and len(sys.argv) > 1:
        nftables_works()
    wire.main("nft")
