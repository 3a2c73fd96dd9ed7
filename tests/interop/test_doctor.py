# SPDX-License-Identifier: BSD-3-Clause
"""What this machine may lack, each thing taken away in turn: doctor says so, serve and load exit 3: test_doctor.py HANDFAST"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import wire

LISTEN = ("--listen", "10.99.0.2:80")
TAP = ("--dev", "tap:hf0", "--addr", "10.99.0.2/24")


def run(*args, before=(), eal=()):
    """@return its exit status, stdout, and what it complains of"""
    ran = subprocess.run([*before, sys.argv[1], *(eal + ("--",) if eal else ()), *args], capture_output=True,
                         text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def plugins():
    """Where EAL looks for drivers: beside one that the program is linked with."""
    ldd = subprocess.run(["ldd", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    return Path(re.search(r"librte_net_ring\S* => (\S+)", ldd)[1]).resolve().parent


class Lacks(wire.Test):
    def lacks(self, *args, says, doctor=True, **more):
        """serve with these arguments ends with one line and exit 3; doctor says the same."""
        status, _, errors = run("serve", *args, *LISTEN, **more)
        self.assertEqual(status, 3, errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertRegex(errors, says)
        if doctor:
            status, out, errors = run("doctor", *args, **more)
            self.assertEqual((status, errors), (3, ""), out)
            self.assertRegex(out, rf"LACKS .*{says}")

    def test_no_rights_for_a_tap(self):
        self.lacks(*TAP, before=("setpriv", "--bounding-set", "-net_admin"), says=r"CAP_NET_ADMIN.*unshare -Urn")

    def test_no_rights_for_packets(self):
        self.lacks("--dev", "af_packet:lo", "--addr", "10.99.0.2/24",
                   before=("setpriv", "--bounding-set", "-net_raw"), says="CAP_NET_RAW: be root")

    def test_no_memory_to_lock(self):
        self.lacks("--dev", "af_packet:lo", "--addr", "10.99.0.2/24",
                   before=("setpriv", "--bounding-set", "-ipc_lock", "prlimit", "--memlock=65536"), says=r"ulimit -l.*framecnt=128")

    def test_no_driver(self):
        with tempfile.TemporaryDirectory() as scratch:
            few = shutil.copytree(plugins(), Path(scratch, "few"), symlinks=True,
                                  ignore=shutil.ignore_patterns("*net_tap*"))
            self.lacks(*TAP, before=("unshare", "-m", "sh", "-c", f'mount --bind {few} {plugins()} && exec "$@"', "sh"),
                       says=r"net_tap is not installed: `apt-get install librte-net-tap\d+`")

    def test_a_driver_that_nobody_has(self):
        self.lacks("--dev", "net_bogus0", "--addr", "10.99.0.2/24", says="is its driver installed")

    def test_no_memory(self):
        with tempfile.TemporaryDirectory() as scratch:
            little = Path(scratch, "meminfo")
            little.write_text("MemTotal: 102400 kB\nMemAvailable: 20480 kB\n", encoding="utf-8")
            self.lacks(*TAP, before=("unshare", "-m", "sh", "-c", f'mount --bind {little} /proc/meminfo && exec "$@"', "sh"),
                       says=r"\d+ MiB of tables and mbufs wanted, 20 MiB available; lower tcp.max_tw_buckets or --concurrency")

    def test_no_hugepages_when_asked_for(self):
        self.lacks(*TAP, eal=("--in-memory", "-m", "512000"), doctor=False,
                   says="nr_hugepages.*leave out the options about memory")

    def test_a_second_primary(self):
        eal = ("--no-huge", "-m", "256", f"--file-prefix={id(self)}")
        first = subprocess.Popen([sys.argv[1], *eal, "--", "serve", "--dev", "net_null0", "--addr", "10.99.0.2/24",
                                  *LISTEN, "--duration", "60s"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 text=True)
        self.addCleanup(first.communicate)
        self.addCleanup(first.kill)
        self.assertIn("serving", first.stderr.readline())
        self.lacks("--dev", "net_null0", "--addr", "10.99.0.2/24", eal=eal, says="--file-prefix=NAME")

    def test_a_tap_that_another_program_has(self):
        """The kernel would send each of them some of a connection's frames; one that nobody has is as good as none."""
        wire.sh("ip tuntap add dev hf0 mode tap multi_queue && ip link set hf0 up")
        self.addCleanup(wire.sh, "ip link del hf0")
        first = self.start("serve", *LISTEN)
        self.lacks(*TAP, says="hf0 is in use: another program has it")
        self.balanced(first, first.stop())

    def test_no_port(self):
        """EAL runs, with 0 ports."""
        self.lacks("--dev", "pci:0000:ff:1f.7", "--addr", "10.99.0.2/24", doctor=False,
                   says="no such port, and 0 in all; .*dpdk-devbind.py --bind=vfio-pci 0000:ff:1f.7")
        status, out, _ = run("doctor", "--dev", "pci:0000:ff:1f.7", "--addr", "10.99.0.2/24")
        self.assertEqual(status, 3)
        self.assertRegex(out, "LACKS .*no PCI device 0000:ff:1f.7")

    def test_no_other_end(self):
        self.lacks("--dev", "virtio_user:/nonexistent/socket", "--addr", "10.99.0.2/24", says="vhost socket")
        self.lacks("--dev", "memif:/nonexistent/socket,role=server", "--addr", "10.99.0.2/24",
                   says="directory that can be written")

    def test_the_kernel_owns_our_address(self):
        """HF-IP5: on tap, af_packet, af_xdp and pcap, whose frames it sees too; not on memif, whose it does not."""
        wire.sh("ip addr add 10.99.0.2/32 dev lo")
        self.addCleanup(wire.sh, "ip addr del 10.99.0.2/32 dev lo")
        for dev in ("tap:hf0", "af_packet:lo", "af_xdp:lo", "pcap:lo", "net_af_packet0,iface=lo"):
            self.lacks("--dev", dev, "--addr", "10.99.0.2/24", says="10.99.0.2 is the kernel's too, on lo")
        load = "--dev", "tap:hf0", "--addr", "10.99.0.9/24", "--from", "10.99.0.1-10.99.0.3", "--target", "10.99.0.8:80"
        for command in "load", "doctor":
            status, out, errors = run(command, *load)
            self.assertEqual(status, 3, out + errors)
            self.assertRegex(out + errors, "10.99.0.2 is the kernel's too, on lo: .* another --from")
        status, out, _ = run("doctor", "--dev", "tap:hf0", "--addr", "10.99.0.2/24", "--allow-kernel-address")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, "note .*10.99.0.2 is the kernel's too")
        status, out, errors = run("doctor", "--dev", "net_null0", "--addr", "10.99.0.2/24")
        self.assertEqual(status, 0, out + errors)


class Well(wire.Test):
    def test_nothing(self):
        for args in ((), ("-c", wire.PROFILE), ("-c", wire.PROFILE, "--target", "10.99.0.1:80")):
            status, out, errors = run("doctor", *args)
            self.assertEqual((status, errors), (0, ""), out)
            self.assertIn("nothing is lacking", out)
            self.assertNotIn("LACKS", out)

    def test_usage(self):
        for args, says in ((("--dev", "tap:hf0"), "--addr"), (("--dev", "bogus:1", "--addr", "10.99.0.2/24"), "tap:IF"),
                           (("--set", "tcp.nothing=1"), "no such key")):
            status, out, errors = run("doctor", *args)
            self.assertEqual((status, out, errors.count("\n")), (2, "", 1), errors)
            self.assertIn(says, errors)


class Checksums(wire.Test):
    """A kernel's TCP over a veth as it is made."""

    def setUp(self):
        wire.sh("ip link add hfa type veth peer name hfb && ip link set hfa up && ip link set hfb up &&"
                "ip addr add 10.98.0.1/24 dev hfa")
        self.addCleanup(wire.sh, "ip link del hfa")

    DEVICE = ("--dev", "af_packet:hfb", "--addr", "10.98.0.2/24")

    def test_doctor_and_serve_say_so(self):
        doctor = subprocess.Popen([sys.argv[1], "doctor", *self.DEVICE, "--duration", "4s"], stdout=subprocess.PIPE,
                                  text=True)
        self.addCleanup(doctor.kill)
        self.program("sh", "-c", "for i in $(seq 30); do curl -s -m 1 http://10.98.0.2/; done")
        out, _ = doctor.communicate(timeout=30)
        self.assertEqual(doctor.returncode, 3, out)
        self.assertRegex(out, "LACKS +checksums .*ethtool -K IF tx off")

        serve = self.start("serve", *self.DEVICE, "--listen", "10.98.0.2:80", profile=None)
        self.program("curl", "-s", "-m", "5", "http://10.98.0.2/")
        wire.until(lambda: "ethtool -K IF tx off" in serve.said(), 10, "not said")
        self.assertEqual(serve.said().count("ethtool"), 1)
        books = self.balanced(serve, serve.stop())
        self.assertEqual(books["attempted"], 0)
        self.assertIn("ALL SEGMENTS CAME WITH WRONG CHECKSUMS", serve.said())

    def test_finished_ones_are_not_blamed(self):
        wire.sh("ethtool -K hfa tx off tso off gso off gro off")
        serve = self.start("serve", *self.DEVICE, "--listen", "10.98.0.2:80", "--app", "http", profile=None)
        wire.sh("curl -s -m 5 http://10.98.0.2/")
        time.sleep(0.1)
        self.balanced(serve, serve.stop())
        self.assertNotIn("CHECKSUMS", serve.said().upper())


if __name__ == "__main__":
    wire.main("ethtool", "curl", "prlimit", "setpriv")
