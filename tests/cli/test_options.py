# SPDX-License-Identifier: BSD-3-Clause
"""What the program says without running anything: test_options.py HANDFAST"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HANDFAST = sys.argv[1]
ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r'^ROW\((?:NULL|"([^"]*)"), (?:NULL|"([^"]*)"), [^,]*, (\w+),',
                  (ROOT / "app/rows.def").read_text(encoding="utf-8"), re.M)
# Which words of the table mean which command: the #defines of app/config.c.
COMMANDS = {"pair": {"ALL", "ANY", "RUNS", "RUN", "PAIR", "OPEN"}, "config": {"ALL", "ANY", "PAIR", "OPEN", "CONFIG"},
            "load": {"ALL", "ANY", "RUNS", "RUN", "OPEN", "ONE", "LOAD"}, "serve": {"ALL", "ANY", "RUNS", "RUN", "ONE", "SERVE"},
            "replay": {"ALL", "RUNS", "REPLAY"}}


def run(*args):
    return subprocess.run([HANDFAST, *args], capture_output=True, text=True, timeout=60, check=False)


class Options(unittest.TestCase):
    def refused(self, *args, says=""):
        ran = run(*args)
        self.assertEqual(ran.returncode, 2, args)
        self.assertEqual(ran.stdout, "")
        self.assertRegex(ran.stderr, r"\A[^\n]+\n\Z")
        self.assertIn(says, ran.stderr)

    def test_version(self):
        ran = run("--version")
        self.assertEqual(ran.returncode, 0)
        self.assertRegex(ran.stdout, r"\Ahandfast \d+\.\d+\.\d+ .*DPDK \d+")

    def test_help_lists_every_option(self):
        self.assertGreater(len(ROWS), 60)
        for command, words in COMMANDS.items():
            ran = run(command, "--help")
            self.assertEqual((ran.returncode, ran.stderr), (0, ""))
            for option in {option for _, option, _ in ROWS if option}:
                shown = re.search(rf"(?m)^ +(-., )?--{option}(?![\w-])", ran.stdout)
                taken = any(commands in words for _, name, commands in ROWS if name == option)
                self.assertEqual(bool(shown), taken, (command, option))
        self.assertIn("pair", run("--help").stdout)

    def test_usage(self):
        self.refused(says="a command is missing")
        self.refused("swerve", says="'swerve' is no command")
        self.refused("--duration", "3", says="EAL options end with --")
        self.refused("-l", "0", "--", says="a command is missing")
        self.refused("pair", "--durations", "3", says="did you mean --duration")
        self.refused("pair", "--count", says="a value must follow")
        self.refused("pair", "-Z", says="-Z: no such option")
        self.refused("pair", "--help=x", says="--help takes no such value")
        self.refused("pair", "now", says="'now' is no option")
        self.refused("pair", "--break-books", "client.bananas", says="no book")
        self.refused("pair", "--app", "rr", "--requests", "2", says="--requests: only --app http has several")
        self.refused("pair", "--cores", "0", "--layout", "split", says="--layout local")
        self.refused("pair", "--client", "198.18.0.1", "--cores", "0-1", "--layout", "local",
                     says="1 addresses for 2 client workers")
        self.refused("pair", "--client", "198.18.0.1-198.18.255.255", "--cores", "0",
                     says="65535 addresses for 1 client workers; at most 32768 each")
        self.refused("pair", "--impair", "loss=1%,delay=5", says="--impair: 'delay=5': such as delay=50ms")
        for held, flight, says in ((16777216, 64, "--impair hold=16777216 needs "), (64, 16777216, "--concurrency 16777216 with ")):
            self.refused("config", "--check", "--impair", f"delay=5ms,hold={held}", "--concurrency", str(flight), says=says)
        self.refused("pair", "--impair", "rule=lose:fin", says="--impair: 'rule=lose:fin': no such act")
        self.refused("trace", "a.pcap", "--json", "-", says="--json: no option of trace, but of pair, load, serve and replay")
        self.refused("config", says="one of --check and --print")
        self.refused("config", "--check", "--print", says="one of --check and --print")

    def test_steering(self):
        load = ("load", "--dev", "net_null0", "--addr", "10.9.0.2/24", "--target", "10.9.0.1:80")
        self.refused(*load, "--steering", "hash", says="--steering: 'hash'")
        for key in "zz", "a", "a5" * 65, "a5::" * 40:
            self.refused(*load, "--rss-key", key, says=f"--rss-key: '{key[:60]}' is no key: give 40 to 64 octets in hex")
        self.refused(*load, "--rss-key", "a5" * 39, says="--rss-key has 39 octets: give 40")
        self.refused("pair", "--steering", "rss", says="--steering")

    def test_buffers_of_a_device(self):
        args = ("--addr", "10.9.0.2/24", "--listen", "10.9.0.2:80")
        for device in "memif:s,bsize=1517", "net_memif0,bsize=1024,socket=s", "af_packet:hfa,framesz=512":
            self.refused("serve", "--dev", device, *args, says="is too little for frames of 1518 octets")
        self.refused("serve", "--dev", "memif:s,bsize=2048", "--mtu", "9000", *args, says="bsize is too little for frames of 9018")

    def test_addresses(self):  # HF-LG3, MUST-46
        ours = ("--dev", "net_null0", "--addr", "10.9.0.2/24")
        for target, says in (("10.9.0.255:80", "broadcast address"), ("224.0.0.1:80", "is not unicast"),
                             ("255.255.255.255:80", "is not unicast"), ("[ff02::1]:80", "is not unicast"),
                             ("10.9.0.2:80", "is an address of --addr"), ("[fd99::1]:80", "IP version of --target"),
                             ("10.8.0.1:80", "in no network of --addr; give the --gateway"), ("10.9.0.1", "no ADDR:PORT"), ("10.9.0.1:0", "no ADDR:PORT")):
            self.refused("load", *ours, "--target", target, says=says)
        for more, says in ((("--addr", "10.9.0.2/24"), "--addr: one address is given twice"),
                           (("--addr", "10.9.1.255/24"), "--addr is the broadcast address"),
                           (("--gateway", "10.9.0.2"), "--gateway is an address of --addr"),
                           (("--tap-kernel-addr", "10.9.0.2/24"), "--tap-kernel-addr is an address of --addr too")):
            self.refused("load", *ours, *more, "--target", "10.9.0.1:80", says=says)
        self.refused("load", *ours, says="load needs --target")
        self.refused("load", *ours, "--target", "10.9.0.1:80", "--from", "10.8.0.1", says="--from is in no network")
        self.refused("serve", *ours, says="serve needs --listen")
        self.refused("serve", *ours, "--listen", "10.9.0.3:80", says="--listen is no address of --addr")
        self.refused("serve", *ours, "--listen", "0.0.0.0:80,[::]:80", says="--listen [::] needs an IPv6 address of ours")
        self.refused("serve", *ours[:2], "--addr", "fd99::2/64", "--listen", "[::]:80,0.0.0.0:80",
                     says="--listen 0.0.0.0 needs an IPv4 address of ours")
        for again in "0.0.0.0:80", "10.9.0.2:80", "10.9.0.2:70-90":
            self.refused("serve", *ours, "--listen", "10.9.0.2:80", "--listen", again, says="--listen: one port is given twice")
        self.refused("serve", *ours, "--addr", "10.9.0.3/24", "--listen", "10.9.0.2:1-65535", "--listen", "10.9.0.3:80",
                     says="--listen: more than 65535 ports")
        self.refused("load", *ours, "--addr", "10.8.0.2/15", "--from", "10.8.0.10-10.8.200.0", "--target", "10.9.0.1:80",
                     says="--from has more than 32768 addresses")
        self.refused("serve", "--dev", "net_null0", "--listen", "10.9.0.2:80", says="--addr 10.99.0.2/24")
        self.refused("serve", *ours[2:], "--listen", "10.9.0.2:80", says="--dev tap:hf0")

    def test_user(self):
        """A number of a user is taken as it is: none wraps to another one's."""
        for user in "4294967295", "4294967297", "99999999999999999999", "-1", "+1", " 1":
            self.refused("pair", "--count", "1", "--user", user, says=f"--user {user}: this machine has no such user")

    def test_each_option_refuses_nonsense(self):
        for _, option, commands in ROWS:
            if option and commands in ("ALL", "ANY") and option not in ("profile", "set", "user"):
                self.refused("config", "--check", f"--{option}=grue", says=f"--{option}: 'grue'")

    def knobs(self):
        text = (ROOT / "app/rows.def").read_text(encoding="utf-8")
        knobs = re.findall(r'ROW\("(tcp\.\w+)", NULL, 0, 0, (\w+), [\w.]+, (\w+), (\w+),', text)
        self.assertEqual(len(knobs), text.count('ROW("tcp.'))
        return knobs

    def test_each_knob_refuses_what_is_out_of_range(self):  # HF-KN1
        for key, kind, low, high in self.knobs():
            if kind in ("BOOL", "WORD"):
                wrong = ["grue", "2"]
            else:
                unit = "ms" if kind == "MSEC" else ""
                wrong = [f"{int(high) + 1}{unit}", "-1", "grue"] + ([f"{int(low) - 1}{unit}"] if int(low) else [])
            for value in wrong:
                self.refused("config", "--check", "--set", f"{key}={value}", says=f"{key}: '{value}'")

    def test_the_library_takes_each_knob_at_its_ends(self):  # HF-KN1
        sized = {"tcp.max_tw_buckets", "tcp.syn_backlog"}  # their most is more than a machine's memory
        for end in 2, 3:
            knobs = [f"{knob[0]}={knob[end]}{'ms' if knob[1] == 'MSEC' else ''}" for knob in self.knobs()
                     if knob[1] not in ("BOOL", "WORD") and not (end == 3 and knob[0] in sized)]
            ran = run("pair", "--count", "1", *[word for knob in knobs for word in ("--set", knob)])
            self.assertIn(ran.returncode, (0, 1), ran.stderr)

    def test_profiles(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "a.yaml")
            path.write_text("run:\n  app: rr\n  concurrenzy: 3\n", encoding="utf-8")
            self.refused("pair", "-c", str(path),
                         says="a.yaml:3: run.concurrenzy: no such key, did you mean run.concurrency")
            path.write_text("tcp:\n  tw_len: 241s\n", encoding="utf-8")
            self.refused("config", "--check", "-c", str(path), says="a.yaml:2: tcp.tw_len: '241s'")
            path.write_text('"run\\nrun": 1\n', encoding="utf-8")
            self.refused("config", "--check", "-c", str(path), says="a.yaml:1: run?run: no such key")
            for text, says in (("---\nmtu: 1400\n---\nttl: 3\n", "a.yaml:4: a second document"), ("mtu: 1400\n...\n[\n", "a.yaml:3: ")):
                path.write_text(text, encoding="utf-8")
                self.refused("config", "--check", "-c", str(path), says=says)
            path.write_text("%YAML 1.1\n---\nmtu: 1400\n...\n# the end\n", encoding="utf-8")
            self.assertEqual(run("config", "--check", "-c", str(path)).returncode, 0)
            serve = "dev: net_null0\naddr: 10.9.0.2/24\nrun:\n  app: echo\nserve:\n  listen: {}\n"
            path.write_text(serve.format("10.9.0.3:80"), encoding="utf-8")
            self.refused("config", "--check", "-c", str(path), says="--listen is no address of --addr")
            path.write_text(serve.format("10.9.0.2:80"), encoding="utf-8")
            self.assertEqual(run("config", "--check", "-c", str(path)).returncode, 0)
            self.assertIn("\n# serve on this machine: ", run("config", "--print", "-c", str(path)).stdout)
            path.write_text("dev: net_null0\naddr: 10.9.0.2/24\nload:\n  target: 10.9.0.255:80\n", encoding="utf-8")
            self.refused("config", "--check", "-c", str(path), says="--target is the broadcast address")
            path.write_text("http:\n  requests: 2\n", encoding="utf-8")
            self.refused("config", "--check", "-c", str(path), says="--requests: only --app http")
        self.refused("pair", "-c", "no-such-profile", says="no-such-profile: No such file")
        for path in (ROOT / "config").glob("*.yaml"):
            self.assertEqual(run("config", "--check", "-c", str(path)).returncode, 0, path)

    def test_nobody_takes_what_is_said(self):
        """Whatever goes to stdout and finds no room there is a failure, said in one line; a closed one is nobody else's."""
        short = ("--cores", "0", "--count", "10", "--warmup", "0", "--concurrency", "10")
        for args in (["--help"], ["--version"], ["pair", "--help"], ["config", "--print"], ["config", "--check"], ["doctor"],
                     ["pair", *short], ["pair", *short, "--trace"], ["pair", *short, "--record", "1"]):
            for to, says in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
                ran = subprocess.run(["sh", "-c", f'exec "$0" "$@" {to}', HANDFAST, *args], capture_output=True, text=True,
                                     timeout=60, check=False)
                self.assertEqual(ran.returncode, 1, args)
                self.assertRegex(ran.stderr, rf"\Ahandfast: stdout: ({says}|it did not take all of the report)\n\Z")
        ran = subprocess.run(["sh", "-c", 'exec "$0" "$@" 2>&- <&-', HANDFAST, "pair", *short], capture_output=True,
                             text=True, timeout=60, check=False)
        self.assertEqual(ran.returncode, 0)
        self.assertIn("10 in flight", ran.stdout)

    def test_a_variable_that_is_not_set(self):
        """It is no gate, no files and root's rights that one would get for it."""
        for option in "--threshold", "--user", "--json", "--capture", "--hgrm":
            self.refused("pair", "--count", "1", option, "", says=f"{option}: is empty; leave it out")
        self.refused("serve", "--root=", says="--root: is empty; leave it out, or say --set http.root=\n")
        self.assertEqual(run("config", "--check", "--set", "threshold=").returncode, 0)

    def test_eal_options(self):
        """What EAL has to say of them is no part of a report."""
        for wrong, says in (("--no-such-eal",), "Invalid 'command line'"), (("--lcores", "grue"), "invalid parameter for --lcores"):
            self.refused(*wrong, "--", "pair", "--count", "1", "--json", "-", says=f"EAL does not take the options before --: {says}")
        ran = run("-d", "nosuch.so", "--", "pair", "--count", "1")
        self.assertEqual((ran.returncode, ran.stdout), (3, ""))
        ran = run("--no-such-eal", "--log-level=error", "--", "pair", "--count", "1")
        self.assertEqual((ran.returncode, ran.stdout), (2, ""))
        ran = run("--no-such-eal", "--", "doctor")
        self.assertEqual((ran.returncode, ran.stderr), (2, ""))
        self.assertRegex(ran.stdout, r"LACKS  device .* does not take the options before --.*\nsomething is lacking\n\Z")
        self.assertIn("--lcores", run("-l", "0", "--help", "--", "pair").stdout)

    def test_more_records_than_a_worker_reaches(self):
        most = "--cores", str(min(os.sched_getaffinity(0))), "--set", "tcp.max_tw_buckets=268435456"
        for command in ["pair"], ["config", "--check"], ["doctor"]:
            self.refused(*command, *most, says="tcp.max_tw_buckets and --concurrency come to ")
        one = "dev: net_null0\naddr: 10.9.0.2/24\nserve:\n  listen: 10.9.0.2:80\n"
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "a.yaml")
            path.write_text(one, encoding="utf-8")
            self.refused("config", "--check", "-c", str(path), *most, says="16 GiB of records that one worker reaches")
        self.assertEqual(run("config", "--check", *most[:2], "--set", "tcp.max_tw_buckets=267386880").returncode, 0)

    def test_users(self):
        """Whoever does not exist is missed by those that only look, too."""
        for command in ["pair"], ["config", "--check"], ["doctor"]:
            self.refused(*command, "--user", "no such one", says="--user no such one: this machine has no such user")
            self.refused(*command, "--user", "root", says="--user root: root is who is to be left")
        self.assertEqual(run("config", "--check", "--user", "nobody").returncode, 0)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        ran = subprocess.run([*nobody, HANDFAST, "doctor", "--user", "nobody"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((ran.returncode, ran.stderr), (3, ""))
        self.assertIn("LACKS  user        --user nobody: only root can become somebody else", ran.stdout)

    def test_print_reads_back(self):
        first = run("config", "--print", "--set", "tcp.tw_len=1500ms", "--ipv6", "--rate", "2M/s", "--server6", "2001:2:0:1::",
                    "--path", r'/a\b"c')
        self.assertEqual(first.returncode, 0)
        for key, _, _ in ROWS:
            if key:
                self.assertRegex(first.stdout, rf"(?m)^ *{key.rpartition('.')[2]}: ")
        self.assertRegex(first.stdout, r"(?m)^# T = 4128768 tuples. Memory: \d+\.\d MiB of tables")
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "b.yaml")
            path.write_text(first.stdout, encoding="utf-8")
            again = run("config", "--print", "-c", str(path))
        self.assertEqual(first.stdout.splitlines()[1:], again.stdout.splitlines()[1:])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
