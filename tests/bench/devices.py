#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""serve and load, two processes on two CPUs, over each virtual device; what dpdk-testpmd forwards over the same one (io,
64 octets, back and forth between two of it); and the kernel's own connections over the same veth and over loopback.

For each of these the file runs again in a network namespace: devices.py MEASUREMENT HANDFAST SECONDS prints a figure.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import alternating, run
from rates import CPUS, load, rate, serving, times

VETH = """ip link add hfa type veth peer name hfb && ip link set hfa up && ip link set hfb up
          for i in hfa hfb; do ethtool -K $i tx off tso off gso off gro off >/dev/null; done"""
BRIDGE = "ip link add hfbr type bridge ageing_time 0 && ip link set hfbr up"
JOIN = "ip link set {0} up && ip link set {0} master hfbr"
# device: handfast's names of both ends, EAL's, what makes the network before, what each end needs once it is there
DEVICES = {
    "memif": ("memif:{0}/s,role=server", "memif:{0}/s,role=client",
              "net_memif0,role=server,socket={0}/s,socket-abstract=no", "net_memif0,role=client,socket={0}/s,socket-abstract=no",
              "true", ()),
    "af_packet": ("af_packet:hfa", "af_packet:hfb", "net_af_packet0,iface=hfa", "net_af_packet0,iface=hfb", VETH, ()),
    "tap": ("tap:hfs", "tap:hfl", "net_tap0,iface=hfs", "net_tap0,iface=hfl", BRIDGE, ("hfs", "hfl")),
}


def sh(command):
    return run("sh", "-ec", command)


def join(interface):
    for _ in range(100):
        if subprocess.run(["ip", "link", "show", interface], capture_output=True, check=False).returncode == 0:
            sh(JOIN.format(interface))
            return
        time.sleep(0.1)
    sys.exit(f"{interface} has not come")


def connections(device, handfast, seconds):
    """A load that waits for its link opens in vain for a while: what it counts begins after the warm-up."""
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs = (end.format(scratch) for end in DEVICES[device][:2])
        sh(DEVICES[device][4])
        common = ("--app", "rr", "--idle", "spin")
        with serving(handfast, ours, *common, "--mac", "02:00:00:00:00:02"):
            for interface in DEVICES[device][5][:1]:
                join(interface)
            if DEVICES[device][5]:
                joiner = subprocess.Popen([sys.executable, __file__, "join", DEVICES[device][5][1]])
            report = load(handfast, theirs, *common, "--mac", "02:00:00:00:00:01", *times(3, seconds))
            if DEVICES[device][5]:
                joiner.wait(30)
    return rate(report)


class Testpmd:
    def __init__(self, name, cpu, vdev):
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["dpdk-testpmd", "--no-huge", "-m", "256", "--no-pci", "--no-shconf", f"--file-prefix=hf{name}", "--lcores",
             f"0@({CPUS[cpu]}),1@({CPUS[cpu]})", f"--vdev={vdev}", "--", "-i", "--forward-mode=io", "--total-num-mbufs=16384"],
            stdin=subprocess.PIPE, stdout=self.out, stderr=subprocess.STDOUT, text=True)

    def tell(self, *words):
        self.process.stdin.write("".join(word + "\n" for word in words))
        self.process.stdin.flush()

    def said(self):
        return os.pread(self.out.fileno(), 1 << 20, 0).decode(errors="replace")

    def ask(self, command, pattern):
        """Until it gives another answer of this pattern, which is returned."""
        before = len(re.findall(pattern, self.said()))
        for _ in range(200):
            self.tell(command)
            time.sleep(0.2)
            found = re.findall(pattern, self.said())
            if len(found) > before:
                return found[-1]
        return sys.exit(f"testpmd: {self.said()[-1500:]}")


def forwarding(device, _handfast, seconds):
    """Frames a second that one testpmd gets back from the other."""
    with tempfile.TemporaryDirectory() as scratch:
        sh(DEVICES[device][4])
        both = []
        for i, name in enumerate(("a", "b")):
            both.append(Testpmd(name, (0, -1)[i], DEVICES[device][2 + i].format(scratch)))
            for interface in DEVICES[device][5][i:i + 1]:
                join(interface)
            both[i].ask("show port summary 0", "Number of available ports")
        for one in both:
            one.ask("show port info 0", "Link status: up")
        both[0].tell("start")
        time.sleep(0.5)
        both[1].tell("start tx_first 64")
        time.sleep(2)
        both[1].ask("show port stats 0", "Rx-pps:")
        time.sleep(seconds)
        pps = both[1].ask("show port stats 0", r"Rx-pps:\s*(\d+)")
        for one in both:
            one.tell("stop", "quit")
            one.process.wait(60)
    return int(pps)


def kernel(where, handfast, seconds):
    """Over veth the client sits in a namespace of its own."""
    program = Path(handfast).parents[1] / "tests/bench/bench_kernel"
    sh("ip link set lo up; sysctl -qw net.ipv4.ip_local_port_range='1024 65535' net.ipv4.tcp_tw_reuse=1 || true")
    enter, address = [], "127.0.0.1"
    if where == "kernel_veth":
        holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        time.sleep(0.5)
        sh(f"{VETH}; ip addr add 10.97.0.2/16 dev hfa; ip link set hfb netns {holder.pid}")
        enter, address = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"], "10.97.0.2"
        run(*enter, "sh", "-ec", "ip addr add 10.97.0.1/16 dev hfb; ip link set hfb up; sysctl -qw "
            "net.ipv4.ip_local_port_range='1024 65535' || true")
    server = subprocess.Popen(["taskset", "-c", str(CPUS[0]), program, "server", address, "80"])
    time.sleep(0.3)
    out = run("taskset", "-c", CPUS[-1], *enter, program, "client", address, 80, seconds, 512)
    for process in [server] + ([holder] if enter else []):
        process.send_signal(signal.SIGKILL)
        process.wait()
    return int(out)


def apart(what, build, seconds):
    """In namespaces of network and processes; what is left ends with them, and all of it with the time."""
    flags = ["-n"] if os.geteuid() == 0 else ["-Urn"]
    return int(float(run("timeout", "-k", 5, 120 + 10 * seconds,
                         "unshare", *flags, "--pid", "--fork", "--kill-child", "--mount-proc",
                         sys.executable, __file__, what, build / "app/handfast", seconds,
                         env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}).split()[-1]))


def measure(section, build, runs, quick):
    seconds = 1 if quick else 3
    kinds = [f"{kind}:{device}" for device in DEVICES for kind in ("connections", "forwarding")]
    if not shutil.which("dpdk-testpmd", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        print("no dpdk-testpmd (package dpdk-dev): ceilings are left out")
        kinds = [what for what in kinds if not what.startswith("forwarding")]
    kinds += ["kernel:kernel_veth", "kernel:kernel_loopback"]
    results = alternating(runs, {what: lambda w=what: apart(w, build, seconds) for what in kinds})
    for what, values in results.items():
        section.add(what, values, "frames/s" if what.startswith("forwarding") else "connections/s")


def main():
    what, handfast, seconds = sys.argv[1], sys.argv[2], sys.argv[3:]
    if what == "join":
        join(handfast)
        return
    sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 || true")
    kind, device = what.split(":")
    print({"connections": connections, "forwarding": forwarding, "kernel": kernel}[kind](device, handfast, int(seconds[0])))


if __name__ == "__main__":
    main()
