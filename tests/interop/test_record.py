# SPDX-License-Identifier: BSD-3-Clause
"""serve and load with --record against the kernel: what led to a reset, a give-up, a refusal: test_record.py HANDFAST"""

import re
import socket
import struct
import unittest

import wire

STAMP = re.compile(r"^\d\d:\d\d:\d\d\.\d{6} ", re.MULTILINE)


def recordings(text):
    """The lines of each, without stamp, window and number."""
    found = []
    for block in re.split(r"^(?=recorded #)", text, flags=re.MULTILINE)[1:]:
        lines = block.split("\n\n")[0].splitlines()[1:]
        found.append([re.sub(r", win .*|  #\d+$", "", STAMP.sub("", line)) for line in lines])
    return found


class Record(wire.Test):
    def serve(self, port, *args):
        return self.start("serve", "--listen", f"0.0.0.0:{port}", "--record", "16", "--duration", "100s", *args)

    def test_serve_reset_by_the_kernel(self):
        serve = self.serve(7000, "--close", "peer")
        wire.abort(self.connect(7000))
        self.connect(7000).close()  # in order: not kept
        wire.until(lambda: wire.kernel_states(7000) == ["TIME-WAIT"])
        serve.stop()
        found = recordings(serve.said())
        self.assertEqual(len(found), 1, serve.said())
        there, here = r"IP 10.99.0.1.\d+ > 10.99.0.2.7000: ", r"IP 10.99.0.2.7000 > 10.99.0.1.\d+: "
        wanted = [there + r"Flags \[S\], seq \d+", "state CLOSED > SYN-RECEIVED",
                  here + r"Flags \[S\.\], seq \d+, ack \d+", there + r"Flags \[\.\], ack 1",
                  "state SYN-RECEIVED > ESTABLISHED", there + r"Flags \[R\.\], seq 1, ack 1",
                  "state ESTABLISHED > CLOSED", "end Connection reset by peer"]
        lines = [line for line in found[0] if line != "call accept"]  # the RST may have been faster
        for line, pattern in zip(lines, wanted):
            self.assertRegex(line, f"^{pattern}$", lines)
        self.assertEqual(len(lines), len(wanted), lines)

    def test_numbers_count_from_the_syn_that_was_taken(self):
        serve = self.serve(7000, "--close", "peer")
        sock = self.connect(7000)
        wire.until(lambda: "ESTAB" in wire.kernel_states(7000))
        self.send_syn(sock, 1234567890)
        wire.abort(sock)
        serve.stop()
        found = recordings(serve.said())
        self.assertEqual(len(found), 1, serve.said())
        self.assertIn("Flags [S], seq 1234567890", "\n".join(found[0]))
        self.assertRegex("\n".join(found[0]), r"Flags \[R\.\], seq 1, ack 1\n")

    @staticmethod
    def send_syn(sock, seq):
        """One that is none of the connection's, though between its ends."""
        ends = sock.getsockname(), sock.getpeername()
        header = struct.pack("!HHIIHH", ends[0][1], ends[1][1], seq, 0, 0x5002, 1000)
        summed = b"".join(socket.inet_aton(end[0]) for end in ends) + struct.pack("!HH", 6, len(header) + 4) + header
        total = sum(struct.unpack(f"!{len(summed) // 2}H", summed))
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
            raw.sendto(header + struct.pack("!HH", ~total & 0xffff, 0), (ends[1][0], 0))

    def test_serve_by_filter(self):
        serve = self.serve(7001, "--close", "peer", "--record-filter", "sport = :7001 and dst 10.99.0.1")
        self.connect(7001).close()
        wire.until(lambda: wire.kernel_states(7001) == ["TIME-WAIT"])
        serve.stop()
        found = recordings(serve.said())
        self.assertEqual(len(found), 1, serve.said())
        states = [line for line in found[0] if line.startswith("state")]
        self.assertEqual(states, ["state CLOSED > SYN-RECEIVED", "state SYN-RECEIVED > ESTABLISHED",
                                  "state ESTABLISHED > CLOSE-WAIT", "state CLOSE-WAIT > LAST-ACK",
                                  "state LAST-ACK > CLOSED"])

    def test_load_refused(self):
        running = self.start("load", "--target", "10.99.0.1:7000", "--count", "1", "--record", "4")
        running.wait()
        found = recordings(running.said())
        self.assertEqual(len(found), 1, running.said())
        self.assertEqual(found[0][0:2], ["call connect", "state CLOSED > SYN-SENT"])
        self.assertRegex(found[0][2], r"Flags \[S\]")
        self.assertRegex(found[0][3], r"Flags \[R\.\], seq 0")
        self.assertEqual(found[0][4:], ["state SYN-SENT > CLOSED", "end Connection refused"])

    def test_load_gives_up(self):
        wire.sh("nft add table inet t; nft 'add chain inet t in { type filter hook input priority 0; }'; "
                "nft add rule inet t in tcp dport 7000 drop")
        self.addCleanup(wire.sh, "nft delete table inet t")
        running = self.start("load", "--target", "10.99.0.1:7000", "--count", "1", "--record", "4",
                             "--set", "tcp.syn_retries=1", "--set", "tcp.rto_initial=200ms")
        running.wait()
        found = recordings(running.said())
        self.assertEqual(len(found), 1, running.said())
        self.assertEqual([line for line in found[0] if "Flags" not in line],
                         ["call connect", "state CLOSED > SYN-SENT", "state SYN-SENT > CLOSED",
                          "end Connection timed out"])
        self.assertEqual(sum("Flags [S]" in line for line in found[0]), 2)


if __name__ == "__main__":
    wire.main("nft")
