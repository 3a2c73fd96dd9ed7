# SPDX-License-Identifier: BSD-3-Clause
"""A tap on which the kernel loses 5 % of what comes and goes (nftables), then one whose link we make bad ourselves
(--impair): everything ends, nothing leaks: test_loss.py HANDFAST"""

import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

import wire

# A SYN-ACK that its own output hook drops is an error to the kernel, which then forgets the half-open and
# resets the client later (reqsk_timer_handler): these get through.
RULES = """
add table inet loss
add chain inet loss in { type filter hook input priority 0; }
add chain inet loss out { type filter hook output priority 0; }
add rule inet loss in iifname "hf0" meta l4proto tcp numgen random mod 100 < 5 counter drop
add rule inet loss out tcp flags & (syn | ack) == syn | ack accept
add rule inet loss out oifname "hf0" meta l4proto tcp numgen random mod 100 < 5 counter drop
"""


IMPAIR = ("--impair", "loss=5%,reorder=25%,dup=2%,delay=50ms±10ms")


class Bad(wire.Test):
    def served(self, *more):
        serve = self.start("serve", "--listen", "0.0.0.0:80,[::]:80", "--app", "http", "--response", "100000",
                           "--drain", "20s", *more)

        def get(i):
            return len(subprocess.run(["curl", "-sS", "-g", "-m", "60", wire.url(4 + i % 2 * 2)],
                                      capture_output=True, timeout=70, check=True).stdout)

        with ThreadPoolExecutor(20) as pool:
            self.assertEqual(list(pool.map(get, range(60))), [100000] * 60)
        report = serve.stop()
        books = self.balanced(serve, report)
        self.assertEqual(sum(books["lost"].values()), 0, books)
        return report

    def loaded(self, *more):
        """A connection that ends is one that has been through everything, whatever has been lost: five times in a row
        is a minute and a half when it began with a SYN that went twice (RFC 6298 5.7)."""
        wire.nginx(self, 80, body="x" * 3000)
        for close in ("us", "peer", "both"):
            books, report = self.load("--target", "10.99.0.1:80", "--app", "http", "--count", "300", "--rate",
                                      "300/s", "--close", close, *more, seconds=120)
            self.assertEqual((books["attempted"], books["closed"]), (300, 300), books)
            self.assertGreater(report["counters"]["retransmit_syn"] + report["counters"]["retransmit_text"], 0)


class Impaired(Bad):
    def test_everything_served_ends(self):
        counters = self.served(*IMPAIR)["counters"]
        for name in ("impair_lost", "impair_duplicated", "impair_reordered"):
            self.assertGreater(counters[name], 0)

    def test_everything_loaded_ends(self):
        self.loaded(*IMPAIR)

    def test_resets_end_too(self):
        wire.nginx(self, 80)
        books, _ = self.load("--target", "10.99.0.1:80", "--app", "http", "--count", "300", "--rate", "300/s",
                             "--close", "rst", *IMPAIR)
        self.assertEqual((books["attempted"], books["closed"]), (300, 300), books)


class Loss(Bad):
    def setUp(self):
        subprocess.run(["nft", "-f", "-"], input=RULES, text=True, check=True, timeout=20)
        self.addCleanup(wire.sh, "nft delete table inet loss")

    def lost(self):
        self.assertRegex(wire.sh("nft list table inet loss"), r"counter packets [1-9]")

    def test_everything_served_ends(self):
        self.served()
        self.lost()

    def test_everything_loaded_ends(self):
        self.loaded()
        self.lost()


def nftables_works():
    ran = subprocess.run(["nft", "-f", "-"], input=RULES + "delete table inet loss\n", capture_output=True,
                         text=True, timeout=20, check=False)
    return ran.returncode == 0 or wire.skip(f"nft: {ran.stderr.splitlines()[0]}")


if __name__ == "__main__":
    if wire.inside() and len(sys.argv) > 1:
        nftables_works()
    wire.main("nginx", "nft", "curl")
