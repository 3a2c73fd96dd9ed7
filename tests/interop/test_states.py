# SPDX-License-Identifier: BSD-3-Clause
"""What `ss` says at the kernel's end while connections of handfast's end, in every order: test_states.py HANDFAST"""

import socket
import unittest

import wire


class States(wire.Test):
    port = 7000

    def setUp(self):
        States.port += 1  # the kernel's TIME-WAIT of one test is not to be seen by the next

    def sees(self, *states):
        """The kernel's connections are in these states, all of them."""
        wanted = sorted(states)
        wire.until(lambda: sorted(wire.kernel_states(self.port)) == wanted, 10,
                   f"{wire.kernel_states(self.port)} rather than {wanted}")

    def served(self, close, *more):
        return self.start("serve", "--listen", f"0.0.0.0:{self.port},[::]:{self.port}", "--close", close, *more)

    def loaded(self, close, *more):
        """A load of one connection, and the kernel's socket of it."""
        listener = self.listener(self.port)
        load = self.start("load", "--target", f"10.99.0.1:{self.port}", "--count", "1", "--close", close, *more)
        sock, _ = listener.accept()
        sock.settimeout(10)
        self.addCleanup(sock.close)
        return load, sock

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
        wire.until(lambda: " 0      0 " in wire.sh(f"ss -Htan dport = :{self.port}"), 10, "it does not read")
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
        serve = self.served("hold", "--count", "1")
        sock = self.connect(self.port)
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

    def test_text_after_our_close_draws_a_reset(self):
        load, sock = self.loaded("us")
        self.sees("CLOSE-WAIT")
        sock.sendall(b"too late")  # SHLD-3
        self.sees()
        load.wait(30)
        self.assertEqual(load.process.returncode, 0, load.said())


if __name__ == "__main__":
    wire.main()
