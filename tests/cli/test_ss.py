# SPDX-License-Identifier: BSD-3-Clause
"""`handfast ss` beside a running instance, as a user without rights: test_ss.py HANDFAST"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from instance import Instance, until

HANDFAST = sys.argv[1]
SMALL = ["--client-ports", "1024-9999", "--set", "tcp.max_tw_buckets=1Mi", "-q", "--duration", "1h"]
LINE = re.compile(r"(\S+) +(\d+) +(\d+) +(\S+):(\d+) +(\S+):(\d+|\*)(.*)")


class Held(unittest.TestCase):
    """500 connections whose FINs are lost: FIN-WAIT-1 at the client, ESTABLISHED at the server."""

    @classmethod
    def setUpClass(cls):
        cls.instance = Instance(HANDFAST, "pair", *SMALL, "--concurrency", "500", "--drain", "1s",
                                "--impair", "rule=drop:out:fin", "--set", "tcp.orphan_retries=255")
        cls.instance.workers()
        until(lambda: cls.instance.ask("/handfast/states")[0]["fin_wait_1_now"] == 500)
        # the handshakes' last ACKs were on the FINs: more come when the SYN-ACKs are repeated
        until(lambda: cls.instance.ask("/handfast/states")[0]["established_now"] == 500)

    @classmethod
    def tearDownClass(cls):
        status = cls.instance.stop()
        assert status[0] == 0, status

    def ss(self, *args, status=0):
        ran = self.instance.run("ss", *args)
        self.assertEqual(ran.returncode, status, ran.stderr)
        return ran.stdout

    def lines(self, *args):
        rows = [LINE.fullmatch(line) for line in self.ss("-H", *args).splitlines()]
        self.assertTrue(all(rows), rows)
        return rows

    def test_states(self):
        for args, wanted in (([], {"ESTAB": 500, "FIN-WAIT-1": 500}), (["state", "established"], {"ESTAB": 500}),
                             (["-a"], {"ESTAB": 500, "FIN-WAIT-1": 500, "LISTEN": 1}), (["-l"], {"LISTEN": 1}),
                             (["exclude", "established"], {"FIN-WAIT-1": 500}), (["state", "time-wait"], {})):
            rows = [row[1] for row in self.lines(*args)]
            self.assertEqual({state: rows.count(state) for state in set(rows)}, wanted, args)

    def test_addresses(self):
        some = self.lines("dport", "=", ":80")[7]
        address, port = some[4], some[5]
        self.assertEqual(len(self.lines("src", f"{address}:{port}")), 1)
        self.assertEqual(len(self.lines("( src", f"{address}", "and sport", "=", f":{port} ) or dst",
                                        f"{address}:{port}")), 2)
        self.assertEqual(len(self.lines("dst", "198.19.0.0/16")), 500)
        self.assertEqual(self.lines("-6"), [])
        header = self.ss("-o", "sport", "=", ":1").splitlines()
        self.assertEqual(len(header), 1)
        self.assertRegex(header[0], r"^State +Recv-Q +Send-Q +Local Address:Port +Peer Address:Port Timer$")

    def test_timers_and_details(self):
        for row in self.lines("-tano", "state", "fin-wait-1"):
            self.assertEqual((row[2], row[3]), ("0", "1"))  # the FIN is not acknowledged
            self.assertRegex(row[8], r"^ timer:\(on,\d[\d.a-z]*,\d+\)$")
        details = self.ss("-Hi", "state", "established").splitlines()
        self.assertEqual(len(details), 1000)
        for line in details[1::2]:
            self.assertRegex(line, r"^\t ts sack wscale:\d,\d.* mss:1448 cwnd:\d+")

    def test_json(self):
        entries = json.loads(self.ss("--json", "state", "established"))
        self.assertEqual(len(entries), 500)
        self.assertEqual({entry["worker"] for entry in entries}, {"server0"})

    def test_summary(self):
        text = self.ss("--summary")
        self.assertRegex(text, r"TCP: +1000 \(estab 500, synsent 0, synrecv 0, finwait 500, closewait 0")
        self.assertRegex(text, r"connections +1000 ")
        self.assertEqual(json.loads(self.ss("-s", "-j"))["states"]["established_now"], 500)

    def test_which_instance(self):
        self.assertEqual(len(self.ss("--pid", str(self.instance.pid)).splitlines()), 1001)
        other = Instance(HANDFAST, "--file-prefix", "other", "--", "pair", *SMALL, "--concurrency", "1")
        try:
            other.workers()
            env = {**other.env, "RUNTIME_DIRECTORY": str(self.instance.home)}
            ran = other.run("ss", env=env)
            self.assertEqual(ran.returncode, 2)
            self.assertRegex(ran.stderr, rf"choose one by --pid: .*{self.instance.pid} \(pair, rte\)")
            ran = other.run("ss", "-H", "--file-prefix", "rte", env=env)
            self.assertEqual(len(ran.stdout.splitlines()), 1000, ran.stderr)
        finally:
            self.assertEqual(other.stop()[0], 0)

    def test_wrong(self):
        for args in (["--bogus"], ["--pid", "x"], ["--pid"], ["state", "open"], ["dst"], ["sport = :80 or"]):
            ran = self.instance.run("ss", *args)
            self.assertEqual(ran.returncode, 2, args)
            self.assertRegex(ran.stderr, r"^handfast: ss: .*\n$")
            self.assertEqual(ran.stdout, "")
        for args, says in ((["--all", "-zl"], "'-z' is no option"), (["--pid"], "--pid: a value must follow"),
                           (["--json=3"], "'--json=3' is no option"), (["--bogus"], "'--bogus' is no option")):
            self.assertIn(f"ss: {says}", self.instance.run("ss", *args).stderr)
        for args in (["--pid", "1"], ["--file-prefix", "nobody"]):
            ran = self.instance.run("ss", *args)
            self.assertEqual(ran.returncode, 3, args)
            self.assertRegex(ran.stderr, r"^handfast: ss: .*\n$")
        self.assertIn("state STATE", self.ss("--help"))


class Busy(unittest.TestCase):
    def test_summary_under_load(self):
        instance = Instance(HANDFAST, "pair", *SMALL)
        try:
            instance.workers()
            until(lambda: instance.ask("/handfast/states")[0]["time_wait_now"] > 1000)
            for _ in range(5):
                ran = instance.run("ss", "--summary")
                self.assertEqual(ran.returncode, 0, ran.stderr)
                self.assertRegex(ran.stdout, r"timewait [1-9]")
            ran = instance.run("ss", "-H", "-o", "state", "time-wait", "src", "198.18.0.0/28", "sport", "=", ":2048")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            for line in ran.stdout.splitlines():
                self.assertRegex(line, r"^TIME-WAIT +0 +0 +198.18.0.\d+:2048 +198.19.0.1:80 timer:\(timewait,\S+,0\)$")
        finally:
            status = instance.stop()
        self.assertEqual(status[0], 0, status)  # its books balance


class Asked(unittest.TestCase):
    """The test listens where an instance would."""

    def ask(self, *args):
        """@return ss, and the socket on which it asks"""
        instance = Instance(HANDFAST, "--version")
        self.addCleanup(instance.stop)
        place = instance.home / "dpdk/rte/dpdk_telemetry.v2"
        place.parent.mkdir(parents=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(listener.close)
        listener.bind(str(place))
        place.chmod(0o777)
        listener.listen()
        listener.settimeout(20)
        ss = subprocess.Popen(instance.command("ss", "-H", *args), env=instance.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.addCleanup(ss.communicate)
        self.addCleanup(ss.kill)
        asked, _ = listener.accept()
        self.addCleanup(asked.close)
        return ss, asked

    def test_no_answer(self):
        for args, says in ((), f"process {os.getpid()} does not answer"), (("--pid", "1"), "process 1 is no handfast"):
            ss, asked = self.ask(*args)
            asked.close()
            out, err = ss.communicate(timeout=20)
            self.assertEqual((ss.returncode, out, err.count("\n")), (3, "", 1), err)
            self.assertIn(says, err)

    def test_answers_are_waited_for_on(self):
        """Stopped and continued, as by the shell, it waits on; a terminal that changes its size does the same to top."""
        ss, asked = self.ask()

        def state_is(wanted):
            return re.search(r"\) (\S)", Path(f"/proc/{ss.pid}/stat").read_text(encoding="ascii"))[1] == wanted

        for answer in [{"version": "", "pid": 1}] + 2 * [{"/handfast/info": {"command": "pair", "workers": {}}}]:
            if "pid" not in answer:
                self.assertEqual(asked.recv(1024), b"/handfast/info")
            until(lambda: state_is("S"), what="it does not wait")
            ss.send_signal(signal.SIGSTOP)
            until(lambda: state_is("T"), what="it is not stopped")
            ss.send_signal(signal.SIGCONT)
            asked.send(json.dumps(answer).encode())
        self.assertEqual((ss.communicate(timeout=20), ss.returncode), (("", ""), 0))


class Nobody(unittest.TestCase):
    def test_none_runs(self):
        instance = Instance(HANDFAST, "--version", unset=["XDG_RUNTIME_DIR"])
        instance.process.wait()
        env = {**instance.env, "XDG_RUNTIME_DIR": str(instance.home)}
        ran = instance.run("ss", "--file-prefix", f"none{os.getpid()}", env=env)
        self.assertEqual(ran.returncode, 3)
        self.assertRegex(ran.stderr, r"^handfast: ss: no handfast with --file-prefix none\d+ of this user runs: .*\n$")
        instance.stop()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
