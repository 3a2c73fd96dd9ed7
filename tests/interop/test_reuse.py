# SPDX-License-Identifier: BSD-3-Clause
"""One tuple opened again and again as fast as allowed, against the kernel: test_reuse.py HANDFAST

Whoever opens and whoever closes first, no SYN may have to be sent twice: a SYN that the other end takes for an old
one costs its sender a second (SEC-41). Repeats are counted by both ends, not timed. A SYN of ours is answered by the
kernel before the call that sends it returns. One of the kernel's, or its SYN-ACK, waits until our worker has a CPU; on a
busy machine that may be later than the kernel's second, and then both copies wait: the second one tells that the first
was taken.
"""

import itertools
import socket
import threading
import time
from pathlib import Path

import wire

TIMES = 200 if wire.BRIEF else 1000
PORT = 7000  # the listener's
TUPLES = itertools.count(40000)  # the opener's, another for each run: a new process knows nothing of the old one's


def sysctl(name, value):
    Path("/proc/sys/net/ipv4", name).write_text(str(value), encoding="ascii")


def netstat(name):
    names, values = [line.split()[1:] for line in Path("/proc/net/netstat").read_text(encoding="ascii").splitlines()
                     if line.startswith("TcpExt:")]
    return int(dict(zip(names, values))[name])


class Reuse(wire.Test):
    def setUp(self):
        sysctl("tcp_tw_reuse", 1)
        sysctl("tcp_tw_reuse_delay", 1)
        self.repeated = netstat("TCPSynRetrans")

    def no_syn_twice(self, report):
        """TW-P1, TW-A7, TW-A12, SEC-41: both ends took every SYN at its first coming."""
        counters = report["counters"]
        for name in ("tw_refused_ts", "tw_refused_seq", "tw_refused_no_listener", "retransmit_syn", "retransmit_synack"):
            self.assertEqual(counters[name], 0, name)
        # the kernel's, each of which has met a SYN-RECEIVED (its SYN) or an ESTABLISHED (its SYN-ACK) of ours
        before, self.repeated = self.repeated, netstat("TCPSynRetrans")
        self.assertEqual(self.repeated - before, counters["synack_suppressed"] + counters["syn_challenged"])

    def open_from_here(self, close, version, *settings):
        """handfast opens one tuple; the kernel accepts, and closes first if told to."""
        listener = self.listener(PORT, version)
        port = next(TUPLES)
        accepted = []

        def serve():
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock:
                    accepted.append(1)
                    if close == "us":
                        sock.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        # a tuple just closed is not handed out for two milliseconds or three: an attempt in that time is counted too
        running = self.start("load", "--target", wire.endpoint(wire.KERNEL[version], PORT), "--from",
                             wire.OURS[version], "--ports", f"{port}-{port}", "--concurrency", "1", "--close", close,
                             "--count", str(4 * TIMES),
                             "--set", "tcp.tw_reuse_delay=1ms", *settings)
        report = running.wait(150)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        books = self.balanced(running, report)
        self.assertGreaterEqual(books["established"], TIMES)
        self.assertEqual(books["established"], len(accepted))
        self.assertEqual(books["established"] + books["failed"]["no_port"], books["attempted"])
        self.no_syn_twice(report)
        return report["time_wait"], books

    def test_we_open_and_close(self):
        for version in (4, 6):  # TW-A7: our own records, taken by our own SYNs
            waits, books = self.open_from_here("us", version)
            self.assertEqual(waits["entered"], books["established"])
            self.assertEqual(waits["reused_active"], books["established"] - 1)

    def test_we_open_the_kernel_closes(self):
        for version in (4, 6):  # TW-A12: the kernel's records, taken by our SYNs
            for timestamps in ("true", "false"):  # with, by TSval; without, by the ISN's clock
                waits, _ = self.open_from_here("peer", version, "--set", f"tcp.timestamps={timestamps}")
                self.assertEqual(waits["entered"], 0)

    def open_from_the_kernel(self, close, version):
        """The kernel opens one tuple as often as it lets itself, handfast accepts."""
        running = self.start("serve", "--listen", wire.endpoint(wire.OURS[version], PORT), "--app", "none",
                             "--close", close)
        end = time.monotonic() + 60
        port = next(TUPLES)
        for _ in range(TIMES):
            while True:
                self.assertLess(time.monotonic(), end)
                sock = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.settimeout(20)
                with sock:
                    try:
                        sock.bind((wire.KERNEL[version], port))
                        sock.connect((wire.OURS[version], PORT))
                    except OSError as error:  # still closing, or within tcp_tw_reuse_delay
                        self.assertIsInstance(error.errno, int, error)
                        continue
                    if close == "us":
                        self.assertEqual(sock.recv(1), b"")
                    break
        # the last one is over before we are told to stop, or we might close it first
        wire.until(lambda: all(line.startswith("TIME-WAIT") for line in wire.sh(f"ss -Htan sport = :{port}").splitlines()),
                   what="the kernel has not closed")
        report = running.stop()
        books = self.balanced(running, report)
        self.assertEqual(books["established"], TIMES)
        self.no_syn_twice(report)
        return report["time_wait"]

    def test_the_kernel_opens_and_closes(self):
        for version in (4, 6):  # tcp_tw_reuse, towards us
            before = netstat("TWRecycled")
            self.assertEqual(self.open_from_the_kernel("peer", version)["entered"], 0)
            self.assertEqual(netstat("TWRecycled") - before, TIMES - 1)

    def test_the_kernel_opens_we_close(self):
        for version in (4, 6):  # TW-P1, TW-P8: our records, taken by the kernel's SYNs
            waits = self.open_from_the_kernel("us", version)
            self.assertEqual((waits["entered"], waits["reused_passive"]), (TIMES, TIMES - 1))


if __name__ == "__main__":
    wire.main()
