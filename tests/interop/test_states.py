# SPDX-License-Identifier: BSD-3-Clause
"""What `ss` says at the kernel's end while connections of handfast's end, in every order: test_states.py HANDFAST"""

import re
import socket
import time
import unittest

import wire


class States(wire.Test):
    port = 600  # none that a load would open from

    def setUp(self):
        States.port += 1  # the kernel's TIME-WAIT of one test is not to be seen by the next

    def sees(self, *states):
        """The kernel's connections are in these states, all of them."""
        wanted = sorted(states)
        wire.until(lambda: sorted(wire.kernel_states(self.port)) == wanted, 10,
                   lambda: f"{wire.kernel_states(self.port)} rather than {wanted}")

    def served(self, close, *more):
        return self.start("serve", "--listen", f"0.0.0.0:{self.port},[::]:{self.port}", "--close", close, *more)

    def loaded_by(self, close, *more):
        """A load of one connection, and what waits for the kernel's socket of it."""
        listener = self.listener(self.port)
        load = self.start("load", "--target", f"10.99.0.1:{self.port}", "--count", "1", "--close", close, *more)

        def accept():
            sock, _ = listener.accept()
            sock.settimeout(10)
            self.addCleanup(sock.close)
            return sock

        return load, accept

    def loaded(self, close, *more):
        """A load of one connection, and the kernel's socket of it."""
        load, accept = self.loaded_by(close, *more)
        return load, accept()

    def reads(self):
        """The other end has taken all that was sent."""
        wire.until(lambda: " 0      0 " in wire.sh(f"ss -Htan dport = :{self.port}"), 10, "it does not read")

    def nft(self, rule):
        """A table of one rule of the kernel's, counted; until it is dropped again. @return how to ask its count"""
        wire.sh(f"nft 'add table inet hf; add chain inet hf in {{ type filter hook input priority 0; }};"
                f"add chain inet hf out {{ type filter hook output priority 0; }}; add rule inet hf {rule}'")
        self.addCleanup(wire.sh, "nft 'add table inet hf; delete table inet hf'")
        return lambda: int(re.search(r"counter packets (\d+)", wire.sh("nft list table inet hf"))[1])

    def ended(self, running, entered, closed=1, lost=()):
        """The books of the other end, and the states it has been in."""
        report = running.wait(30)
        books = self.balanced(running, report)
        self.assertEqual(books["closed"], closed)
        self.assertEqual({name for name, n in books["lost"].items() if n}, set(lost))
        been = {name for name, level in report["states"].items() if level["entered"]} - {
            "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "CLOSED"}
        self.assertEqual(been, set(entered))
        return report

    def test_serve_closes_first(self):
        for version in (4, 6):
            serve = self.served("us", "--count", "1")
            sock = self.connect(self.port, version)
            self.sees("CLOSE-WAIT")
            self.assertEqual(sock.recv(1), b"")
            sock.close()
            self.sees()
            report = self.ended(serve, {"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"})
            self.assertEqual(report["time_wait"]["resident"], 1)

    def test_the_kernel_closes_first(self):
        serve = self.served("peer", "--count", "1")
        sock = self.connect(self.port)
        self.sees("ESTAB")
        sock.close()
        self.sees("TIME-WAIT")
        self.ended(serve, {"CLOSE-WAIT", "LAST-ACK"})

    def test_serve_half_closes(self):
        serve = self.served("half", "--app", "echo", "--count", "1")
        sock = self.connect(self.port)
        sock.sendall(b"once")
        self.assertEqual(sock.recv(100), b"once")
        self.sees("CLOSE-WAIT")
        self.assertEqual(sock.recv(100), b"")
        sock.sendall(bytes(300000))  # it still reads
        self.reads()
        self.sees("CLOSE-WAIT")
        sock.close()
        self.sees()
        self.ended(serve, {"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"})

    def test_the_kernel_half_closes(self):
        serve = self.served("hold", "--duration", "3s")
        sock = self.connect(self.port)
        sock.shutdown(socket.SHUT_WR)
        self.sees("FIN-WAIT-2")
        self.assertEqual(sock.recv(1), b"")  # at the end of the run
        sock.close()
        self.sees("TIME-WAIT")
        self.ended(serve, {"CLOSE-WAIT", "LAST-ACK"})

    def test_serve_aborts(self):
        serve = self.served("rst", "--count", "1")
        with self.assertRaises(ConnectionResetError):
            self.connect(self.port).recv(1)
        self.sees()
        self.ended(serve, set())

    def test_the_kernel_aborts(self):
        serve = self.served("hold", "--app", "echo", "--count", "1")
        sock = self.connect(self.port)
        sock.sendall(b"accepted?")
        self.assertEqual(sock.recv(100), b"accepted?")
        self.sees("ESTAB")
        wire.abort(sock)
        self.sees()
        self.ended(serve, set(), closed=0, lost={"reset"})

    def test_load_closes_first(self):
        load, sock = self.loaded("us")
        self.sees("CLOSE-WAIT")
        sock.close()
        self.sees()
        self.ended(load, {"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"})

    def test_the_server_closes_first(self):
        load, sock = self.loaded("peer")
        self.sees("ESTAB")
        sock.close()
        self.sees("TIME-WAIT")
        self.ended(load, {"CLOSE-WAIT", "LAST-ACK"})

    def test_load_half_closes(self):
        load, sock = self.loaded("half")
        self.assertEqual(sock.recv(1), b"")
        self.sees("CLOSE-WAIT")
        sock.sendall(bytes(300000))
        sock.close()
        self.sees()
        self.ended(load, {"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"})

    def test_load_aborts(self):
        load, sock = self.loaded("rst")
        with self.assertRaises(ConnectionResetError):
            sock.recv(1)
        self.sees()
        self.ended(load, set())

    def test_the_server_aborts(self):
        load, sock = self.loaded("peer")
        self.sees("ESTAB")
        wire.abort(sock)
        self.sees()
        self.ended(load, set(), closed=0, lost={"reset"})

    # ---- Openings ----

    def test_the_kernel_waits_for_our_syn_ack(self):
        serve = self.served("peer", "--count", "1", "--impair", "rule=drop:out:syn-ack:1")
        with self.socket() as sock:
            sock.setblocking(False)
            sock.connect_ex(("10.99.0.2", self.port))
            self.sees("SYN-SENT")
            self.sees("ESTAB")  # it asks again after a second
        self.ended(serve, {"CLOSE-WAIT", "LAST-ACK"})

    def test_the_kernel_waits_for_our_ack(self):
        load, sock = self.loaded_by("peer", "--impair", "rule=drop:out:ack:1")
        self.sees("SYN-RECV")
        self.sees("ESTAB")
        sock().close()
        self.ended(load, {"CLOSE-WAIT", "LAST-ACK"})

    def socket(self, port=0):
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("10.99.0.1", port))
        sock.settimeout(10)
        return sock

    def crossing(self, close, *more):
        """A load that opens from the port that the kernel will open to, and no listener."""
        return self.start("load", "--target", f"10.99.0.1:{self.port}", "--ports", f"{self.port}-{self.port}",
                          "--count", "1", "--close", close, *more)

    def test_simultaneous_open_we_are_first(self):
        """Our SYN is lost on the kernel; its own then finds us in SYN-SENT."""
        lost = self.nft(f"in iifname hf0 tcp dport {self.port} tcp flags & (syn | ack) == syn counter drop")
        load = self.crossing("us")
        wire.until(lost, 10, "no SYN")
        sock = self.socket(self.port)
        sock.connect(("10.99.0.2", self.port))  # SYN-ACK from SYN-RECEIVED
        self.sees("CLOSE-WAIT")
        self.assertEqual(sock.recv(1), b"")
        sock.close()
        report = self.ended(load, {"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"})
        self.assertEqual(report["states"]["SYN-RECEIVED"]["entered"], 1)

    def test_simultaneous_open_the_kernel_is_first(self):
        """Its SYN is lost on the way; ours, of which two are lost before, finds it in SYN-SENT, and its SYN-ACK us."""
        lost = self.nft(f"out tcp sport {self.port} tcp flags & (syn | ack) == syn counter drop")
        load = self.crossing("peer", "--impair", "rule=drop:out:syn:1-2")
        wire.until(lambda: "10.99.0.1" in wire.sh("ip addr"), 10, "no tap")
        sock = self.socket(self.port)
        sock.setblocking(False)
        sock.connect_ex(("10.99.0.2", self.port))
        self.assertGreater(lost(), 0)
        self.sees("SYN-SENT")
        self.sees("ESTAB")
        sock.close()
        self.sees("TIME-WAIT")
        self.ended(load, {"CLOSE-WAIT", "LAST-ACK"})

    # ---- Both at once, and long silences ----

    def test_simultaneous_close(self):
        """Each side's FIN is on its way for a second. The kernel has to close within that second: a test that
        is late for it tries again."""
        for _ in range(4):
            serve = self.served("us", "--count", "1", "--impair", "delay=1s")
            sock = self.connect(self.port)
            time.sleep(1.5)  # our FIN left after one, and arrives after two
            early = wire.kernel_states(self.port) == ["ESTAB"]
            sock.close()
            if early and wire.kernel_states(self.port) == ["FIN-WAIT-1"]:
                self.sees("CLOSING")
                self.sees("TIME-WAIT")
                self.ended(serve, {"FIN-WAIT-1", "CLOSING", "TIME-WAIT"})
                return
            serve.close()
        self.fail("never in time")

    def test_half_closed_for_a_minute(self):
        """In either direction, a real one: 61 s are more than fin_timeout and 2MSL, ours and the kernel's. Only what
        nobody holds any more ends by them; text still flows afterwards."""
        ours = self.served("half", "--app", "echo", "--count", "1")
        sock = self.connect(self.port)
        sock.sendall(b"once")
        self.assertEqual(sock.recv(100), b"once")
        self.assertEqual(sock.recv(100), b"")
        self.sees("CLOSE-WAIT")
        time.sleep(3 if wire.BRIEF else 61)
        self.sees("CLOSE-WAIT")
        sock.sendall(bytes(100000))
        self.reads()
        sock.close()
        self.sees()
        self.ended(ours, {"FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"})

    def test_the_kernel_half_closed_for_a_minute(self):
        """The kernel's half-close is the same wait of ours in CLOSE-WAIT, in which no timer runs: three seconds
        stand for the minute."""
        serve = self.served("hold", "--app", "chargen", "--duration", "6s", "--drain", "20s")
        sock = self.connect(self.port)
        sock.shutdown(socket.SHUT_WR)
        self.sees("FIN-WAIT-2")
        time.sleep(3)
        self.sees("FIN-WAIT-2")
        while sock.recv(65536):
            pass
        sock.close()
        self.sees("TIME-WAIT")
        self.ended(serve, {"CLOSE-WAIT", "LAST-ACK"})

    # ---- Books ----

    def test_the_books_of_both_sides(self):
        """What the kernel counts of a load's connections, and of a serve's, is what ours say (HF-LG6)."""
        names = ("ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets")

        def kernel(before=None):
            now = [wire.snmp(name) for name in names]
            return now if before is None else [a - b for a, b in zip(now, before)]

        wire.nginx(self, self.port)
        for close, resets, waits in (("us", 0, 60), ("peer", 0, 0), ("rst", 60, 0)):
            before = kernel()
            books, report = self.load("--target", f"10.99.0.1:{self.port}", "--app", "http", "--count", "60",
                                      "--rate", "300/s", "--close", close)
            self.assertEqual((books["established"], books["closed"]), (60, 60))
            self.assertEqual(report["time_wait"]["entered"], waits)
            wire.until(lambda r=resets, b=before: kernel(b) == [0, 60, 0, r], 5, f"{close}: {kernel(before)}")
        before = kernel()
        serve = self.start("serve", "--listen", "10.99.0.2:80", "--app", "http")
        for _ in range(20):
            wire.sh("curl -sS -m 10 -o /dev/null http://10.99.0.2/")
        sock = self.connect(80)
        wire.abort(sock)
        self.assertEqual(kernel(before)[0], 21)
        report = serve.stop()
        books = self.balanced(serve, report)
        self.assertEqual(books["attempted"], 21)
        self.assertEqual(books["failed"]["reset"] + books["lost"]["reset"], 1)  # before or after it was established

    def test_text_after_our_close_draws_a_reset(self):
        load, sock = self.loaded("us")
        self.sees("CLOSE-WAIT")
        sock.sendall(b"too late")  # SHLD-3
        self.sees()
        load.wait(30)
        self.assertEqual(load.process.returncode, 0, load.said())


if __name__ == "__main__":
    wire.main("nft", "nginx", "curl")
