# SPDX-License-Identifier: BSD-3-Clause
"""serve and load on what is no tap: af_packet on a veth, memif between two processes: test_devices.py HANDFAST"""

import subprocess
import tempfile
import unittest

import wire


class AfPacket(wire.Test):
    def setUp(self):
        wire.sh("ip link add hfa type veth peer name hfb && ip link set hfa up && ip link set hfb up &&"
                "ip addr add 10.98.0.1/24 dev hfa && ethtool -K hfa tx off tso off gso off gro off")
        self.addCleanup(wire.sh, "ip link del hfa")

    def test_curl_over_a_veth(self):
        serve = self.start("serve", "--dev", "af_packet:hfb", "--addr", "10.98.0.2/24", "--listen", "10.98.0.2:80",
                           "--app", "http", "--response", "200000", profile=None)
        for _ in range(3):
            ran = subprocess.run(["curl", "-sS", "-m", "20", "http://10.98.0.2/"], capture_output=True, timeout=30,
                                 check=True)
            self.assertEqual(len(ran.stdout), 200000)
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["closed"], 3)

    def test_an_address_of_the_kernel_is_refused(self):
        wire.sh("ip addr add 10.98.0.2/24 dev hfb")
        serve = wire.Running("serve", "--dev", "af_packet:hfb", "--addr", "10.98.0.2/24", "--listen",
                             "10.98.0.2:80", profile=None)
        self.addCleanup(serve.close)
        serve.wait(20)
        self.assertEqual(serve.process.returncode, 3)
        self.assertIn("--allow-kernel-address", serve.said())


class Memif(wire.Test):
    def two_processes(self, cores):
        with tempfile.TemporaryDirectory() as scratch:
            device = f"memif:{scratch}/s"
            serve = self.start("serve", "--dev", device + ",role=server", "--addr", "10.97.0.2/24", "--mac",
                               "02:00:00:00:00:02", "--listen", "10.97.0.2:80", "--app", "rr", "--response", "3000",
                               "--cores", cores, profile=None)
            load = self.start("load", "--dev", device + ",role=client", "--addr", "10.97.0.1/24", "--mac",
                              "02:00:00:00:00:01", "--target", "10.97.0.2:80", "--app", "rr", "--response", "3000",
                              "--count", "2000", "--cores", cores, profile=None)
            reports = load.wait(), serve.stop()
            opened = self.balanced(load, reports[0])
            taken = self.balanced(serve, reports[1])
            self.assertEqual((opened["closed"], taken["closed"]), (2000, 2000))
            return reports

    def test_two_processes(self):
        for report in self.two_processes("0"):
            self.assertEqual(report["provenance"]["steering"], "none")

    def test_queue_to_queue(self):
        """2 workers each, then 4, which may be more than there are CPUs; no frame goes astray (HF-M2)."""
        for workers in 2, 4:
            for report in self.two_processes(wire.cores(workers)):
                self.assertEqual(report["provenance"]["cores"], workers)
                self.assertEqual(report["provenance"]["steering"], "queue")
                self.assertEqual(report["counters"]["wrong_core"], 0)
                self.assertEqual(report["counters"]["rx_handed_over"], 0)


if __name__ == "__main__":
    wire.main("ethtool", "curl")
