# SPDX-License-Identifier: BSD-3-Clause
"""ECN (RFC 3168) with the kernel's TCP, either end asking, text marked on its way by nftables: test_ecn.py HANDFAST"""

import random
import socket
import subprocess
import sys
import threading
import unittest

import wire

MARKS = """
table inet marks {
    chain in {
        type filter hook input priority 0
        ip ecn ect0 numgen random mod 20 < 1 ip ecn set ce
        ip6 ecn ect0 numgen random mod 20 < 1 ip6 ecn set ce
    }
    chain out {
        type filter hook output priority 0
        ip ecn ect0 numgen random mod 20 < 1 ip ecn set ce
        ip6 ecn ect0 numgen random mod 20 < 1 ip6 ecn set ce
    }
}
"""
OCTETS = 1 << 20


def info(port):
    """What the kernel says of its connection to or from this port, a word each."""
    return wire.sh(f"ss -Htino '( sport = :{port} or dport = :{port} )'").split()


class Ecn(wire.Test):
    def kernel(self, ecn):
        wire.sh(f"sysctl -qw net.ipv4.tcp_ecn={ecn}")

    def mark(self):
        subprocess.run(["nft", "-f", "-"], input=MARKS, text=True, check=True, timeout=20)
        self.addCleanup(wire.sh, "nft delete table inet marks")

    def echo(self, sock, octets):
        """@return what the kernel says of it in the midst"""
        text = random.Random(octets).randbytes(octets)
        sender = threading.Thread(target=sock.sendall, args=(text,))
        sender.start()
        got = b""
        while len(got) < octets and (piece := sock.recv(1 << 16)):
            got += piece
        sender.join(60)
        self.assertEqual(got, text)

    def server(self, ours, version, octets=OCTETS):
        serve = self.start("serve", "--listen", "0.0.0.0:7000,[::]:7000", "--app", "echo", "--set", f"tcp.ecn={ours}")
        sock = self.connect(7000, version)
        self.echo(sock, octets)
        words = info(7000)
        sock.close()
        wire.until(lambda: set(wire.kernel_states(7000)) <= {"TIME-WAIT"})
        report = serve.stop()
        self.assertEqual(self.balanced(serve, report)["closed"], 1)
        return words, report["counters"]

    def test_the_kernel_asks(self):
        self.kernel(1)
        self.mark()
        for version in 4, 6:
            for ours in 1, 2:
                words, counters = self.server(ours, version)
                self.assertEqual({"ecn", "ecnseen"} - set(words), set(), words)
                self.assertEqual(counters["ecn_agreed"], 1)
                self.assertGreater(counters["ecn_ce_in"], 0)
                self.assertGreater(counters["ecn_reduced"], 0)
                self.assertEqual(counters["retransmit_text"], 0)  # told by marks, not by losses

    def test_one_of_the_two_does_not(self):
        self.mark()
        for theirs, ours in (0, 1), (2, 2), (1, 0):
            self.kernel(theirs)
            words, counters = self.server(ours, 4, 1 << 16)
            self.assertEqual({"ecn", "ecnseen"} & set(words), set(), words)
            self.assertEqual((counters["ecn_agreed"], counters["ecn_ce_in"], counters["ecn_reduced"]), (0, 0, 0))

    def client(self, theirs, ours, version):
        self.kernel(theirs)
        listener = self.listener(7001, version)
        load = self.start("load", "--target", wire.endpoint(wire.KERNEL[version], 7001), "--app", "discard",
                          "--set", f"tcp.ecn={ours}", "--concurrency", "1", "--duration", "2s")
        sock, _ = listener.accept()
        sock.settimeout(30)
        octets = len(sock.recv(1 << 16))
        words = info(7001)
        while piece := sock.recv(1 << 16):
            octets += len(piece)
        sock.close()
        listener.close()
        report = load.wait()
        self.assertEqual(self.balanced(load, report)["closed"], 1)
        self.assertEqual(report["counters"]["text_out"], octets)
        return words, report["counters"]

    def test_we_ask(self):
        self.mark()
        for version in 4, 6:
            for theirs in 1, 2:
                words, counters = self.client(theirs, 1, version)
                self.assertIn("ecn", words)
                self.assertEqual(counters["ecn_agreed"], 1)
                self.assertGreater(counters["ecn_reduced"], 0)
                self.assertEqual(counters["retransmit_text"], 0)

    def test_we_ask_in_vain(self):
        for theirs, ours in (0, 1), (2, 2), (2, 0):
            words, counters = self.client(theirs, ours, 4)
            self.assertNotIn("ecn", words)
            self.assertEqual(counters["ecn_agreed"], 0)

    def test_the_syn_is_dropped_for_it(self):
        """A middlebox that knows no ECN: the second SYN gets through, and there is none (RFC 3168 6.1.1.1)."""
        rule = """
            table inet box {
                chain in {
                    type filter hook input priority 0
                    tcp flags & (syn | ecn | cwr) == (syn | ecn | cwr) drop
                }
            }
            """
        subprocess.run(["nft", "-f", "-"], input=rule, text=True, check=True, timeout=20)
        self.addCleanup(wire.sh, "nft delete table inet box")
        words, counters = self.client(1, 1, 4)
        self.assertNotIn("ecn", words)
        self.assertEqual((counters["ecn_agreed"], counters["retransmit_syn"]), (0, 1))


if __name__ == "__main__":
    if wire.inside() and len(sys.argv) > 1:
        try:
            subprocess.run(["nft", "-f", "-"], input=MARKS + "delete table inet marks\n", text=True, check=True,
                           capture_output=True, timeout=20)
        except subprocess.CalledProcessError as why:
            wire.skip(f"nft: {why.stderr.splitlines()[0]}")
    wire.main("nft", "sysctl")
