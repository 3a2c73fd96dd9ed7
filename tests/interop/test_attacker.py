# SPDX-License-Identifier: BSD-3-Clause
"""An attacker with a raw socket on the link of `handfast serve`, while curl is served: test_attacker.py HANDFAST

SEC-1, SEC-2, SEC-3, SEC-7, SEC-9, SEC-21, SEC-26, SEC-33: each frame is dropped for its own reason, no client notices.
"""

import ctypes
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import wire

wire.need_scapy()
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_LSRR
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

MAC = "02:66:66:66:66:66"
WHO = {4: "10.99.0.66", 6: "fd99::66"}
PORT = 6666
# ldw [0], jeq to accept, ldh [12], jeq to accept, accept, refuse: what comes to the attacker, and ARP. curl's
# frames would fill the queue while nobody reads.
FILTER = b"".join(struct.pack("HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x15, 2, 0, 0x02666666), (0x28, 0, 0, 12), (0x15, 0, 1, 0x0806), (6, 0, 0, 65536), (6, 0, 0, 0)))


class Link:
    """The attacker's hands: frames out, and in those that are for an address that nobody else has."""

    def __init__(self, mac):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        code = ctypes.create_string_buffer(FILTER)
        self.sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", len(FILTER) // 8, ctypes.addressof(code)))
        self.sock.bind(("hf0", 3))  # SO_ATTACH_FILTER; ETH_P_ALL
        self.sock.settimeout(20)
        self.ether = Ether(src=MAC, dst=mac)
        self.ip = self.ether / IP(src=WHO[4], dst=wire.OURS[4])
        self.ip6 = self.ether / IPv6(src=WHO[6], dst=wire.OURS[6])

    def send(self, *frames):
        for frame in frames:
            self.sock.send(bytes(frame))

    def receive(self, port):
        """The next segment to this port of the attacker's; who asks for his address is told."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            frame = Ether(self.sock.recv(65536))
            if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == WHO[4]:
                self.send(Ether(src=MAC, dst=frame.src) / ARP(op=2, hwsrc=MAC, psrc=WHO[4], hwdst=frame[ARP].hwsrc,
                                                             pdst=frame[ARP].psrc))
            elif TCP in frame and IP in frame and frame[IP].dst == WHO[4] and frame[TCP].dport == port:
                return frame[TCP]
        raise AssertionError(f"nothing to port {port}")

    def open(self, port, options):
        """A handshake. @return what the next segment of ours has in common with all others, their SYN-ACK"""
        self.send(self.ip / TCP(sport=port, dport=80, seq=1000, flags="S", options=options))
        synack = self.receive(port)
        return dict(sport=port, dport=80, ack=(synack.seq + 1) % (1 << 32)), synack


def malformed(link):
    """Counter: the frames that it counts."""
    syn = TCP(sport=PORT, dport=80, flags="S")
    to6 = link.ip6
    ip = lambda **fields: link.ether / IP(**{"src": WHO[4], "dst": wire.OURS[4], **fields})  # noqa: E731
    return {
        "rx_drop_ip_len": [ip(len=n) / syn for n in (0, 19, 41, 65535)] + [ip(ihl=n) / syn for n in (0, 4)],
        "rx_drop_ip_csum": [ip(chksum=n) / syn for n in (0, 0xffff)],
        "rx_drop_tcp_csum": [link.ip / TCP(sport=PORT, dport=80, flags="S", chksum=n) for n in (0, 1)],
        "rx_drop_tcp_len": [link.ip / TCP(sport=PORT, dport=80, flags="S", dataofs=n) for n in (0, 1, 4, 6, 15)],
        "rx_drop_land": [ip(src=wire.OURS[4]) / syn, ip(src=wire.OURS[4]) / TCP(sport=80, dport=80, flags="S"),
                         link.ether / IPv6(src=wire.OURS[6], dst=wire.OURS[6]) / syn],
        "rx_drop_frag": [ip(flags="MF") / syn, ip(frag=1) / Raw(bytes(64)), ip(frag=8191) / Raw(bytes(64)),
                         to6 / IPv6ExtHdrFragment(m=1, nh=6) / syn],
        "rx_drop_ttl": [ip(ttl=0) / syn, link.ether / IPv6(src=WHO[6], dst=wire.OURS[6], hlim=0) / syn],
        "rx_drop_ip_srcroute": [ip(options=[IPOption_LSRR(routers=["10.99.0.9"])]) / syn],
        "rx_drop_ip_ext": [to6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrHopByHop() / syn],
        "rx_drop_port0": [link.ip / TCP(sport=0, dport=80, flags="S"), link.ip / TCP(sport=PORT, dport=0, flags="S")],
        "rx_drop_proto": [link.ip / UDP(sport=1, dport=80) / b"x", ip(proto=47) / b"xxxxxxxx"],
        "rx_drop_flags": [link.ip / TCP(sport=PORT, dport=80, flags=f) for f in ("", "SF")],
        "rx_drop_icmp": [link.ip / ICMP(type=3, code=c, nexthopmtu=n) / IP(src=wire.OURS[4], dst=wire.KERNEL[4]) /
                         TCP(sport=80, dport=40000, seq=5) for c, n in ((1, 0), (3, 0), (4, 68), (4, 0), (4, 65535))],
        "rx_drop_nd": [link.ether / IPv6(src=WHO[6], dst=wire.OURS[6], hlim=64) /
                       ICMPv6ND_NA(tgt=wire.KERNEL[6], O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC)],
        "rx_drop_arp": [link.ether / ARP(op=2, hwtype=n, hwsrc=MAC, psrc=wire.KERNEL[4], pdst=wire.OURS[4])
                        for n in (0, 6, 65535)],
    }


class Attacker(wire.Test):
    def setUp(self):
        self.serve = self.start("serve", "--listen", "0.0.0.0:80,[::]:80", "--app", "http", "--response", "20000")
        self.served, self.stopped = [], threading.Event()
        self.curl(4)
        self.curl(6)
        self.link = Link(re.search(r"lladdr (\S+)", wire.sh(f"ip neigh show {wire.OURS[4]}"))[1])
        self.addCleanup(self.link.sock.close)
        self.client = threading.Thread(target=self.keep_on)
        self.client.start()
        self.addCleanup(self.client.join)
        self.addCleanup(self.stopped.set)

    def curl(self, version):
        ran = subprocess.run(["curl", "-sS", "-g", "-m", "10", "-o", "/dev/null", "-w", "%{size_download}",
                              wire.url(version)], capture_output=True, text=True, timeout=20, check=False)
        self.served.append(ran.stdout + ran.stderr)

    def keep_on(self):
        while not self.stopped.is_set():
            self.curl(4 + len(self.served) % 2 * 2)

    def finish(self):
        """What came of it, when no client has noticed anything. @return counters"""
        before = len(self.served)
        wire.until(lambda: len(self.served) > before + 2, 20, "no client is served any more")
        self.stopped.set()
        self.client.join()
        self.assertEqual(set(self.served), {"20000"})
        report = self.serve.stop()
        self.balanced(self.serve, report)
        return report["counters"]

    def test_malformed(self):
        """SEC-1, SEC-2, SEC-9, SEC-21, SEC-26, SEC-33: and a SYN cut off at each octet."""
        frames = malformed(self.link)
        syn = TCP(sport=PORT, dport=80, flags="S", options=[("MSS", 1460), ("Timestamp", (1, 0))])
        whole = bytes(self.link.ip / syn)
        for _ in range(10):
            for some in frames.values():
                self.link.send(*some)
            self.link.send(*(whole[:n] for n in range(14, len(whole))))
        counters = self.finish()
        for name, some in frames.items():
            self.assertGreaterEqual(counters[name], 10 * len(some), (name, counters))

    def test_claims(self):
        """SEC-33: whoever claims, unasked, addresses that nobody has asked for is not believed (RFC826-c)."""
        claims = [self.link.ether / ARP(op=op, hwsrc=MAC, psrc=f"10.99.0.{n}", pdst=wire.OURS[4])
                  for n in range(100, 200) for op in (1, 2)]
        claims += [self.link.ether / IPv6(src=f"fd99::{n}", dst=wire.OURS[6]) /
                   ICMPv6ND_NA(tgt=f"fd99::{n}", O=1, S=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC)
                   for n in range(100, 200)]
        self.link.send(*claims)
        counters = self.finish()
        self.assertGreaterEqual(counters["rx_drop_arp"], 100)

    def test_option_bombs(self):
        """SEC-2: the segment stands, its options end where one is wrong (MUST-7)."""
        bombs = [bytes([kind, size]) * 20 for kind in (2, 3, 4, 5, 8, 34, 254) for size in (0, 1, 255)]
        for i, bomb in enumerate(bombs):
            # scapy sums up what it cannot read: the options are the text of a header without any
            whole = self.link.ip / TCP(sport=PORT + i, dport=80, seq=1000, flags="S", dataofs=15) / bomb
            self.link.send(whole)
            synack = self.link.receive(PORT + i)
            self.assertEqual((str(synack.flags), synack.ack), ("SA", 1001))
            self.link.send(self.link.ip / TCP(sport=PORT + i, dport=80, seq=1001, flags="R"))
        self.finish()

    def test_text_that_overlaps_and_is_urgent(self):
        """SEC-3, SEC-7: pieces over each other, urgent pointers beyond all text, and an MSS of one octet."""
        same, _ = self.link.open(PORT, [("MSS", 1)])
        text = b"GET / HTTP/1.0\r\n\r\n"
        for start, end, urgent in ((9, 18, 65535), (4, 12, 0), (2, 18, 1), (0, 6, 18), (0, 18, 19)):
            self.link.send(self.link.ip / TCP(**same, seq=1001 + start, flags="PAU", urgptr=urgent) / text[start:end])
        got = b""
        while len(got) < 20000:
            segment = self.link.receive(PORT)
            piece = bytes(segment.payload)
            self.assertLessEqual(len(piece), 216)
            if segment.seq == same["ack"]:
                got += piece
                same["ack"] = (same["ack"] + len(piece)) % (1 << 32)
            if piece:
                self.link.send(self.link.ip / TCP(**same, seq=1019, flags="A"))
        self.assertTrue(got.startswith(b"HTTP/1.1 200"), got[:20])
        self.link.send(self.link.ip / TCP(**same, seq=1019, flags="R"))
        self.finish()


if __name__ == "__main__":
    wire.main("curl")
