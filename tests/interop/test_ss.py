# SPDX-License-Identifier: BSD-3-Clause
"""`handfast ss` at our end and `ss -tan` at the kernel's, of the same connections, state by state: test_ss.py HANDFAST"""

import re
import socket
import subprocess
import sys

import wire

ROW = re.compile(r"(\S+) +(\d+) +(\d+) +(\S+) +(\S+)(.*)")


def ours(running, *args):
    """Of the instance, by the kernel's end: state, Recv-Q, Send-Q, the rest of the line."""
    ran = subprocess.run([sys.argv[1], "ss", "-Htano", "--pid", str(running.process.pid), *args], capture_output=True,
                         text=True, timeout=30, check=True)
    rows = [ROW.fullmatch(line) for line in ran.stdout.splitlines()]
    return {row[5]: (row[1], int(row[2]), int(row[3]), row[6]) for row in rows if row[1] != "LISTEN"}


def kernels(port):
    """The kernel's, by its own end."""
    rows = [ROW.fullmatch(line) for line in wire.sh("ss -Htan").splitlines()]
    return {row[4]: (row[1], int(row[2]), int(row[3])) for row in rows
            if row[1] != "LISTEN" and row[5].rstrip().endswith(f":{port}")}


class Both(wire.Test):
    port = 7600

    def setUp(self):
        Both.port += 1

    def serve(self, *args):
        return self.start("serve", "--listen", f"0.0.0.0:{self.port},[::]:{self.port}", "--duration", "100s", *args)

    def agree(self, serve, *wanted):
        """Both sides list the same connections, in these states: (kernel's, ours)..."""
        def pairs():
            mine, theirs = ours(serve), kernels(self.port)
            return sorted((theirs.get(end, ["none"])[0], mine.get(end, ["none"])[0]) for end in {*mine, *theirs})
        try:
            wire.until(lambda: pairs() == sorted(wanted))
        except AssertionError:
            self.assertEqual(pairs(), sorted(wanted))

    def test_open_and_half_closed_by_the_kernel(self):
        serve = self.serve("--close", "hold")
        socks = [self.connect(self.port, version) for version in (4, 6)]
        self.agree(serve, ("ESTAB", "ESTAB"), ("ESTAB", "ESTAB"))
        socks[0].shutdown(1)
        self.agree(serve, ("FIN-WAIT-2", "CLOSE-WAIT"), ("ESTAB", "ESTAB"))
        leak = ours(serve, "state", "close-wait")
        self.assertEqual(len(leak), 1)
        self.assertRegex(list(leak.values())[0][3], r"never-closed:\(\d")

    def test_closed_by_us(self):
        serve = self.serve("--close", "us")
        sock = self.connect(self.port)
        self.agree(serve, ("CLOSE-WAIT", "FIN-WAIT-2"))
        self.assertRegex(list(ours(serve).values())[0][3], r"timer:\(timewait,\d+(sec|min)")
        sock.close()
        self.agree(serve, ("none", "TIME-WAIT"))

    def test_closed_by_the_kernel(self):
        serve = self.serve("--close", "peer")
        sock = self.connect(self.port)
        self.agree(serve, ("ESTAB", "ESTAB"))
        sock.close()
        self.agree(serve, ("TIME-WAIT", "none"))

    def test_handshake_and_close_without_answers(self):
        serve = self.serve("--close", "hold")
        sock = self.connect(self.port)
        self.agree(serve, ("ESTAB", "ESTAB"))
        wire.sh("nft add table inet t; nft 'add chain inet t in { type filter hook input priority 0; }'; "
                f"nft add rule inet t in tcp sport {self.port} drop")
        self.addCleanup(wire.sh, "nft delete table inet t")
        half = socket.socket()
        self.addCleanup(half.close)
        half.setblocking(False)
        half.connect_ex((wire.OURS[4], self.port))
        self.agree(serve, ("ESTAB", "ESTAB"), ("SYN-SENT", "SYN-RECV"))
        sock.close()
        self.agree(serve, ("FIN-WAIT-1", "CLOSE-WAIT"), ("SYN-SENT", "SYN-RECV"))

    def test_queues_of_a_reader_that_sleeps(self):
        serve = self.serve("--app", "chargen", "--close", "peer")
        sock = self.connect(self.port)
        wire.until(lambda: "timer:(persist" in str(ours(serve)), 30, "our side is never stopped by the window")
        self.agree(serve, ("ESTAB", "ESTAB"))
        mine, theirs = list(ours(serve).values())[0], list(kernels(self.port).values())[0]
        self.assertGreater(mine[2], 0)  # Send-Q here, Recv-Q there
        self.assertGreater(theirs[1], 0)
        wire.abort(sock)

    def test_listeners(self):
        serve = self.serve("--close", "hold")
        ran = subprocess.run([sys.argv[1], "ss", "-Hl", "--pid", str(serve.process.pid)], capture_output=True,
                             text=True, timeout=30, check=True)
        self.assertEqual(sorted(line.split()[3:5] for line in ran.stdout.splitlines()),
                         [[f"0.0.0.0:{self.port}", "0.0.0.0:*"], [f"[::]:{self.port}", "[::]:*"]])

    def test_load_closes_first(self):
        listener = self.listener(self.port)
        load = self.start("load", "--target", f"10.99.0.1:{self.port}", "--count", "1", "--close", "us")
        sock, _ = listener.accept()
        self.addCleanup(sock.close)
        wire.until(lambda: [row[0] for row in ours(load).values()] == ["FIN-WAIT-2"], 10, "no FIN-WAIT-2")
        self.assertEqual(wire.kernel_states(self.port), ["CLOSE-WAIT"])


if __name__ == "__main__":
    wire.main("nft")
