# SPDX-License-Identifier: BSD-3-Clause
"""Several workers, 2 and then 4, which may be more than there are CPUs: test_workers.py HANDFAST

Over a tap and over af_packet the kernel spreads frames as it likes, so workers hand them over (HF-M2)."""

import json
import subprocess
import sys
import unittest

import wire


class Test(wire.Test):
    def steered(self, report, workers):
        """As many workers, every frame with its owner; what one hands over another has taken."""
        counters = report["counters"]
        self.assertEqual((report["provenance"]["cores"], report["provenance"]["steering"]), (workers, "software"))
        self.assertEqual(counters["wrong_core"], 0)
        self.assertEqual(counters["rx_drop_ring_full"], 0)
        self.assertEqual(counters["rx_handed_over"], counters["rx_taken_over"])

    def serve(self, workers, address, *args, profile=wire.PROFILE):
        serve = self.start("serve", *args, "--listen", wire.endpoint(address, 80), "--app", "http", "--response", "100000",
                           "--cores", wire.cores(workers), profile=profile)
        host = f"[{address}]" if ":" in address else address
        for _ in range(40):
            ran = subprocess.run(["curl", "-sS", "-g", "-m", "20", f"http://{host}/"], capture_output=True, timeout=30,
                                 check=False)
            self.assertEqual((ran.stderr, len(ran.stdout)), (b"", 100000))
        report = serve.stop()
        self.assertEqual(self.balanced(serve, report)["closed"], 40)
        self.steered(report, workers)


class Tap(Test):
    def test_curl(self):
        for workers in 2, 4:
            self.serve(workers, wire.OURS[4])
            self.serve(workers, wire.OURS[6])

    def test_load(self):
        wire.nginx(self, 80)
        for workers in 2, 4:
            for version in 4, 6:
                books, report = self.load("--target", wire.endpoint(wire.KERNEL[version], 80), "--app", "http",
                                          "--count", "2000", "--concurrency", "32", "--cores", wire.cores(workers))
                self.assertEqual((books["attempted"], books["closed"]), (2000, 2000))
                self.assertEqual(report["counters"]["rst_in"], 0)
                self.steered(report, workers)

    def test_a_refused_open_is_told_whoever_opened(self):
        books, report = self.load("--target", wire.endpoint(wire.KERNEL[4], 81), "--count", "100", "--cores",
                                  wire.cores(4), status=1, problems=["no connection was established"])
        self.assertEqual(books["failed"]["refused"], 100)
        self.steered(report, 4)


class AfPacket(Test):
    def test_curl(self):
        wire.sh("ip link add hfa type veth peer name hfb && ip link set hfa up && ip link set hfb up &&"
                "ip addr add 10.98.0.1/24 dev hfa && ethtool -K hfa tx off tso off gso off gro off")
        self.addCleanup(wire.sh, "ip link del hfa")
        self.serve(2, "10.98.0.2", "--dev", "af_packet:hfb", "--addr", "10.98.0.2/24", profile=None)


class Pair(unittest.TestCase):
    def test_more_lcores_than_cores(self):
        """2 clients and 2 servers over net_ring, queue n to queue n; then 4 of each, both ends on an lcore."""
        for layout, cores, closing in ("split", 4, "client"), ("split", 4, "server"), ("local", 4, "client"):
            ran = subprocess.run([sys.argv[1], "pair", "--cores", wire.cores(cores), "--layout", layout, "--close", closing,
                                  "--app", "rr", "--count", "4000", "--verify", "--json", "-"],
                                 capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            report = json.loads(ran.stdout)
            self.assertEqual((report["connections"]["closed"], report["problems"]), (4000, []))
            self.assertEqual((report["provenance"]["cores"], report["provenance"]["steering"]), (cores, "queue"))
            self.assertEqual(report["counters"]["wrong_core"], 0)


if __name__ == "__main__":
    wire.main("curl", "ethtool", "nginx")
