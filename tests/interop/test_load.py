# SPDX-License-Identifier: BSD-3-Clause
"""`handfast load` over a tap against nginx, nc and sockets: test_load.py HANDFAST"""

import hashlib
import signal
import socket
import tempfile
import threading
import unittest

import wire


class Load(wire.Test):
    def test_nginx_in_every_closing_order(self):  # HF-LG1, HF-LG6
        wire.nginx(self, 80)
        for close in ("auto", "us", "peer", "both", "rst", "half"):
            for version in (4, 6):
                before = wire.snmp("PassiveOpens")
                books, report = self.load("--target", wire.endpoint(wire.KERNEL[version], 80), "--app", "http",
                                          "--rate", "500/s", "--count", "150", "--close", close)
                self.assertEqual((books["attempted"], books["closed"]), (150, 150), close)
                self.assertEqual(wire.snmp("PassiveOpens") - before, 150, close)
                waits = report["time_wait"]["entered"]
                if close in ("auto", "peer", "rst"):
                    self.assertEqual(waits, 0, close)
                elif close in ("us", "half"):
                    self.assertEqual(waits, 150, close)

    def test_an_answer_that_is_not_200_is_said(self):
        listener = self.listener(80)

        def serve():
            for _ in range(3):
                sock, _ = listener.accept()
                with sock:
                    sock.recv(4096)
                    sock.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        self.load("--target", "10.99.0.1:80", "--app", "http", "--count", "3", status=1,
                  problems=["client: 3 connections carried a response that is not 200, not of the right length or "
                            "not HTTP"])
        thread.join(10)

    def test_nc(self):
        self.program("nc", "-lk", "7000")
        wire.until(lambda: ":7000" in wire.sh("ss -Htln"))
        books, _ = self.load("--target", "10.99.0.1:7000", "--count", "20", "--concurrency", "1", "--close", "us")
        self.assertEqual(books["closed"], 20)

    def test_request_and_response(self):
        listener = self.listener(7000)
        digests = set()

        def serve():
            for _ in range(30):
                sock, _ = listener.accept()
                with sock:
                    text = b""
                    while len(text) < 100000:
                        text += sock.recv(65536)
                    digests.add(hashlib.sha256(text).digest())
                    sock.sendall(text[:50000])

        thread = threading.Thread(target=serve)
        thread.start()
        books, report = self.load("--target", "10.99.0.1:7000", "--app", "rr", "--request", "100000",
                                  "--response", "50000", "--count", "30", "--concurrency", "3")
        thread.join(10)
        self.assertEqual(books["closed"], 30)
        self.assertEqual(report["ends"]["client"]["cut_short"], 0)
        self.assertEqual(digests, {hashlib.sha256((bytes(range(251)) * 400)[:100000]).digest()})

    def test_refused(self):
        books, _ = self.load("--target", "10.99.0.1:9", "--count", "50", status=1,
                             problems=["no connection was established"])
        self.assertEqual(books["failed"]["refused"], 50)

    def test_unreachable(self):
        books, _ = self.load("--target", "10.99.0.77:80", "--count", "5", "--set", "tcp.syn_retries=4", status=1,
                             problems=["no connection was established"])
        self.assertEqual(books["failed"]["unreachable"], 5)

    def test_timeout(self):
        # the kernel's other address answers ARP, and drops what it does not own
        books, _ = self.load("--target", "198.51.100.1:80", "--gateway", "10.99.0.1", "--count", "5",
                             "--set", "tcp.syn_retries=1", status=1, problems=["no connection was established"])
        self.assertEqual(books["failed"]["timeout"] + books["failed"]["unreachable"], 5)

    def test_the_target_dies(self):
        target, running = self.loading("--target", "10.99.0.1:80", "--rate", "300/s", "--duration", "3s")
        target.send_signal(signal.SIGKILL)
        books = self.balanced(running, running.wait())
        self.assertGreater(books["closed"], 0)
        self.assertGreater(books["failed"]["refused"], 100)
        others = sum(books["failed"].values()) - books["failed"]["refused"] - books["failed"]["reset"]
        self.assertEqual(others + books["lost"]["timeout"] + books["lost"]["aborted"], 0, books)

    def vanishes(self, rule, *more):
        """A load whose target's kernel begins to follow this rule of nftables in mid-run. @return its books"""
        _, running = self.loading("--target", "10.99.0.1:80", "--rate", "300/s", "--duration", "2s", "--drain", "20s",
                                  "--set", "tcp.syn_retries=1", "--set", "tcp.retries2=3", *more)
        wire.sh("nft 'add table inet hf; add chain inet hf in { type filter hook input priority 0; };"
                f"add rule inet hf in iifname hf0 tcp dport 80 {rule}'")
        self.addCleanup(wire.sh, "nft delete table inet hf")
        wire.sh("echo 0 >/proc/sys/net/ipv4/icmp_ratelimit")
        books = self.balanced(running, running.wait())
        self.assertGreater(books["closed"], 0)
        self.opened(running, books, 600)
        return books

    def buckets(self, books):
        return {name for kind in ("failed", "lost") for name, n in books[kind].items() if n}

    def opens_fail(self, books, *how):
        """By these alone. What was open as the target vanished times out, or is aborted when the drain is over."""
        self.assertLessEqual({name for name, n in books["failed"].items() if n}, set(how), books)
        self.assertLessEqual({name for name, n in books["lost"].items() if n}, {"timeout", "aborted"}, books)

    def test_the_target_falls_silent(self):
        books = self.vanishes("drop")
        self.assertGreater(books["failed"]["timeout"], 100)
        self.opens_fail(books, "timeout")

    def test_the_target_says_it_is_not_there(self):
        """A port unreachable refuses what is opening, and is soft to what is open (RFC 5927 5.2)."""
        books = self.vanishes("reject with icmp type port-unreachable")
        self.assertGreater(books["failed"]["refused"], 100)
        self.opens_fail(books, "refused", "timeout")

    def test_the_host_is_gone(self):
        """A router's word is soft (MUST-56): the opens go on, and the time-out is not guessed from it."""
        books = self.vanishes("reject with icmp type host-unreachable")
        self.assertGreater(books["failed"]["timeout"], 100)
        self.opens_fail(books, "timeout")

    def test_the_target_resets(self):
        """Its process ends, and has not read all: every connection it held is lost by a reset."""
        listener = self.listener(7000)
        running = self.start("load", "--target", "10.99.0.1:7000", "--app", "rr", "--request", "1000", "--concurrency",
                             "30", "--count", "30")
        socks = [listener.accept()[0] for _ in range(30)]
        for sock in socks:
            self.assertEqual(len(sock.recv(1000, socket.MSG_PEEK | socket.MSG_WAITALL)), 1000)
            sock.close()
        books = self.balanced(running, running.wait())
        self.assertEqual((books["established"], books["lost"]["reset"]), (30, 30), books)
        self.assertEqual(self.buckets(books), {"reset"})

    def test_the_report_is_of_one_end(self):
        wire.nginx(self, 80)
        running = self.start("load", "--target", "10.99.0.1:80", "--app", "http", "--count", "10")
        self.balanced(running, running.wait())
        self.assertRegex(running.said(), r"(?m)^  cycles +\d+ a connection$")
        self.assertRegex(running.said(), r"(?m)^  memory .* MiB of tables$")
        running = self.start("serve", "--listen", "10.99.0.2:80", "--app", "http", "--count", "1")
        wire.sh(f"curl -sS {wire.url(4)}")
        self.balanced(running, running.wait())
        self.assertNotRegex(running.said(), r"(?m)^  (connect|transaction) ")

    def test_frames_that_a_port_drops_are_said_first(self):
        with tempfile.TemporaryDirectory() as scratch:
            running = self.start("load", "--dev", f"vhost:{scratch}/nobody", "--addr", "10.97.0.1/24", "--target",
                                 "10.97.0.2:80", "--count", "5", profile=None)
            report = running.wait()
            self.balanced(running, report, 1, ["no connection was established"])
            self.assertGreater(report["counters"]["tx_ring_full"], 0)
            self.assertIn("no carrier on vhost", running.said())
            self.first_line(running, "FRAMES WERE DROPPED BY THE PORTS: 0 received, [1-9]")

    def test_ports_that_run_out_are_said_first(self):  # HF-LG7
        """HF-LG7"""
        wire.nginx(self, 80)
        running = self.start("load", "--target", "10.99.0.1:80", "--ports", "5000-5003", "--app", "http",
                             "--close", "us", "--concurrency", "2", "--duration", "500ms", "--set", "tcp.timestamps=false")
        books = self.balanced(running, running.wait())
        self.assertEqual(books["established"], 4)
        self.first_line(running, "LOCAL PORTS RAN OUT")

    def test_source_ranges(self):
        listener = self.listener(7000)
        peers = []

        def serve():
            for _ in range(40):
                sock, peer = listener.accept()
                peers.append(peer)
                sock.close()

        thread = threading.Thread(target=serve)
        thread.start()
        self.load("--target", "10.99.0.1:7000", "--from", "10.99.0.100-10.99.0.109", "--ports", "5000-5009",
                  "--count", "40", "--concurrency", "4", "--close", "peer")
        thread.join(10)
        self.assertEqual({peer[0] for peer in peers}, {f"10.99.0.{i}" for i in range(100, 110)})
        self.assertLessEqual({peer[1] for peer in peers}, set(range(5000, 5010)))

    def test_a_signal_drains(self):
        _, running = self.loading("--target", "10.99.0.1:80", "--rate", "200/s", "--duration", "60s")
        books = self.balanced(running, running.stop())
        self.assertEqual(books["attempted"], books["closed"])


class Refused(wire.Test):
    def refused(self, *args, says, status=2):
        running = self.start(*args, profile=None)
        running.wait(20)
        self.assertEqual(running.process.returncode, status, running.said())
        self.assertRegex(running.said(), says)
        self.assertEqual(running.said().count("\n"), 1)

    def test_usage(self):
        """SEC-38"""
        tap = ("--dev", "tap:hf0", "--addr", "10.99.0.2/24")
        self.refused("load", says="--dev")
        self.refused("load", *tap, says="HF-LG3")
        self.refused("serve", *tap, says="--listen")
        self.refused("load", "--dev", "tap:hf0", "--target", "10.99.0.1:80", says="--addr")
        for target in ("255.255.255.255:80", "224.0.0.1:80", "0.0.0.0:80", "[ff02::1]:80", "[::]:80"):
            self.refused("load", *tap, "--target", target, says="not unicast")
        for target in ("224.0.0.1:80", "10.99.0.255:80"):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as profile:
                profile.write(f"dev: tap:hf0\naddr: 10.99.0.2/24\nload:\n  target: {target}\n")
                profile.flush()
                self.refused("load", "-c", profile.name, says="not unicast|MUST-46")
        self.refused("load", *tap, "--target", "10.99.0.255:80", says="MUST-46")
        for span, says in (("10.98.0.3", "no network"), ("10.99.0.250-10.99.1.3", "past its network"),
                           ("10.99.0.250-10.99.0.255", "MUST-46"), ("10.99.0.255", "MUST-46"),
                           ("10.99.0.1-10.99.0.9", "--target"),
                           ("10.99.0.3,10.99.0.3", "twice"), ("10.99.0.3-10.99.0.5,10.99.0.4-10.99.0.9", "twice"),
                           ("10.99.0.5,10.99.0.0-10.99.0.1", "--target")):
            self.refused("load", *tap, "--target", "10.99.0.1:80", "--from", span, says=says)
        self.refused("load", *tap, "--target", "10.99.0.1", says="ADDR:PORT")
        self.refused("load", *tap, "--target", "[fd99::1]:80", says="IP version")
        self.refused("load", *tap, "--target", "10.99.0.1:80", "--app", "echo", says="none, rr, http, discard and chargen")
        self.refused("serve", *tap, "--listen", "10.99.0.3:80", says="no address of --addr")
        self.refused("serve", "--dev", "tun:x", "--addr", "10.99.0.2/24", "--listen", "10.99.0.2:80", says="tap:IF")

    def test_the_environment(self):
        args = ("--addr", "10.99.0.2/24", "--listen", "10.99.0.2:80")
        self.refused("serve", "--dev", "net_bogus0", *args, says="driver", status=3)
        self.refused("serve", "--dev", "af_packet:nosuch", *args, says="iface=", status=3)
        wire.sh("ip addr add 10.99.0.2/32 dev lo")
        self.addCleanup(wire.sh, "ip addr del 10.99.0.2/32 dev lo")
        self.refused("serve", "--dev", "tap:hf0", *args, says="ip addr del", status=3)


if __name__ == "__main__":
    wire.main("curl", "nginx", "nc", "nft")
