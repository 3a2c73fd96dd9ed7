# SPDX-License-Identifier: BSD-3-Clause
"""--record and --record-filter of a run: test_record.py HANDFAST"""

import json
import re
import subprocess
import sys
import unittest

HANDFAST = sys.argv[1]
STAMP = re.compile(r"\d\d:\d\d:\d\d\.\d{6} ")
CLIENT, SERVER = r"198\.18\.0\.\d+\.\d+", r"198\.19\.0\.1\.80"
OUT, IN = f"IP {CLIENT} > {SERVER}: ", f"IP {SERVER} > {CLIENT}: "


def pair(*args):
    return subprocess.run([HANDFAST, "pair", "--concurrency", "1", *args], capture_output=True, text=True, timeout=120,
                          check=False)


def recordings(text):
    """(the end, the lines without stamp and number) of each connection"""
    found = []
    for block in re.split(r"\n(?=recorded #)", text)[1:]:
        head, *lines = block.split("\n\n")[0].splitlines()
        number, end = re.match(r"recorded #(\d+) of (client|server): ", head).groups()
        for line in lines:
            assert STAMP.match(line) and line.endswith(f"  #{number}"), line
        found.append((end, [STAMP.sub("", line).rsplit("  #", 1)[0] for line in lines]))
    return found


class Record(unittest.TestCase):
    def assert_lines(self, lines, patterns):
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, f"^{pattern}$", lines)
        self.assertEqual(len(lines), len(patterns), lines)

    def test_give_up(self):
        syn = OUT + r"Flags \[S\], seq \d+, win 65535, length 0"
        ran = pair("--count", "2", "-q", "--record", "8", "--set", "tcp.syn_retries=1", "--set", "tcp.rto_initial=200ms",
                   "--impair", "rule=drop:out:syn:1-2")
        found = recordings(ran.stdout)
        self.assertEqual([end for end, _ in found], ["client"], ran)
        self.assert_lines(found[0][1], ["call connect", "state CLOSED > SYN-SENT", syn, syn, "state SYN-SENT > CLOSED",
                                        "end Connection timed out"])

    def test_reset(self):
        args = "--count", "1", "-q", "--record", "8", "--close", "rst"
        ran = pair(*args)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual([end for end, _ in recordings(ran.stdout)], ["server"])  # the client has wanted it so
        client, server = recordings(pair(*args, "--record-filter", "sport = 80 or dport = 80").stdout)
        self.assertEqual((client[0], server[0]), ("client", "server"))
        self.assert_lines(client[1], [
            "call connect", "state CLOSED > SYN-SENT", OUT + r"Flags \[S\], seq \d+, win \d+, length 0",
            IN + r"Flags \[S\.\], seq \d+, ack \d+, win \d+, length 0", "state SYN-SENT > ESTABLISHED",
            OUT + r"Flags \[\.\], ack 1, win \d+, length 0", "call abort",
            OUT + r"Flags \[R\.\], seq 1, ack 1, win \d+, length 0", "state ESTABLISHED > CLOSED",
            "end Software caused connection abort"])
        self.assertEqual(server[1][-2:], ["state ESTABLISHED > CLOSED", "end Connection reset by peer"])

    def test_filter_takes_those_that_end_in_order(self):
        args = "--count", "1", "-q", "--app", "rr", "--record", "8"
        self.assertEqual(pair(*args).stdout, "")
        for words, ends in (("dport = 80", ["client"]), ("dport = 81", []), ("sport = 80 or dport = 80", ["client", "server"]),
                            ("dst 198.18.0.0/16 and sport = 80", ["server"])):
            found = recordings(pair(*args, "--record-filter", words).stdout)
            self.assertEqual([end for end, _ in found], ends, words)
            for end, lines in found:
                self.assertIn("call send", lines)
                self.assertRegex("\n".join(lines), r"seq 1:2, ack [12], win \d+, length 1")
                if end == "client":
                    self.assertIn("state LAST-ACK > CLOSED", lines[-2:])  # and a RST, to what is sent again

    def test_json_has_stdout_to_itself(self):
        ran = pair("--count", "1", "--close", "rst", "--record", "1", "--json", "-")
        json.loads(ran.stdout)
        self.assertEqual(len(recordings(ran.stderr)), 1)

    def test_more_than_places(self):
        ran = pair("--count", "20", "-q", "--close", "rst", "--record", "4")
        self.assertLess(len(recordings(ran.stdout)), 40)
        self.assertIn("more connections were there than --record 4 has places for", ran.stdout)

    def test_bad_input(self):
        for args, said in ((["--record-filter", "dport = 80"], "--record-filter: how many connections"),
                           (["--record", "1", "--record-filter", "dport is 80"], "--record-filter: "),
                           (["--record", "1", "--record-filter", "state listening"], "leave out state"),
                           (["--record", "0"], "--record")):
            ran = pair("--count", "1", *args)
            self.assertEqual((ran.returncode, ran.stdout, ran.stderr.count("\n")), (2, "", 1), ran)
            self.assertIn(said, ran.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
