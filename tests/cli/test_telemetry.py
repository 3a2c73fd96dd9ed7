# SPDX-License-Identifier: BSD-3-Clause
"""What a running instance tells other processes (docs/telemetry.md): test_telemetry.py HANDFAST"""

import os
import re
import stat
import sys
import unittest
from pathlib import Path

from instance import UID, Instance, until

HANDFAST = sys.argv[1]
DOCS = Path(__file__).resolve().parents[2] / "docs"
SMALL = ["--client-ports", "1024-9999", "--set", "tcp.max_tw_buckets=1Mi", "-q", "--duration", "60s"]


class Telemetry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.instance = Instance(HANDFAST, "pair", *SMALL, "--concurrency", "500",
                                "--impair", "rule=drop:out:fin", "--drain", "1s")
        cls.workers = cls.instance.workers()
        until(lambda: cls.instance.ask("/handfast/states")[0]["established_now"] == 500)

    @classmethod
    def tearDownClass(cls):
        cls.status = cls.instance.stop()
        assert cls.status[0] == 0, cls.status

    def page(self, worker, *params, command="connections"):
        text = ",".join(str(word) for word in (f"/handfast/{command}", worker, *params))
        answer, octets = self.instance.ask(text)
        self.assertLessEqual(octets, 16384)
        self.assertLessEqual(len(answer), 256)
        return answer

    def pages(self, worker, *params):
        rows, cursor, count = [], 0, 0
        while cursor is not None:
            page = self.page(worker, cursor, *params)
            cursor = page.pop("next", None)
            rows += page.values()
            count += 1
        return rows, count

    def test_commands_are_documented(self):
        listed = [name for name in self.instance.ask("/")[0] if name.startswith("/handfast/")]
        documented = re.findall(r"^\| `(/handfast/\w+)`", (DOCS / "telemetry.md").read_text(encoding="utf-8"), re.M)
        self.assertEqual(sorted(listed), sorted(documented))
        for name in listed:
            self.assertRegex(self.instance.ask(f"/help,{name}")[0][name], "Parameters|parameters")

    def test_counters_are_documented(self):
        """HF-CT2"""
        counters = self.instance.ask("/handfast/counters")[0]
        documented = re.findall(r"^\| `(\w+)`", (DOCS / "counters.md").read_text(encoding="utf-8"), re.M)
        self.assertEqual(sorted(counters), sorted(documented))
        self.assertEqual(counters["active_attempted"], 500)
        each = [self.instance.ask(f"/handfast/counters,{number}")[0] for number in self.workers.values()]
        self.assertEqual(sum(one["active_attempted"] for one in each), 500)

    def test_levels_and_report(self):
        levels = self.instance.ask("/handfast/levels")[0]
        self.assertEqual(levels["connections_used"], 1000)
        self.assertEqual((levels["buckets_used"], levels["oldest_wait_ms"], levels["shut_windows"]), (0, 0, 0))
        report = self.instance.ask("/handfast/report")[0]
        self.assertEqual([report["client_established"], report["server_accepted"]], [500, 500])

    def test_connections_in_pages(self):
        rows, count = self.pages(self.workers["client0"])
        self.assertEqual(len({row["local"] for row in rows}), 500)
        self.assertEqual(len(rows), 500)
        self.assertGreater(count, 7)
        self.assertEqual({row["state"] for row in rows}, {"FIN-WAIT-1"})

    def test_brief(self):
        """The same entries as in full, more of them in a page."""
        full = {(row["local"], row["peer"]) for row in self.pages(self.workers["client0"])[0]}
        rows, cursor, count = [], 0, 0
        while cursor is not None:
            page = self.page(self.workers["client0"], cursor, "brief", "state=FIN-WAIT-1")
            cursor = page.get("next")
            rows += page["rows"]
            count += 1
        self.assertEqual(count, 2)
        found = set()
        for row in rows:
            local, peer, state, recv_q, send_q, timer, timer_ms, _, leak = row.split()
            self.assertEqual((state, recv_q, send_q, timer, leak), ("5", "0", "1", "1", "0"))
            self.assertLess(0, int(timer_ms, 16))
            found.add(tuple(".".join(str(octet) for octet in bytes.fromhex(end[:8])) + f":{int(end[9:], 16)}"
                            for end in (local, peer)))
        self.assertEqual(found, full)

    def test_filters(self):
        client = self.workers["client0"]
        some = self.page(client)["0"]
        address, port = some["local"].split(":")
        for params, want in ((["state=fin-wait-1"], 500), (["state=time-wait"], 0),
                             (["state=time-wait", "state=Fin-Wait-1"], 500), ([f"local={address}/32"], None),
                             (["local=198.18.0.0/15", "peer_port=80"], 500), (["peer_port=81-90"], 0),
                             ([f"local={address}", f"local_port={port}"], 1), (["local=2001:db8::/32"], 0)):
            rows, _ = self.pages(client, *params)
            self.assertTrue(len(rows) == want or (want is None and rows), (params, len(rows)))
        self.assertEqual(self.page(self.workers["server0"], command="listeners")["0"]["local"], "198.19.0.1:80")

    def test_wrong_parameters(self):
        for text in ("connections", "connections,9", "connections,x", "counters,77", "listeners,",
                     "connections,0,state=OPEN", "connections,0,peer=here", "connections,0,peer=10.0.0.1:80",
                     "connections,0,local_port=9-1", "connections,0,local_port=70000", "connections,0,-1",
                     "connections,0," + "x" * 500):
            answer = self.instance.ask(f"/handfast/{text}")[0]
            self.assertEqual(list(answer), ["error"], text)
        self.assertEqual(self.page(0, (1 << 64) - 1), {})

    def test_rights_and_secrets(self):
        """SEC-37, MUST-9"""
        path = self.instance.sockets()[0]
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)
        self.assertEqual(path.stat().st_uid, UID)
        names = set()
        for row in self.page(self.workers["client0"]).values():
            names |= set(row) if isinstance(row, dict) else set()
        for command in ("info", "report", "levels"):
            names |= set(self.instance.ask(f"/handfast/{command}")[0])
        for name in names:
            self.assertNotRegex(name, r"(^|_)(seed|secret|key|iss|irs|seq|una|nxt|offset)($|_)")


class Directory(unittest.TestCase):
    def test_private_without_xdg_runtime_dir(self):
        run = Instance(HANDFAST, "--file-prefix", f"hf{os.getpid()}", "--", "pair", *SMALL, "--concurrency", "4",
                       unset=["XDG_RUNTIME_DIR"])
        try:
            path = Path(f"/tmp/handfast-{UID}/dpdk/hf{os.getpid()}/dpdk_telemetry.v2")
            until(path.exists, what="no socket in the private directory")
            self.assertEqual(stat.S_IMODE(path.parents[2].stat().st_mode), 0o700)
            self.assertEqual(path.parents[2].stat().st_uid, UID)
            until(lambda: stat.S_IMODE(path.stat().st_mode) == 0o600)
        finally:
            status = run.stop()
        self.assertEqual(status[0], 0, status)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
