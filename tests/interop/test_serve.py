# SPDX-License-Identifier: BSD-3-Clause
"""curl, nc and sockets against `handfast serve` over a tap: test_serve.py HANDFAST"""

import concurrent.futures
import os
import re
import signal
import socket
import subprocess
import time
import unittest

import wire

LISTEN = ("--listen", "0.0.0.0:7000,[::]:7000")
HTTP = ("--listen", "0.0.0.0:80,[::]:80", "--app", "http")
PATTERN = bytes(range(251))


def curl(*args):
    return subprocess.run(["curl", "-sS", "-g", "-m", "20", *args], capture_output=True, timeout=40, check=True).stdout


def everything(sock):
    out = b""
    while piece := sock.recv(65536):
        out += piece
    return out


class Http(wire.Test):
    def test_curl_gets_more_than_the_initial_window(self):
        serve = self.start("serve", *HTTP, "--response", "1000000")
        for version in (4, 6):
            body = curl(wire.url(version))
            self.assertEqual(body, (PATTERN * 3985)[:1000000])
        books = self.balanced(serve, serve.stop())
        self.assertEqual((books["accepted"], books["closed"]), (2, 2))

    def test_three_requests_on_one_connection(self):
        serve = self.start("serve", *HTTP, "--response", "20000")
        for version in (4, 6):
            said = curl("-w", "%{http_code} %{size_download} %{num_connects}\n", *["-o", "/dev/null"] * 3,
                        *[wire.url(version)] * 3).decode()
            self.assertEqual(said, "200 20000 1\n200 20000 0\n200 20000 0\n")
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["accepted"], 2)

    def test_a_client_in_a_reserved_network(self):
        """RFC1122-3.2.1.3: dropped, but where it is asked for."""
        for more, served in ((), False), (("--accept-reserved",), True):
            serve = self.start("serve", *HTTP, *more)
            wire.sh("ip addr add 240.0.0.1/32 dev hf0")
            ran = subprocess.run(["curl", "-sS", "-m", "20" if served else "1", "--interface", "240.0.0.1", wire.url(4)],
                                 capture_output=True, timeout=30, check=False)
            self.assertEqual(ran.returncode == 0, served, ran.stderr)
            report = serve.stop()
            self.assertEqual(self.balanced(serve, report)["accepted"], int(served))
            self.assertEqual(report["counters"]["rx_drop_ip_addr"] == 0, served)

    def test_statuses(self):
        serve = self.start("serve", *HTTP, "--response", "5")
        status = ("-o", "/dev/null", "-w", "%{http_code} %{size_download}")
        self.assertEqual(curl(*status, wire.url(4, "/nowhere")), b"404 9")
        self.assertEqual(curl(*status, "-I", wire.url(4)), b"200 0")
        self.assertEqual(curl(*status, "-d", "x=1", wire.url(4)), b"200 5")
        self.assertEqual(curl(*status, "-X", "PUT", wire.url(4)), b"405 18")
        self.assertEqual(curl(*status, wire.url(4, "/?query")), b"200 5")
        for nonsense in (b"\r\n\r\n\x00\xff nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                         b"GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"):
            sock = self.connect(80)
            sock.sendall(nonsense)
            self.assertTrue(everything(sock).startswith(b"HTTP/1.1 400 "), nonsense)
        sock = self.connect(80)
        sock.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100000)
        try:
            self.assertTrue(everything(sock).startswith(b"HTTP/1.1 431 "))
        except ConnectionResetError:
            pass  # more had come than was read when the connection was closed (SHLD-3)
        self.balanced(serve, serve.stop())

    def test_pieces_and_a_pipeline(self):
        serve = self.start("serve", *HTTP, "--response", "5")
        sock = self.connect(80)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n":
            sock.send(bytes([octet]))
        sock.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n")
        answers = re.findall(rb"HTTP/1.1 (\d+) [^\r]*\r\n(?:[^\r]+\r\n)*Content-Length: (\d+)\r\n(?:[^\r]+\r\n)*\r\n"
                             rb"(\x00\x01\x02\x03\x04|Not Found|)", everything(sock))
        self.assertEqual(answers, [(b"200", b"5", PATTERN[:5]), (b"404", b"9", b"Not Found"), (b"200", b"5", b""),
                                   (b"200", b"5", PATTERN[:5])])
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["closed"], 1)

    def test_many_clients(self):
        serve = self.start("serve", *HTTP, "--response", "30000")
        before = wire.snmp("ActiveOpens")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            sizes = list(pool.map(lambda i: len(curl("-H", "Connection: close", wire.url(4 + i % 2 * 2))), range(80)))
        self.assertEqual(sizes, [30000] * 80)
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["accepted"], 80)
        self.assertEqual(wire.snmp("ActiveOpens") - before, 80)


class Plain(wire.Test):
    def test_nc_gets_its_bytes_back(self):
        serve = self.start("serve", *LISTEN, "--app", "echo")
        text = os.urandom(500000)
        for version in (4, 6):
            ran = subprocess.run(["nc", "-N", "-w", "10", wire.OURS[version], "7000"], input=text,
                                 capture_output=True, timeout=30, check=True)
            self.assertEqual(ran.stdout, text)
        books = self.balanced(serve, serve.stop())
        self.assertEqual((books["accepted"], books["closed"]), (2, 2))

    def test_echo_waits_for_a_reader(self):
        serve = self.start("serve", *LISTEN, "--app", "echo")
        sock = self.connect(7000)
        sock.setblocking(False)
        text, sent = os.urandom(8 << 20), 0
        quiet = time.monotonic()
        while sent < len(text) and time.monotonic() - quiet < 1:  # until both windows are shut
            try:
                sent += sock.send(text[sent:sent + 65536])
                quiet = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        self.assertGreater(sent, 65536)
        sock.settimeout(20)
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(everything(sock), text[:sent])
        self.balanced(serve, serve.stop())

    def test_echo_to_many(self):
        serve = self.start("serve", *LISTEN, "--app", "echo")
        socks = [self.connect(7000, 4 + i % 2 * 2) for i in range(200)]
        for i, sock in enumerate(socks):
            sock.sendall(b"%d" % i * 1000)
            sock.shutdown(socket.SHUT_WR)
        for i, sock in enumerate(socks):
            self.assertEqual(everything(sock), b"%d" % i * 1000)
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["closed"], 200)

    def test_discard(self):
        serve = self.start("serve", *LISTEN, "--app", "discard")
        sock = self.connect(7000)
        sock.sendall(bytes(2000000))
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(everything(sock), b"")
        self.balanced(serve, serve.stop())

    def test_chargen(self):
        serve = self.start("serve", *LISTEN, "--app", "chargen")
        sock = self.connect(7000, 6)
        out = b""
        while len(out) < 1000000:
            out += sock.recv(65536)
        sock.close()
        lines = out.split(b"\r\n")
        self.assertEqual({len(line) for line in lines[:-1]}, {72})
        self.assertEqual(lines[0][:10], b" !\"#$%&'()")
        self.assertEqual([line[:1] for line in lines[:96]], [bytes([32 + i % 95]) for i in range(96)])
        self.assertEqual(lines[:95], lines[95:190])
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["lost"]["reset"], 1)  # it read no more, and we were still sending

    def test_chargen_of_some_octets(self):
        serve = self.start("serve", *LISTEN, "--app", "chargen", "--close", "us", "--response", "300000")
        self.assertEqual(len(everything(self.connect(7000))), 300000)
        self.balanced(serve, serve.stop())

    def test_rr(self):
        serve = self.start("serve", *LISTEN, "--app", "rr", "--request", "3000", "--response", "100000")
        sock = self.connect(7000)
        sock.sendall(bytes(3000))
        self.assertEqual(everything(sock), (PATTERN * 400)[:100000])
        sock.close()
        self.balanced(serve, serve.stop())

    def test_what_we_reset_is_in_the_rate(self):
        serve = self.start("serve", *LISTEN, "--app", "echo", "--close", "rst")
        for _ in range(3):
            sock = self.connect(7000)
            sock.sendall(b"x")
            with self.assertRaises(ConnectionResetError):
                everything(sock)
        report = serve.stop()
        self.assertEqual(self.balanced(serve, report)["closed"], 3)
        self.assertAlmostEqual(report["rate"]["connections_per_second"] * report["seconds"], 3, 3)
        self.assertGreater(report["cycles_per_connection"]["server"], 0)

    def test_ranges_of_ports_and_counts(self):
        serve = self.start("serve", "--listen", "10.99.0.2:7000-7009", "--close", "us", "--count", "10")
        with self.assertRaises(ConnectionRefusedError):
            self.connect(7010)
        with self.assertRaises(ConnectionRefusedError):
            self.connect(7000, 6)
        for port in range(7000, 7010):
            sock = self.connect(port)
            self.assertEqual(everything(sock), b"")
            sock.close()
        books = self.balanced(serve, serve.wait(20))
        self.assertEqual(books["accepted"], 10)

    def test_all_ports(self):
        serve = self.start("serve", "--listen", "0.0.0.0:1-65535", "--close", "us", "--count", "3")
        for port in 1, 7000, 65535:
            self.assertEqual(everything(self.connect(port)), b"")
        self.assertEqual(self.balanced(serve, serve.wait(20))["accepted"], 3)

    def test_a_count_minds_those_that_were_reset_before_they_were_accepted(self):
        """Their last ACKs are held back, and come in one burst with their RSTs."""
        serve = self.start("serve", *LISTEN, "--count", "9")
        wire.sh("nft add table ip hf && nft add chain ip hf out '{ type filter hook output priority 0; }' &&"
                "nft add rule ip hf out tcp dport 7000 'tcp flags == ack' drop")
        socks = [self.connect(7000) for _ in range(8)]
        serve.process.send_signal(signal.SIGSTOP)
        wire.sh("nft delete table ip hf")
        for sock in socks:
            sock.sendall(b"x")
            wire.abort(sock)
        serve.process.send_signal(signal.SIGCONT)
        self.connect(7000).close()
        report = serve.wait(20)
        books = self.balanced(serve, report)
        self.assertEqual(books["established"], 9)
        self.assertGreater(report["counters"]["unaccepted_reset"], 0)
        self.assertEqual(books["accepted"] + report["counters"]["unaccepted_reset"], 9)

    def test_a_signal_lets_go_of_the_idle(self):
        serve = self.start("serve", *LISTEN, "--app", "echo", "--drain", "600s")
        sock = self.connect(7000)
        sock.sendall(b"x")
        self.assertEqual(sock.recv(1), b"x")
        serve.process.send_signal(2)
        self.assertEqual(sock.recv(1), b"")
        sock.close()
        books = self.balanced(serve, serve.wait())
        self.assertEqual(books["closed"], 1)


if __name__ == "__main__":
    wire.main("curl", "nc", "nft")
