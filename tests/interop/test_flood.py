# SPDX-License-Identifier: BSD-3-Clause
"""HF-GOAL-7, SEC-14, SEC-15: clients of `handfast serve` on a tap while SYNs from everywhere come as fast as a raw
socket sends them, and while hundreds of peers never read what they have asked for: test_flood.py HANDFAST"""

import concurrent.futures
import contextlib
import ipaddress
import random
import re
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import wire

wire.need_scapy()
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

CLIENTS = 500 if wire.BRIEF else 2000
DEAF = 200
SYNS = 2048  # different ones, over and over
BURST = 64


def syns(mac, port):
    """Frames of SYNs to ours, over IPv4 and IPv6, from addresses and ports at random."""
    rng = random.Random(7)
    ether = Ether(src="02:66:66:66:66:66", dst=mac)
    for i in range(SYNS):
        tcp = TCP(sport=rng.randrange(1024, 65536), dport=port, seq=rng.getrandbits(32), window=64000,
                  options=[("MSS", 1460)])
        if i % 2:
            ip = IP(src=f"10.7.{rng.getrandbits(8)}.{rng.randrange(1, 255)}", dst=wire.OURS[4], id=0, flags="DF")
        else:
            ip = IPv6(src=str(ipaddress.IPv6Address("2001:db8::") + rng.getrandbits(80)), dst=wire.OURS[6])
        yield bytes(ether / ip / tcp)


def dropped(device):
    """Frames that the kernel could not pass to it."""
    lines = Path("/proc/net/dev").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.split()[0] == f"{device}:").split()[12])


def flood(mac, port):
    """What the attacker's process does until its stdin ends: as many as the tap takes. Were there more, the tap's queue
    would drop its clients' frames too, and nothing be said of handfast."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind(("hf0", 0))
    frames, sent, gap, lost = list(syns(mac, port)), 0, 1e-4, 0
    begin = time.monotonic()
    print("begun", flush=True)
    while not select.select([sys.stdin], [], [], gap)[0]:
        at = sent % SYNS
        for frame in frames[at:at + BURST]:
            with contextlib.suppress(OSError):  # ENOBUFS
                sock.send(frame)
        sent += BURST
        now = dropped("hf0")
        gap = min(gap * 2 + 1e-5, 0.01) if now > lost else gap * 0.98
        lost = now
    print(sent, lost, time.monotonic() - begin)


def client(i):
    """@return whether it connects, by SYN's repeats if need be"""
    with contextlib.suppress(OSError):
        socket.create_connection((wire.OURS[4 + i % 2 * 2], 7000), timeout=20).close()
        return True
    return False


class Flood(wire.Test):
    def attacker(self, port):
        mac = re.search(r"lladdr (\S+)", wire.sh(f"ip neigh show {wire.OURS[4]}"))[1]
        process = subprocess.Popen([sys.executable, __file__, "flood", mac, str(port)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_syns(self):
        """HF-GOAL-7, SEC-15"""
        serve = self.start("serve", "--listen", "0.0.0.0:7000,[::]:7000", "--close", "peer", "--set",
                           "tcp.syn_backlog=64")
        self.connect(7000).close()
        attacker = self.attacker(7000)
        self.assertEqual(attacker.stdout.readline(), "begun\n")
        begin, opened = time.monotonic(), []
        with concurrent.futures.ThreadPoolExecutor(64) as clients:  # one whose SYN finds the tap full waits for a second
            for i in range(CLIENTS):
                opened.append(clients.submit(client, i))
                time.sleep(max(0, begin + i / 1000 - time.monotonic()))  # a thousand a second
        connected = sum(one.result() for one in opened)
        rate = CLIENTS / (time.monotonic() - begin)
        sent, lost, seconds = attacker.communicate("stop\n", timeout=60)[0].split()
        report = serve.stop()
        self.balanced(serve, report)
        cookies = report["counters"]["cookie_sent"]
        print(f"HF-GOAL-7: {connected} of {CLIENTS} clients connected, {rate:.0f}/s, beside {sent} SYNs, "
              f"{int(sent) / float(seconds):.0f}/s, {lost} lost by the tap, {cookies} answered by cookies")
        self.assertGreaterEqual(connected * 100, CLIENTS * 99)
        self.assertGreater(cookies, 0)

    def test_peers_that_never_read(self):
        """SEC-14: windows shut for long are reset when there are too many, and clients are served all the while."""
        serve = self.start("serve", "--listen", "0.0.0.0:80,[::]:80", "--app", "http", "--response", "1000000", "--set",
                           "tcp.max_shut_windows=50")
        deaf = [self.connect(80, 4 + i % 2 * 2) for i in range(DEAF)]
        for sock in deaf:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.until(lambda: wire.kernel_states(80, "ESTAB") <= 60, 60, "no window is reset")
        for version in (4, 6):
            ran = subprocess.run(["curl", "-sS", "-g", "-m", "20", wire.url(version)], capture_output=True, check=True)
            self.assertEqual(len(ran.stdout), 1000000)
        for sock in deaf:
            wire.abort(sock)
        report = serve.stop()
        self.balanced(serve, report)
        self.assertGreaterEqual(report["counters"]["zero_window_reset"], DEAF - 60)


if __name__ == "__main__":
    if sys.argv[1:2] == ["flood"]:
        flood(sys.argv[2], int(sys.argv[3]))
    else:
        wire.main("curl")
