# SPDX-License-Identifier: BSD-3-Clause
"""`handfast pair` end to end, as a user without rights: test_pair.py HANDFAST"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import jsonschema

HANDFAST = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8")))
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
SMALL = ["--client-ports", "1024-9999", "--set", "tcp.max_tw_buckets=1Mi"]  # T = 574464
FIRST = str(min(os.sched_getaffinity(0)))
LAYOUTS = ["split", "local"] if len(os.sched_getaffinity(0)) > 1 else ["local"]


def command(*args):
    return (NOBODY if os.geteuid() == 0 else []) + [HANDFAST, "pair", *args]


def run(*args):
    return subprocess.run(command(*args), capture_output=True, text=True, timeout=100, check=False, cwd="/")


class Pair(unittest.TestCase):
    def report(self, *args, status=0):
        ran = run("--json", "-", "--verify", *args)
        self.assertEqual(ran.returncode, status, (args, ran.stderr))
        report = json.loads(ran.stdout)
        errors = [error.message for error in SCHEMA.iter_errors(report)]
        self.assertEqual(errors, [], args)
        if status == 0:
            self.balanced(report, args)
        return report

    def balanced(self, report, args):
        for end, begun in (("client", "established"), ("server", "accepted")):
            books = report["ends"][end]
            self.assertEqual(books[begun], books["closed"] + sum(books["lost"].values()) + books["open"], args)
        client = report["connections"]
        self.assertEqual(client["attempted"],
                         client["established"] + sum(client["failed"].values()) + client["opening"], args)
        self.assertEqual(client["open"] + client["opening"], 0, args)
        self.assertEqual(report["leaks"], {"mbufs": 0, "connections": 0, "timers": 0}, args)
        self.assertEqual(report["problems"], [], args)
        waits = report["time_wait"]
        self.assertEqual(waits["evicted"] + waits["overflow"], 0, args)
        self.assertEqual(waits["entered"], waits["expired"] + waits["reused_active"] + waits["reused_passive"] +
                         waits["evicted"] + waits["resident"], args)

    def test_thresholds(self):
        """What a figure of the report, or the sum of an object of them, must be at least or at most."""
        count = ("--count", "1000", "--duration", "20s", "-q", *SMALL)
        met = run(*count, "--threshold", "connections.established>=1k, connections.failed<=0")
        self.assertEqual((met.returncode, met.stderr), (0, ""))
        for missed, says in (("connections.closed>=1001", "connections.closed is 1000, less than 1001"),
                             ("states.TIME-WAIT.entered<=0.5k", "states.TIME-WAIT.entered is 1000, more than 500"),
                             ("ends.client.frobs>=0", "the report has no figure ends.client.frobs; --json - shows all")):
            ran = run(*count, "--threshold", f"connections.established>=1k,{missed}")
            self.assertEqual((ran.returncode, ran.stderr), (99, f"handfast: threshold: {says}\n"))
        for figure in "p99<=1k", "max>=0":  # its 0 is nobody's
            ran = run(*count, "--warmup", "60s", "--threshold", f"latency_us.connect.count<=0,latency_us.connect.{figure}")
            says = f"handfast: threshold: latency_us.connect.{figure[:3]}: nothing was measured\n"
            self.assertEqual((ran.returncode, ran.stderr), (99, says))
        broken = run(*count, "--threshold", "connections.closed>=1001", "--break-books", "client.closed")
        self.assertEqual(broken.returncode, 1, broken.stderr)
        for wrong in ("rate", "rate>1", "rate=>1", ">=1", "rate>=", "rate>=1x", "rate>=0x10", "rate>=0X1k", "rate>=1,,", "rate>=1;lost<=1", "a" * 100 + ">=1"):
            ran = run("--threshold", wrong)
            self.assertEqual(ran.returncode, 2, wrong)
            self.assertIn("give FIGURE>=NUMBER or FIGURE<=NUMBER", ran.stderr)

    def test_what_the_tuples_carry_at_most(self):
        for more, says in (((), "4,124,643 connections/s at most: a tuple is reused after 1,001 ms"),
                           (("-c", str(ROOT / "config/pair-strict.yaml")),
                            "17,203 connections/s at most: a tuple is free after 240,000 ms"),
                           (("--set", "tcp.timestamps=false"), "68,812 connections/s at most: a tuple is free after 60,000 ms")):
            self.assertIn(f" {says}\n", run("--count", "3", *more).stdout)

    def test_every_app_close_layout_and_version(self):  # HF-LG6
        for app in ("none", "rr"):
            for close in ("client", "server", "both", "rst"):
                for layout in LAYOUTS:
                    for version in ([], ["--ipv6"]):
                        args = [*SMALL, *version, "--app", app, "--close", close, "--layout", layout,
                                "--rate", "20k/s", "--count", "4000", "--request", "70", "--response", "700"]
                        report = self.report(*args)
                        opened = report["connections"]
                        self.assertEqual(sum(opened["failed"].values()) + sum(opened["lost"].values()), 0, args)
                        self.assertEqual((opened["attempted"], opened["closed"]), (4000, 4000), args)
                        waits = report["time_wait"]["entered"]
                        if close == "rst":
                            self.assertEqual(waits, 0, args)
                        elif close == "both":
                            self.assertGreaterEqual(waits, opened["closed"], args)
                        else:
                            self.assertEqual(waits, opened["closed"], args)
                            self.assertEqual(report["ends"][close]["counters"]["tw_entered"], waits, args)

    def test_request_and_response_take_six_packets(self):
        """And what a machine that stands still makes the ends send again, with the answer to each."""
        counters = self.report(*SMALL, "--app", "rr", "--count", "20000")["counters"]
        again = sum(n for name, n in counters.items() if name.startswith("retransmit_"))
        answers = sum(counters[name] for name in ("dup_ack_out", "challenge_sent", "rst_out", "tw_restarted"))
        self.assertEqual(counters["tx_frames"], 6 * 20000 + again + answers, counters)

    def test_long_texts(self):
        for layout in LAYOUTS:
            report = self.report(*SMALL, "--app", "rr", "--layout", layout, "--count", "300", "--concurrency", "20",
                                 "--request", "100000", "--response", "300000")
            self.assertEqual(report["connections"]["closed"], 300)

    def test_no_message_waits_for_a_delayed_ack(self):  # MUST-17
        """One segment and a little more: the little leaves with it, and the peer has no reason to delay its ACK."""
        for args in (("rr", "--request", "2000"), ("rr", "--response", "2000", "--close", "client"),
                     ("http", "--requests", "5", "--response", "2000")):
            report = self.report("--app", *args, "--count", "20", "--concurrency", "4", *SMALL)
            self.assertLess(report["counters"]["delayed_ack"], 10, args)

    def test_every_mtu(self):  # MUST-67
        for version, least in ([], 576), (["--ipv6"], 1280):
            for mtu in least, 1500, 9000:
                mss = mtu - (72 if version else 52)
                with tempfile.TemporaryDirectory() as scratch:
                    os.chmod(scratch, 0o777)
                    path = Path(scratch, "pair.pcapng")
                    self.report(*SMALL, *version, "--app", "rr", "--mtu", str(mtu), "--count", "20", "--capture",
                                str(path), "--response", str(2 * mss))
                    ran = subprocess.run([HANDFAST, "trace", str(path)], capture_output=True, text=True, timeout=60,
                                         check=True)
                self.assertEqual(len(re.findall(rf"length {mss}\b", ran.stdout)), 40, ran.stdout[:4000])

    def test_a_bad_link(self):
        for version in ([], ["--ipv6"]):
            for app in ("none", "rr"):
                args = [*SMALL, *version, "--app", app, "--impair", "loss=5%,dup=2%,reorder=25%,delay=50ms±10ms",
                        "--rate", "400/s", "--duration", "500ms", "--drain", "60s", "--set", "tcp.rto_initial=200ms",
                        "--request", "300", "--response", "3000"]
                report = self.report(*args)
                opened = report["connections"]
                self.assertGreater(opened["attempted"], 50, args)
                self.assertEqual(opened["closed"], opened["attempted"], args)
                # the slowest too, which ended in the drain
                self.assertEqual(report["latency_us"]["connect"]["count"], opened["established"], args)
                self.assertEqual(report["latency_us"]["transaction"]["count"], opened["closed"], args)
                # there and back, jitter apart
                self.assertGreaterEqual(report["latency_us"]["connect"]["p50"], 80000, args)
                client = report["ends"]["client"]["counters"]
                frames = client["impair_in"] + client["impair_out"]
                for name, share in (("lost", 0.05), ("duplicated", 0.019), ("reordered", 0.2375)):
                    self.assertAlmostEqual(client[f"impair_{name}"], frames * share, delta=6 * (frames * share) ** 0.5,
                                           msg=(name, args))
                self.assertEqual(report["ends"]["server"]["counters"]["impair_in"], 0, args)

    def test_one_frame_lost(self):
        for rule, again in (("drop:out:syn:1", "retransmit_syn"), ("drop:out:fin:1", "retransmit_fin")):
            report = self.report(*SMALL, "--count", "1", "--impair", f"rule={rule}")
            self.assertEqual(report["connections"]["closed"], 1, rule)
            client = report["ends"]["client"]["counters"]
            self.assertEqual((client["impair_lost"], client[again]), (1, 1), rule)

    def test_time_wait_adds_up_where_resets_end_it(self):
        """An ACK that comes twice finds nobody the second time; its RST ends TIME-WAIT without tcp.rfc1337."""
        ran = run(*SMALL, "--count", "100", "--impair", "rule=dup:out:ack", "--set", "tcp.rfc1337=false")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        line = re.search(r"TIME-WAIT +(\d+) entered = (.*)", ran.stdout)
        parts = {name: int(n) for n, name in re.findall(r"(\d+) ([a-z]+)", line[2])}
        self.assertEqual(int(line[1]), sum(parts.values()), ran.stdout)
        self.assertGreater(parts["reset"], 0, ran.stdout)

    def test_count_is_exact(self):
        for count in (1, 2, 1000, 54321):
            report = self.report(*SMALL, "--count", str(count), "--layout", "local")
            self.assertEqual(report["connections"]["attempted"], count)
            self.assertEqual(report["connections"]["accepted"], count)

    def test_a_count_of_what_does_not_end(self):
        """A client of discard sends until the run is over, which the count cannot say; where the server closes, it can."""
        self.assertEqual(self.report("--app", "discard", "--count", "4", *SMALL)["connections"]["closed"], 4)
        report = self.report("--app", "chargen", "--close", "server", "--response", "100k", "--count", "4", *SMALL)
        self.assertEqual(report["connections"]["closed"], 4)

    def test_concurrency_is_a_limit(self):
        report = self.report(*SMALL, "--count", "5000", "--concurrency", "1")
        self.assertEqual(report["states"]["SYN-SENT"]["peak"], 1)

    def test_rate_and_warmup(self):
        """Never more than the rate, and of less where the machine has other things to do; the warm-up is in no figure."""
        report = self.report(*SMALL, "--rate", "50k/s", "--warmup", "2s", "--duration", "500ms", "--seed", "7")
        books, rate = report["connections"], report["rate"]
        self.assertTrue(0 < books["attempted"] <= 125001, books)
        self.assertAlmostEqual(rate["offered_per_second"], 50000, delta=10)
        self.assertLess(report["seconds"], 2)
        self.assertTrue(0 < round(rate["connections_per_second"] * report["seconds"]) < books["closed"], report)

    def test_an_open_at_the_first_instant_is_offered(self):
        report = self.report(*SMALL, "--rate", "1/s", "--duration", "1s")
        self.assertEqual((report["connections"]["attempted"], report["rate"]["offered_per_second"]), (1, 1))

    def test_a_rate_not_kept_is_said_first(self):
        ran = run(*SMALL, "--rate", "900M/s", "--concurrency", "64", "--duration", "300ms")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertRegex(ran.stdout, r"\ATHE RATE WAS NOT KEPT: \d+ of \d+ ")

    def test_half_opens_end_with_the_run(self):  # HF-LG8
        """Their SYN-ACKs are lost, and who sent the SYN has given up."""
        report = self.report(*SMALL, "--count", "3", "--duration", "300ms", "--drain", "0s", "--impair", "rule=drop:in:syn-ack:2-")
        self.assertEqual(report["connections"]["failed"]["aborted"], 2)
        self.assertEqual(report["counters"]["request_unlistened"], 2)

    def test_records_run_out(self):  # TW-L2
        ran = run("--client-ports", "1024-9999", "--set", "tcp.max_tw_buckets=64", "--set", "tcp.tw_overflow=kill", "--layout",
                  "local", "--cores", FIRST, "--count", "1000", "--json", "-")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        waits = json.loads(ran.stdout)["time_wait"]
        self.assertEqual((waits["entered"], waits["overflow"]), (64, 936))

    def ports_run_out(self, *args):
        """A hundred tuples, and opens that want thousands a second (HF-LG7, HF-P2)."""
        args = ["--client", "198.18.0.1", "--client-ports", "1024-1123", "--cores", FIRST, *args]
        report = self.report(*args)
        self.assertGreater(report["connections"]["failed"]["no_port"], 0)
        self.assertEqual(report["connections"]["closed"], report["connections"]["established"])
        self.assertEqual(report["time_wait"]["entered"], report["connections"]["closed"])
        return report["connections"]["closed"], report["time_wait"], run(*args).stdout

    def test_ports_run_out_without_reuse(self):
        closed, waits, said = self.ports_run_out("--set", "tcp.tw_reuse=0", "--duration", "300ms")
        self.assertEqual((closed, waits["resident"]), (100, 100))
        self.assertRegex(said, r"\ALOCAL PORTS RAN OUT: [\d,]+ opens found no_port; "
                               r"100 tuples, each free after 60,000 ms, carry 2 connections/s")

    def test_ports_run_out_with_reuse(self):
        for rate in ([], ["--rate", "5k/s"]):
            closed, waits, said = self.ports_run_out("--set", "tcp.tw_reuse_delay=99ms", "--duration", "2s", *rate)
            # never faster than the delay lets; slower where the machine has other things to do
            self.assertTrue(200 <= closed <= 2100, closed)
            self.assertGreater(waits["refused"]["young"] + waits["reused_active"], 0)
            self.assertEqual(waits["reused_active"] + waits["expired"], closed - waits["resident"])
            self.assertLessEqual(waits["peak"], 100)
            self.assertRegex(said, r"\A.*LOCAL PORTS RAN OUT: [\d,]+ opens found no_port; "
                                   r"100 tuples, each reused after 100 ms, carry 1000 connections/s")

    def test_the_default_run(self):
        report = self.report("--duration", "3s")
        self.assertGreater(report["rate"]["connections_per_second"], 0)
        self.assertLessEqual(report["memory"]["peak_bytes"], 1.5 * 2**30)
        self.assertEqual(report["provenance"]["tuples"], 4128768)
        self.assertEqual(report["provenance"]["secrets"], "random")
        self.assertEqual(report["time_wait"]["entered"], report["connections"]["closed"])

    def test_a_broken_book_is_found(self):  # HF-LG2
        for name in ("client.attempted", "client.established", "client.closed", "server.accepted", "server.closed",
                     "client.tw_entered", "client.active_established", "server.passive_established",
                     "server.rx_frames", "leaks.mbufs"):
            report = self.report(*SMALL, "--count", "100", "--break-books", name, status=1)
            self.assertTrue(report["problems"], name)

    def test_files(self):
        with tempfile.TemporaryDirectory() as scratch:
            os.chmod(scratch, 0o777)
            path = Path(scratch, "a.json")
            ran = run(*SMALL, "--count", "1000", "-q", "--json", str(path), "--hgrm", str(Path(scratch, "a")))
            self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "", ""))
            self.assertEqual(json.loads(path.read_text(encoding="utf-8"))["connections"]["closed"], 1000)
            for name in ("connect", "close", "transaction"):
                text = Path(scratch, f"a-{name}.hgrm").read_text(encoding="utf-8")
                self.assertRegex(text, r"Total count    = +1000\]")
            profile = os.fsencode(scratch) + b"/\xfc.yaml"  # a legal name, though no UTF-8
            Path(os.fsdecode(profile)).touch()
            report = self.report(*SMALL, "--count", "10", "-q", "-c", profile)
            self.assertEqual(report["provenance"]["profile"], f"{scratch}/?.yaml")
            for option in "--json", "--hgrm":  # before the run, not after it
                ran = run(*SMALL, "--duration", "60s", option, str(Path(scratch, "no/such")))
                self.assertEqual((ran.returncode, ran.stdout), (2, ""))
                self.assertRegex(ran.stderr, rf"\Ahandfast: {option}: .*/no/such.*: No such file or directory\n\Z")
            self.one_place_each(Path(scratch))
            ran = run(*SMALL, "--duration", "60s", "--json", scratch)
            self.assertEqual((ran.returncode, ran.stderr), (2, f"handfast: --json: {scratch}: Is a directory\n"))

    def one_place_each(self, scratch):
        """No file is written twice, whether it is there or not, nor one that is read."""
        (scratch / "own.yaml").touch()
        os.chmod(scratch / "own.yaml", 0o666)
        os.symlink("new", scratch / "link")
        for *args, says in (("--capture", scratch / "new", "--json", scratch / "new", "--capture and --json"),
                            ("--capture", scratch / "new", "--json", scratch / "link", "--capture and --json"),
                            ("--capture", scratch / "new", "--json", f"{scratch}//new", "--capture and --json"),
                            ("-c", scratch / "own.yaml", "--json", scratch / "own.yaml", "-c and --json"),
                            ("--json", scratch / "b-close.hgrm", "--hgrm", scratch / "b", "--json and --hgrm")):
            ran = run(*SMALL, "--count", "10", "-q", *map(str, args))
            self.assertEqual((ran.returncode, ran.stdout), (2, ""))
            self.assertRegex(ran.stderr, rf"\Ahandfast: {says} are one file, [^\n]+; give two\n\Z")
            self.assertFalse((scratch / "new").exists())
        ran = run(*SMALL, "--count", "10", "-q", "--json", "/dev/null", "--capture", "/dev/null")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def started(self, *args, sockets=1):
        """Under way: so many connections, counted at both ends, are there."""
        process = subprocess.Popen(command(*SMALL, "--json", "-", *args), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, cwd="/")
        look = [*command()[:-1], "ss", "-Hta", "--pid", str(process.pid), "exclude", "listen"]
        while subprocess.run(look, capture_output=True, timeout=60, check=False, cwd="/").stdout.count(b"\n") < sockets:
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        return process

    def test_a_signal_drains(self):  # HF-LG8
        """The terminal's end too, but where that is ignored, as by nohup, under which these tests may run."""
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.started("--duration", "600s", "--rate", "10k/s")
            process.send_signal(number)
            out, err = process.communicate(timeout=300)
            self.assertEqual(process.returncode, 0, err)
            report = json.loads(out)
            self.balanced(report, number)
            self.assertGreater(report["connections"]["closed"], 0)

    def test_a_stop_at_any_moment_gives_everything_back(self):  # HF-LK5
        for moment, args in enumerate((["--close", "client"], ["--app", "rr", "--response", "100k"],
                                       ["--app", "rr", "--close", "both"], ["--close", "rst", "--ipv6"])):
            process = self.started("--duration", "60s", "--verify", *args)
            time.sleep(0.037 * moment)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 0, err)  # the sanitized build says 1 for what is not freed
            self.balanced(json.loads(out), args)

    def test_a_second_signal_is_the_end(self):
        # 64 requests of 1 GiB do not drain in time
        process = self.started("--app", "rr", "--request", "1Gi", "--concurrency", "64", "--duration", "60s",
                               "--drain", "600s", sockets=128)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            while re.search(r"ShdPnd:.*[1-9a-f]", Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")):
                time.sleep(0.01)  # two of a kind that wait are one
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        report = json.loads(out)
        self.assertEqual(report["connections"]["lost"]["aborted"], 64)
        self.balanced(report, "hurried")

    def test_what_does_not_drain_is_aborted(self):
        process = self.started("--app", "rr", "--request", "1Gi", "--concurrency", "64", "--duration", "60s",
                               "--drain", "200ms", sockets=128)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, err)
        report = json.loads(out)
        self.assertEqual(report["connections"]["lost"]["aborted"], 64)
        self.balanced(report, "aborted")

    def test_eal_options_come_first(self):
        ran = subprocess.run([*command()[:-1], "--log-level=error", "--", "pair", *SMALL, "--count", "10"],
                             capture_output=True, text=True, timeout=60, check=False, cwd="/")
        self.assertEqual(ran.returncode, 0, ran.stderr)

    def test_log_level(self):
        self.assertNotIn("EAL: ", run(*SMALL, "--count", "10").stderr)
        ran = run(*SMALL, "--count", "10", "--log-level", "debug")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("EAL: Detected", ran.stderr)
        ran = run("--log-level", "loud")
        self.assertEqual((ran.returncode, ran.stderr.count("\n")), (2, 1), ran.stderr)

    def test_no_such_cpu(self):
        ran = run("--cores", "4000")
        self.assertEqual(ran.returncode, 3)
        self.assertTrue(re.search(r"4000", ran.stderr), ran.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
