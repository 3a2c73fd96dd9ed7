# SPDX-License-Identifier: BSD-3-Clause
"""Segments as lines of text, as frames, and in captures; for golden.py.

    TIME DIRECTION FLAGS seq N [ack N] win N len N [<OPTIONS>] [badsum] [badip] [pad N]

Direction < is toward handfast, > from it. Flags and options are spelled as tcpdump does. A peer's numbers
count from its first SYN's, ours from our latest SYN's, our timestamps from our first one. Where a flow has
another ISS than before, "iss +N" says by how much.
"""

import ipaddress
import re
import struct

FLAGS = "FSRP.UEW"
RAW, ETHERNET = 101, 1
WRAP = 1 << 32
STATIONS = bytes.fromhex("026866000002"), bytes.fromhex("026866000001")  # ours, the peer's
LINE = re.compile(r"(?P<time>\d+(\.\d+)?) (?P<way>[<>]) (?P<flags>[A-Z.]+|none) seq (?P<seq>\d+)"
                  r"( ack (?P<ack>\d+))? win (?P<win>\d+) len (?P<len>\d+)( <(?P<options>[^>]*)>)?"
                  r"(?P<badsum> badsum)?(?P<badip> badip)?( pad (?P<pad>\d+))?")


class Numbers:
    """What a run's secrets have made: our ISSs and timestamps, by flow. The peer's ISS is the test's."""

    def __init__(self, irs):
        self.irs = irs
        self.syns = {}  # flow: [(time, iss)]
        self.stamps = {}  # flow: our first TSval

    def iss(self, flow, time):
        known = [iss for at, iss in self.syns.get(flow, ()) if at <= time]
        return known[-1] if known else 0


def csum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text, version):
    """192.0.2.X, or its twin 2001:db8::X"""
    ip = ipaddress.ip_address(text)
    return ip if version == 4 else ipaddress.ip_address(f"2001:db8::{int(ip) & 0xFF}")


def plain(ip):
    return str(ip) if ip.version == 4 else f"192.0.2.{int(ip) & 0xFF}"


def pseudo(src, dst, length):
    if src.version == 4:
        return src.packed + dst.packed + struct.pack("!BBH", 0, 6, length)
    return src.packed + dst.packed + struct.pack("!II", length, 6)


# ---- Options


def options_encode(text, numbers, flow, time, first):
    out = b""
    for option in filter(None, (text or "").split(",")):
        words = option.split()
        if words[0] == "mss":
            out += struct.pack("!BBH", 2, 4, int(words[1]))
        elif words[0] == "wscale":
            out += struct.pack("!BBB", 3, 3, int(words[1]))
        elif words[0] == "sackOK":
            out += b"\x04\x02"
        elif words[0] == "nop":
            out += b"\x01"
        elif words[0] == "eol":
            out += b"\x00"
        elif words[0] == "TS":
            echo = int(words[4])
            if not first:  # a SYN's echo is 0 (RFC 7323 3.2)
                echo += numbers.stamps.get(flow, 0)
            out += struct.pack("!BBII", 8, 10, int(words[2]) % WRAP, echo % WRAP)
        elif words[0] == "sack":
            edges = [(int(x) + numbers.iss(flow, time)) % WRAP for x in re.findall(r"\d+", option)[1:]]
            out += struct.pack("!BB", 5, 2 + 4 * len(edges)) + struct.pack(f"!{len(edges)}I", *edges)
        else:
            raise ValueError(f"no option {option}")
    return out + b"\0" * (-len(out) % 4)


def options_decode(octets, numbers, flow, version):
    out = []
    while octets:
        kind = octets[0]
        if kind == 0:
            if any(octets):
                raise ValueError("options after their end")
            break
        if kind == 1:
            out.append("nop")
            octets = octets[1:]
            continue
        value, octets = octets[2:octets[1]], octets[octets[1]:]
        if kind == 2:  # IPv6 headers are 20 octets longer: print what IPv4 would have
            out.append(f"mss {int.from_bytes(value, 'big') + (20 if version == 6 else 0)}")
        elif kind == 3:
            out.append(f"wscale {value[0]}")
        elif kind == 4:
            out.append("sackOK")
        elif kind == 5:
            edges = [(x - numbers.irs) % WRAP for x in struct.unpack(f"!{len(value) // 4}I", value)]
            blocks = "".join(f"{{{a}:{b}}}" for a, b in zip(edges[::2], edges[1::2]))
            out.append(f"sack {len(edges) // 2} {blocks}")
        elif kind == 8:
            val, echo = struct.unpack("!II", value)
            out.append(f"TS val {(val - numbers.stamps.setdefault(flow, val)) % WRAP} ecr {echo}")
        else:
            raise ValueError(f"option {kind}")
    return ",".join(out)


# ---- Frames


def encode(line, flow, numbers, version, ether):
    """A line of text toward us -> its time and its frame. flow is (peer, port, ours, port)."""
    m = LINE.fullmatch(line)
    if not m or m["way"] != "<":
        raise ValueError(f"is no segment toward us: {line}")
    time = float(m["time"])
    src, dst = address(flow[0], version), address(flow[2], version)
    flags = 0 if m["flags"] == "none" else sum(1 << FLAGS.index(c) for c in m["flags"])
    ack = (int(m["ack"]) + numbers.iss(flow, time)) % WRAP if m["ack"] else 0
    options = options_encode(m["options"], numbers, flow, time, m["flags"] == "S")
    text = bytes(i % 251 for i in range(int(m["len"])))
    tcp = struct.pack("!HHIIBBHHH", flow[1], flow[3], (int(m["seq"]) + numbers.irs) % WRAP, ack,
                      (20 + len(options)) // 4 << 4, flags, int(m["win"]), 0, 0) + options + text
    check = csum(pseudo(src, dst, len(tcp)) + tcp) ^ (0x0100 if m["badsum"] else 0)
    tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
    if version == 4:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + src.packed + dst.packed
        ip = ip[:10] + struct.pack("!H", csum(ip) ^ (0x0100 if m["badip"] else 0)) + ip[12:]
    else:  # no header checksum: a version that is none
        ip = struct.pack("!IHBB", 0x50000000 if m["badip"] else 0x60000000, len(tcp), 6, 64) + src.packed + dst.packed
    link = STATIONS[0] + STATIONS[1] + (b"\x08\x00" if version == 4 else b"\x86\xdd") if ether else b""
    return time, link + ip + tcp + b"\xa5" * int(m["pad"] or 0)


def decode(time, frame, numbers, ether):
    """One of our frames -> its flow and its line of text; every checksum and length has to be right."""
    if ether:
        if frame[:6] != STATIONS[1] or frame[6:12] != STATIONS[0]:
            raise ValueError(f"goes from {frame[6:12].hex()} to {frame[:6].hex()}")
        if frame[12:14] != (b"\x08\x00" if frame[14] >> 4 == 4 else b"\x86\xdd"):
            raise ValueError(f"EtherType {frame[12:14].hex()}")
        frame = frame[14:]
    version = frame[0] >> 4
    if version == 4:
        header, proto, total = 20, frame[9], int.from_bytes(frame[2:4], "big")
        src, dst = ipaddress.ip_address(frame[12:16]), ipaddress.ip_address(frame[16:20])
        if frame[0] != 0x45 or csum(frame[:20]):
            raise ValueError("bad IPv4 header")
    else:
        header, proto, total = 40, frame[6], 40 + int.from_bytes(frame[4:6], "big")
        src, dst = ipaddress.ip_address(frame[8:24]), ipaddress.ip_address(frame[24:40])
    if proto != 6 or (total != len(frame) and not (ether and len(frame) + 14 == 60)):
        raise ValueError(f"protocol {proto}, {total} octets in a frame of {len(frame)}")
    tcp = frame[header:total]
    if csum(pseudo(src, dst, len(tcp)) + tcp):
        raise ValueError("bad TCP checksum")
    sport, dport, seq, ack, off, flags, win, _, urg = struct.unpack("!HHIIBBHHH", tcp[:20])
    off = off >> 4 << 2
    if urg:
        raise ValueError("an urgent pointer")
    flow = plain(dst), dport, plain(src), sport
    known, later = numbers.iss(flow, time), flow in numbers.syns
    if flags & 2:
        numbers.syns.setdefault(flow, []).append((time, seq))
    shown = "".join(c for i, c in enumerate(FLAGS) if flags >> i & 1)
    # tcpdump's order
    shown = "".join(sorted(shown, key="SFRPUEW.".index)) or "none"
    line = f"{stamp(time)} > {shown} seq {(seq - numbers.iss(flow, time)) % WRAP}"
    if flags & 16:
        line += f" ack {(ack - numbers.irs) % WRAP}"
    line += f" win {win} len {len(tcp) - off}"
    options = options_decode(tcp[20:off], numbers, flow, version)
    line += f" <{options}>" if options else ""
    return flow, line + (f" iss +{(seq - known) % WRAP}" if later and flags & 2 and seq != known else "")


def stamp(time):
    text = f"{time:.6f}"
    return text[:-3] if text.endswith("000") else text


# ---- Captures


def capture_write(path, link, frames, base):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link))
        for time, frame in frames:
            us = round(time * 1000000)
            out.write(struct.pack("<IIII", base + us // 1000000, us % 1000000, len(frame), len(frame)) + frame)


def capture_read(path, base):
    with open(path, "rb") as file:
        magic, _, _, _, _, _, link = struct.unpack("<IHHiIII", file.read(24))
        if magic != 0xA1B2C3D4:
            raise ValueError(f"magic {magic:x}")
        frames = []
        while header := file.read(16):
            sec, usec, cut, length = struct.unpack("<IIII", header)
            if cut != length:
                raise ValueError("a cut frame")
            frames.append((((sec - base) * 1000000 + usec) / 1000000, file.read(cut)))
    return link, frames
