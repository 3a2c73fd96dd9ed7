# SPDX-License-Identifier: BSD-3-Clause
"""serve and load on each class of device; links that go down and come back; idle modes: test_devices.py HANDFAST"""

import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

import wire


def bulk_of_large_packets(test, serve, address):
    """MUST-67: the MSS of 9000 octets both ways, and full segments of it."""
    text = random.Random(9000).randbytes(4 << 20)
    with socket.create_connection((address, 80), timeout=20) as sock:
        sender = threading.Thread(target=lambda: (sock.sendall(text), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        got = b"".join(iter(lambda: sock.recv(1 << 20), b""))
        sender.join(20)
        info = struct.unpack_from("=2I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 24), 16)
    test.assertEqual(info, (8948, 8948))  # tcpi_snd_mss, tcpi_rcv_mss
    test.assertEqual(got, text)
    report = serve.stop()
    test.assertEqual(test.balanced(serve, report)["closed"], 1)
    test.assertLess(report["counters"]["seg_out"], 2 * len(text) // 8948 + 50)  # an ACK at most for each of text


class Veth(wire.Test):
    """The kernel at one end of a veth, handfast on the other one."""

    def setUp(self):
        wire.sh("ip link add hfa type veth peer name hfb && ip link set hfa up && ip link set hfb up &&"
                "ip addr add 10.98.0.1/24 dev hfa && ethtool -K hfa tx off tso off gso off gro off")
        self.addCleanup(wire.sh, "! ip link show dev hfa 2>&1 || ip link del hfa")

    def serve(self, device, *more):
        return self.start("serve", "--dev", device, "--addr", "10.98.0.2/24", "--listen", "10.98.0.2:80", *more,
                          profile=None)

    def curl(self, device):
        """HF-CK3: what the device does not do, sums above all, we do; the kernel looks at each of them."""
        serve = self.serve(device, "--app", "http", "--response", "200000")
        for _ in range(3):
            ran = subprocess.run(["curl", "-sS", "-m", "20", "http://10.98.0.2/"], capture_output=True, timeout=30,
                                 check=True)
            self.assertEqual(len(ran.stdout), 200000)
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["closed"], 3)

    def test_af_packet(self):
        self.curl("af_packet:hfb")

    def test_af_packet_on_a_device_that_filters(self):
        """RFC 4861 7.2.1: whoever asks for us asks a group, of which this machine's kernel is no member."""
        wire.sh("ip link add hfm link hfb type macvlan mode bridge && ip link set hfm up &&"
                "ip addr add fd98::1/64 dev hfa nodad")
        serve = self.serve("af_packet:hfm", "--addr", "fd98::2/64", "--listen", "[fd98::2]:80", "--app", "http")
        subprocess.run(["curl", "-sS", "-g", "-m", "20", "http://[fd98::2]/"], capture_output=True, timeout=30,
                       check=True)
        self.assertEqual(self.balanced(serve, serve.stop())["closed"], 1)

    def test_pcap(self):
        self.curl("pcap:hfb")

    def large_packets(self, device):
        wire.sh("ip link set hfa mtu 9000 && ip link set hfb mtu 9000")
        bulk_of_large_packets(self, self.serve(device, "--app", "echo", "--mtu", "9000"), "10.98.0.2")

    def test_af_packet_of_large_packets(self):
        self.large_packets("af_packet:hfb")

    def test_pcap_of_large_packets(self):
        self.large_packets("pcap:hfb")

    def refused(self, *args):
        ran = subprocess.run([sys.argv[1], "serve", "--addr", "10.98.0.2/24", "--listen", "10.98.0.2:80", "--mtu",
                              "9000", *args], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual((ran.returncode, ran.stdout), (3, ""), ran.stderr)
        return ran.stderr

    def test_packets_too_large_for_the_device(self):
        self.assertIn("hfb carries packets of 1500 octets at most, not 9000", self.refused("--dev", "af_packet:hfb"))
        self.assertIn("ip link set hfb mtu 9000", self.refused("--dev", "pcap:hfb"))

    def test_af_xdp(self):
        """Its memory is locked and its program loaded by the machine's root, or not at all."""
        with tempfile.NamedTemporaryFile("w", suffix=".supp") as known:
            print("leak:xsk_umem__create", file=known, flush=True)  # net_af_xdp's own
            with mock.patch.dict(os.environ, LSAN_OPTIONS=f"suppressions={known.name}:print_suppressions=0"):
                self.af_xdp()

    def af_xdp(self):
        ran = subprocess.run([sys.argv[1], "doctor", "--dev", "af_xdp:hfb", "--addr", "10.98.0.2/24"],
                             capture_output=True, text=True, timeout=30, check=False)
        if ran.returncode == 0:
            self.curl("af_xdp:hfb")
        else:
            self.assertRegex(ran.stdout, "LACKS .*CAP_BPF.*be root")

    def test_the_other_end_is_gone(self):
        """Under traffic; what was open is told as aborted at the end."""
        for device, how in (("pcap", "set hfa down"), ("af_packet", "del hfa")):
            serve = self.serve(f"{device}:hfb", "--app", "chargen", "--drain", "500ms")
            with socket.create_connection(("10.98.0.2", 80), timeout=20) as sock:
                for _ in range(100):
                    self.assertTrue(sock.recv(10000))
                wire.sh(f"ip link {how}")
                time.sleep(0.3)
                self.assertIsNone(serve.process.poll(), serve.said())
                self.assertEqual(self.balanced(serve, serve.stop())["lost"]["aborted"], 1)
            if how == "set hfa down":
                wire.sh("ip link set hfa up")

    def test_the_target_is_removed(self):
        _, load = self.loading("--dev", "af_packet:hfb", "--addr", "10.98.0.2/24", "--target", "10.98.0.1:80",
                               "--rate", "200/s", "--duration", "4s", "--set", "tcp.user_timeout=1s", seconds=20,
                               profile=None)
        wire.sh("ip link del hfa")
        books = self.balanced(load, load.wait())
        self.assertGreater(books["failed"]["timeout"] + books["failed"]["unreachable"], 0)
        self.assertEqual(books["lost"]["reset"] + books["failed"]["reset"] + books["failed"]["refused"], 0)

    def test_the_link_goes_down_and_comes_back(self):
        """A connection over it lives on, and others can be opened."""
        serve = self.serve("af_packet:hfb", "--app", "echo")
        sock = socket.create_connection(("10.98.0.2", 80), timeout=20)
        self.addCleanup(sock.close)
        for text in (b"before", b"after", b"once more"):
            sock.sendall(text)
            self.assertEqual(sock.recv(100), text)
            wire.sh("ip link set hfa down")
            time.sleep(0.2)
            wire.sh("ip link set hfa up")
        socket.create_connection(("10.98.0.2", 80), timeout=20).close()
        sock.close()
        wire.until_time_wait(80)
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["closed"], 2)


class Vlan(wire.Test):
    def setUp(self):
        wire.sh("ip link add hfa type veth peer name hfb && ip link set hfa up && ip link set hfb up")
        self.addCleanup(wire.sh, "ip link del hfa")

    def load_over(self, vlan, problems=(), net="10.98.0.", length=24):
        load = self.start("load", "--dev", "af_packet:hfa", "--addr", f"{net}1/{length}", "--target",
                          wire.endpoint(f"{net}2", 80), "--app", "rr", "--count", "20", "--vlan", vlan, profile=None)
        return self.balanced(load, load.wait(), 1 if problems else 0, problems)

    def test_two_ends_on_one_vlan(self):
        """HF-E3, HF-CK7: the kernel takes tags off and its PMD puts them back; ours is the software path."""
        serve = self.start("serve", "--dev", "af_packet:hfb", "--addr", "10.98.0.2/24", "--addr", "fd98::2/64",
                           "--listen", "10.98.0.2:80,[fd98::2]:80", "--app", "rr", "--vlan", "7", profile=None)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as tap:
            tap.bind(("hfa", 3))
            tap.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
            tap.settimeout(10)
            self.assertEqual(self.load_over("7")["closed"], 20)
            frame, beside = b"", []
            while frame[12:14] != b"\x08\x00":  # what else a kernel says on a link
                frame, beside, _, _ = tap.recvmsg(2000, 100)
        tci = struct.unpack("=IIIHHHH", beside[0][2][:20])[5]  # struct tpacket_auxdata
        self.assertEqual(tci, 7)
        self.assertEqual(self.load_over("7", net="fd98::", length=64)["closed"], 20)
        others = self.load_over("8", ["no connection was established"])
        self.assertEqual(others["failed"]["unreachable"], 20)
        report = serve.stop()
        books = self.balanced(serve, report)
        self.assertEqual(books["accepted"], 40)
        self.assertGreater(report["counters"]["rx_drop_vlan"], 0)


class Tap(wire.Test):
    def test_the_link_goes_down_and_comes_back(self):
        serve = self.start("serve", "--listen", "0.0.0.0:7000", "--app", "echo")
        sock = self.connect(7000)
        for text in (b"before", b"after", b"once more"):
            sock.sendall(text)
            self.assertEqual(sock.recv(100), text)
            wire.sh("ip link set hf0 down")
            time.sleep(0.2)
            wire.sh("ip link set hf0 up")
        self.connect(7000).close()
        sock.close()
        wire.until_time_wait(7000)
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["closed"], 2)

    def test_large_packets(self):
        """As large as the driver lets them be; DPDK 22.11's sends no more than Ethernet's."""
        serve = self.start("serve", "--listen", "0.0.0.0:80", "--app", "echo", "--mtu", "9000")
        if serve.process.poll() is None:
            bulk_of_large_packets(self, serve, wire.OURS[4])
        else:
            self.assertEqual(serve.said(),
                             "handfast: net_tap0 carries packets of 1504 octets at most, not 9000: lower mtu\n")

    def test_a_load_goes_on_over_it(self):
        """Opens while it is down come to nothing or wait, and each is told."""
        _, load = self.loading("--target", "10.99.0.1:80", "--rate", "200/s", "--duration", "3s")
        wire.sh("ip link set hf0 down")
        time.sleep(0.3)
        wire.sh("ip link set hf0 up")
        books = self.balanced(load, load.wait())
        self.opened(load, books, 600)
        self.assertEqual(sum(books["failed"].values()), 0, books)
        self.assertEqual(books["closed"], books["attempted"])

    def test_who_hears_of_a_frame(self):
        """A tap's signal comes to the worker itself: the main thread may wait long for a CPU."""
        serve = self.start("serve", "--listen", wire.endpoint(wire.OURS[4], 80), "--app", "echo")
        hears = {}
        for status in Path(f"/proc/{serve.process.pid}/task").glob("*/status"):
            fields = dict(line.split(":\t", 1) for line in status.read_text(encoding="ascii").splitlines())
            hears[fields["Name"]] = int(fields["SigBlk"], 16) >> 34 & 1 == 0  # SIGRTMIN, 35 and counted from 1
        self.assertEqual([name for name, heard in hears.items() if heard], ["rte-worker-1"])
        self.assertGreater(len(hears), 1)
        sock = self.connect(80)
        sock.sendall(b"hello")
        self.assertEqual(sock.recv(5), b"hello")
        sock.close()
        self.balanced(serve, serve.stop())

    def slept(self, *args):
        """How often the program has given its CPU away in a second of nothing to do."""
        serve = self.start("serve", "--listen", "0.0.0.0:7000", *args)

        def times():
            return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", path.read_text(), re.M)[1])
                       for path in Path(f"/proc/{serve.process.pid}/task").glob("*/status"))

        before = times()
        time.sleep(1)
        after = times()
        serve.stop()
        return after - before

    def test_idle(self):
        """A tap's worker sleeps, 50 us at a time, unless it is told to spin (DESIGN 5)."""
        spinning = self.slept("--idle", "spin")
        self.assertLess(spinning, 300)  # the main thread looks 50 times a second
        self.assertGreater(self.slept(), 500)
        self.assertGreater(self.slept("--idle", "sleep"), 500)


class Null(wire.Test):
    def test_steering_and_its_key(self):
        """net_null has a hash, as NICs do; what it does is set and read back in tests/rows/test_rss.c (HF-M2)."""
        serve = ("serve", "--dev", "net_null0", "--addr", "10.97.0.1/24", "--listen", "10.97.0.1:80", "--cores",
                 wire.cores(2))
        for steering, *more in ("rss", "--rss-key", ":".join(["5a"] * 40)), ("software", "--steering", "software"):
            running = self.start(*serve, *more, profile=None)
            report = running.stop()
            self.balanced(running, report)
            self.assertIn(f"2 workers, a queue each; steering: {steering}\n", running.said())
            self.assertEqual(report["provenance"]["steering"], steering)
        running = self.start(*serve, "--rss-key", "5a" * 52, profile=None)
        running.wait()
        self.assertEqual((running.process.returncode, running.said()),
                         (3, "handfast: the RSS key has 52 octets: net_null takes 40\n"))

    def test_nobody_answers(self):
        """net_null sends frames of zeros without end and takes all: each is counted, and every open told."""
        load = self.start("load", "--dev", "net_null0,size=60", "--addr", "10.97.0.1/24", "--target", "10.97.0.2:80",
                          "--count", "10", profile=None)
        report = load.wait()
        books = self.balanced(load, report, 1, ["no connection was established"])
        self.assertEqual(books["failed"]["unreachable"], 10)
        self.assertGreater(report["counters"]["rx_drop_eth"] + report["counters"]["rx_drop_mac"], 0)


if __name__ == "__main__":
    wire.main("ethtool", "curl", "nginx")
