# SPDX-License-Identifier: BSD-3-Clause
"""Bulk, one way, sender on one core and receiver on another: handfast over net_ring and memif, and this machine's
kernel over veth, in its own namespaces. bulk.py HANDFAST [SECONDS]; called by script/bench, which says Gbit/s
of text for each core used (half of what flows)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HANDFAST = sys.argv[1]
SECONDS = sys.argv[2] if len(sys.argv) > 2 else "3"
CORES = sorted(os.sched_getaffinity(0))[:2]
MEASURED = ("--warmup", "1s", "--duration", f"{int(SECONDS) + 1}s", "-q", "--json", "-")


def buffers(connections):
    """What all connections hold at once fits the mbufs."""
    size = "1Mi" if connections < 10 else "64Ki"
    return "--set", f"tcp.rcv_buf={size}", "--set", f"tcp.snd_buf={size}"


def say(what, connections, bits):
    print(f"bulk, {what}, {connections} connection{'s'[:connections > 1]}: {bits / 2e9:.2f} Gbit/s a core")


def rate(out):
    return json.loads(out)["rate"]["text_bits_per_second"]


def ring(connections):
    return rate(subprocess.run([HANDFAST, "pair", "--app", "chargen", "--layout", "split", "--concurrency",
                                str(connections), *buffers(connections), *MEASURED], capture_output=True, check=True).stdout)


def memif(connections):
    with tempfile.TemporaryDirectory() as scratch:
        common = ("--app", "discard", "--concurrency", str(connections), "--idle", "spin", *buffers(connections), "--dev")
        serve = subprocess.Popen([HANDFAST, "serve", *common, f"memif:{scratch}/s,role=server", "--cores", str(CORES[0]),
                                  "--addr", "10.97.0.2/24", "--mac", "02:00:00:00:00:02", "--listen", "10.97.0.2:80",
                                  "-q"], stderr=subprocess.DEVNULL)
        while not os.path.exists(f"{scratch}/s") and serve.poll() is None:
            time.sleep(0.1)
        out = subprocess.run([HANDFAST, "load", *common, f"memif:{scratch}/s,role=client", "--cores", str(CORES[1]),
                              "--addr", "10.97.0.1/24", "--mac", "02:00:00:00:00:01", "--target", "10.97.0.2:80",
                              *MEASURED], capture_output=True, check=True).stdout
        serve.send_signal(signal.SIGINT)
        serve.wait(30)
    return rate(out)


def kernel(connections):
    """iperf3 in two network namespaces, in a PID namespace that takes all of it along when the time is over."""
    peer = f"""
        until ip link show veth1 >/dev/null 2>&1; do sleep 0.1; done
        ip addr add 10.96.0.2/24 dev veth1; ip link set veth1 up
        exec taskset -c {CORES[0]} iperf3 -s -1 >/dev/null"""
    script = f"""
        unshare -n sh -c '{peer}' & sleep 0.5
        ip link add veth0 type veth peer name veth1 netns $!
        ip addr add 10.96.0.1/24 dev veth0; ip link set veth0 up; sleep 1
        exec taskset -c {CORES[1]} iperf3 -J -c 10.96.0.2 --connect-timeout 5000 -O 1 -t {SECONDS} -P {connections}"""
    flags = ["-n"] if os.geteuid() == 0 else ["-Urn"]
    out = subprocess.run(["unshare", *flags, "--pid", "--fork", "--kill-child", "sh", "-c", script], capture_output=True,
                         check=True, timeout=int(SECONDS) + 60).stdout
    return json.loads(out)["end"]["sum_received"]["bits_per_second"]


for n in (1, 1000):
    say("net_ring", n, ring(n))
    say("memif", n, memif(n))
for n in (1, 128):  # iperf3 has no more
    try:
        say("the kernel over veth", n, kernel(n))
    except (subprocess.SubprocessError, ValueError, KeyError) as why:
        print(f"bulk, the kernel over veth: not measured: {why.__class__.__name__}")
