# SPDX-License-Identifier: BSD-3-Clause
"""What the interop tests share: a network namespace of their own, handfast on a tap, the kernel's view.

A test calls wire.main(): that runs the file again inside `unshare`, as an ordinary user with a user
namespace, so nothing of the machine is touched and all of it is gone at the end.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
PROFILE = str(ROOT / "config/tap.yaml")
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/report.schema.json").read_text(encoding="utf-8")))
OURS = {4: "10.99.0.2", 6: "fd99::2"}
KERNEL = {4: "10.99.0.1", 6: "fd99::1"}
INSIDE = "HANDFAST_INTEROP"
SKIP = 77
BRIEF = os.environ.get("HANDFAST_BRIEF") == "1"  # the sanitized half: what is long is shorter there


def need_scapy():
    """Debian's, whichever Python runs this."""
    sys.path.append("/usr/lib/python3/dist-packages")
    if importlib.util.find_spec("scapy") is None:
        skip("scapy is not installed; script/setup test does")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def inside():
    """Whether this is the run within the namespace."""
    return os.environ.get(INSIDE) == "1"


def main(*programs):
    """Run the tests of the calling file in a namespace; `programs` must be there."""
    if len(sys.argv) < 2:
        sys.exit("usage: test_NAME.py HANDFAST [TEST...]")
    for program in ("ip", "ss", "unshare", *programs):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            skip(f"{program} is not installed; script/setup test does")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("/dev/net/tun cannot be opened")
    if inside():
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        sh("ip link set lo up")
        unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
    flags = ["-n"] if os.geteuid() == 0 else ["-Urn"]
    if subprocess.run(["unshare", *flags, "true"], check=False).returncode:
        skip(f"`unshare {flags[0]}` is forbidden here")
    with tempfile.TemporaryDirectory() as runtime:  # of EAL: another test's instances are not to be found
        env = dict(os.environ, **{INSIDE: "1", "RUNTIME_DIRECTORY": runtime})
        ran = subprocess.run(["unshare", *flags, sys.executable, *sys.argv], env=env, check=False)
    sys.exit(ran.returncode)


def sh(command):
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=False)
    if ran.returncode:
        raise RuntimeError(f"{command}: {ran.stderr}")
    return ran.stdout


def cores(workers):
    """--cores for so many, each on a CPU of ours; several on one where there are fewer."""
    cpus = sorted(os.sched_getaffinity(0))
    return ",".join(str(cpus[i % len(cpus)]) for i in range(workers))


def url(version, path="/"):
    host = OURS[version] if version == 4 else f"[{OURS[version]}]"
    return f"http://{host}{path}"


def endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def until(condition, seconds=10, what="it did not happen"):
    """Wait for a condition that another program brings about; its value. `what` it did not come to, or who tells it.

    Looks are counted, not seconds: a machine that stands still does so for the other program too."""
    for _ in range(seconds * 20):
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(what() if callable(what) else what)


def kernel_states(port, state=None):
    """States of the kernel's connections to or from handfast at this port, as ss spells them."""
    out = []
    for line in sh("ss -Htan").splitlines():
        word, _, _, local, peer = line.split()[:5]
        if word != "LISTEN" and (local.endswith(f":{port}") or peer.endswith(f":{port}")):
            out.append(word)
    return out if state is None else out.count(state)


def until_time_wait(port):
    """The kernel has nothing left there but TIME-WAIT."""
    until(lambda: set(kernel_states(port)) <= {"TIME-WAIT"}, 10, lambda: sh("ss -Htanoi; ip neigh; ip link"))


def snmp(name):
    """A counter of this namespace's TCP: PassiveOpens, EstabResets ..."""
    names, values = [line.split()[1:] for line in Path("/proc/net/snmp").read_text(encoding="ascii").splitlines()
                     if line.startswith("Tcp:")]
    return int(dict(zip(names, values))[name])


def abort(sock):
    """RST rather than FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Running:
    """A handfast in the background."""

    def __init__(self, *args, profile=PROFILE, eal=()):
        self.command = args[0]
        self.errors = tempfile.TemporaryFile(mode="w+")
        options = ["-c", profile] if profile else []
        self.process = subprocess.Popen([sys.argv[1], *eal, *(["--"] if eal else []), args[0], *options, "--json", "-",
                                         "--verify", *args[1:]], stdout=subprocess.PIPE, stderr=self.errors, text=True)
        if self.command == "serve":
            try:
                until(lambda: "serving on" in self.said() or self.process.poll() is not None, 120, "no serve")
            except AssertionError:
                self.close()  # nobody else has it yet
                raise

    def said(self):
        """All of stderr so far; written by the other process, so the offset we share must not move."""
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self, seconds=60):
        """The report."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return json.loads(out) if out else None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.errors.close()


class Test(unittest.TestCase):
    maxDiff = None

    def start(self, *args, **more):
        running = Running(*args, **more)
        self.addCleanup(running.close)
        return running

    def program(self, *args, **more):
        """Another program in the background; killed at the end."""
        process = subprocess.Popen(args, stdout=subprocess.DEVNULL, **more)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def balanced(self, running, report, status=0, problems=()):
        said = running.said()
        self.assertIsNotNone(report, said)
        self.assertEqual(running.process.returncode, status, said)
        self.assertEqual([error.message for error in SCHEMA.iter_errors(report)], [])
        self.assertEqual(report["problems"], list(problems))
        books = report["connections"]
        self.assertEqual(books["attempted"],
                         books["established"] + sum(books["failed"].values()) + books["opening"], books)
        self.assertEqual(books["established"], books["closed"] + sum(books["lost"].values()) + books["open"], books)
        self.assertEqual(books["open"] + books["opening"], 0, books)
        self.assertEqual(report["leaks"], {"mbufs": 0, "connections": 0, "timers": 0})
        counters = report["counters"]
        self.assertEqual(counters["rx_frames"] + counters["rx_taken_over"],
                         counters["rx_consumed"] + counters["rx_answered"] + counters["rx_handed_over"] +
                         sum(n for name, n in counters.items() if name.startswith("rx_drop_")))
        return books

    def load(self, *args, status=0, problems=(), seconds=60):
        running = self.start("load", *args)
        report = running.wait(seconds)
        return self.balanced(running, report, status, problems), report

    def loading(self, *args, seconds=10, target=None, **more):
        """@return nginx, `target` if it runs already, and a load of it of which the kernel has accepted some connections"""
        target = target or nginx(self, 80)
        before = snmp("PassiveOpens")
        running = self.start("load", "--app", "http", *args, **more)
        until(lambda: snmp("PassiveOpens") - before > 50, seconds, "no connection")
        return target, running

    def opened(self, running, books, count):
        """A rate's opens: all, or what a machine that stood still left of them; that a hundredth is missing is said."""
        self.assertLessEqual(books["attempted"], count, books)
        if books["attempted"] < 0.99 * count:
            self.first_line(running, "THE RATE WAS NOT KEPT")

    def first_line(self, running, says):
        """Of the report for people, which with --json - goes to stderr."""
        lines = [line for line in running.said().splitlines() if "carrier" not in line]
        self.assertRegex(lines[0], says)

    def connect(self, port, version=4, **more):
        sock = socket.create_connection((OURS[version], port), timeout=10, **more)
        self.addCleanup(sock.close)
        return sock

    def listener(self, port, version=4, backlog=128):
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        sock = socket.socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("::" if version == 6 else "0.0.0.0", port))
        sock.listen(backlog)
        sock.settimeout(20)
        self.addCleanup(sock.close)
        return sock


def nginx(test, port, body="", run=()):
    """One process, everything it writes in a directory that goes with the test; by `run` in another namespace."""
    scratch = tempfile.TemporaryDirectory()
    test.addCleanup(scratch.cleanup)
    paths = "".join(f"{kind}_temp_path {scratch.name}/{kind};" for kind in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = Path(scratch.name, "nginx.conf")
    config.write_text(f"""
        user root; daemon off; master_process off; pid {scratch.name}/pid; error_log {scratch.name}/error;
        events {{ worker_connections 4096; }}
        http {{ access_log off; {paths}
            server {{ listen {port} backlog=4096; listen [::]:{port} backlog=4096;
                      location = /gone {{ return 410; }} location / {{ return 200 "{body or 'hello'}"; }} }} }}""", encoding="utf-8")
    process = test.program(*run, "nginx", "-e", f"{scratch.name}/error", "-c", str(config), stderr=subprocess.DEVNULL)
    until(lambda: re.search(rf":{port}\b", sh(" ".join([*run, "ss -Htln"]))), 10, "nginx does not listen")
    return process
