# SPDX-License-Identifier: BSD-3-Clause
"""docs/performance.md, of the JSON that script/bench has written."""

from figures import number

HEAD = """# Performance

What handfast costs and how fast it is, measured by `script/bench --json docs/performance.json`; this page is made of
that file by `script/bench --page docs/performance.json`. To measure again is one command, `script/bench`; it takes about
an hour, of a machine that does nothing else. A part is measured by its name: `script/bench --json FILE price`.

- A figure is the median of the runs, which alternate with those beside it; in parentheses, the least and the most.
- A cycle is one of the TSC, and so is time: on a machine that is shared, and on one whose clock is not the TSC's, it is
  not a cycle of the core. Instructions are callgrind's, of the build without link-time optimization that the gate
  measures; they repeat exactly.
- A connection is a whole one: opened and closed at both ends. `rr` is six packets with a request and a response of one
  octet, the server closing first; `none` is handshake and close. All is on: timestamps and PAWS, ISNs of RFC 6528, the
  keyed table hash, TIME-WAIT and its reuse, checksums verified and made in software.
- T is how many tuples there are. In a steady state each of them is in TIME-WAIT; `evicted` and `overflow` count what has
  lost its TIME-WAIT for want of room.
"""

TEXTS = {
    "connections": ("Connections a second", """
`handfast pair` over net_ring, each end on a core of its own (split) or both on one core (local: one worker each, two
cores side by side); `serve` and `load` over net_memif are two processes on a core each. Cycles are of turns that found
work, device included."""),
    "instructions": ("Instructions a connection", """
Both ends, on the memory port: the gate of `script/test`."""),
    "price": ("The price of each safety", """
The same connections between two workers on memory ports, on one core, 256 under way, 4096 tuples that are reused out of
TIME-WAIT, with each safety taken out in turn; both ends together. Timestamps and TIME-WAIT go by configuration, the
verification of checksums by a device that vouches for them; hash, ISN and challenge-ACK bookkeeping are taken out of a
copy of the sources that the benchmark builds for itself (`tests/bench/without.py`). Differences in cycles below the
spread are none."""),
    "steps": ("Steps of a connection's life", """
256 connections in step between two workers on memory ports; a step is what the end named by it does for one of them,
in turns of 32 frames, its device included."""),
    "flood": ("Floods", """
Cycles of a server for each frame of a flood, four million a second of the virtual clock, beside clients that connect.
The SYN flood is answered by cookies."""),
    "slow": ("Slow peers", """
A million peers that shut their window, never acknowledge, say nothing, or send an octet every RTO - 1 ms, a quarter each,
beside clients that open and close."""),
    "table": ("Flow table and timers", """
Tuples at random, more of them than the caches hold in the larger tables; in bursts as a turn does it, with both
prefetches, or one by one. The hash is not counted here."""),
    "rte_hash": ("Flow table and rte_hash", """
The same tuples, as many in as many slots, from tuple to record in bursts of 32, hash included: ours is keyed and four
rounds of AES, rte_hash's the unkeyed CRC-32C. Its memory is EAL's without hugepages, as handfast's users have it (4 KiB pages;
ours are transparent hugepages), which the larger tables pay for in the TLB."""),
    "live": ("Rate against live connections", """
Established connections that do nothing, made by real handshakes between two workers over net_ring on one core; beside
them connections are opened and closed, and an octet goes there and back on idle ones far from each other."""),
    "time_wait": ("Rate against the TIME-WAIT population", """
`pair --layout split --app rr`, with as many tuples as so many client addresses make."""),
    "time_wait_at_scale": ("Millions in TIME-WAIT", """
One worker, its peer made by the benchmark; records enter by real closes and leave by expiry, a million of each in a
second of the virtual clock, sampled by late FINs and SYNs."""),
    "overload": ("Overload", """
As fast as it goes with 512 connections in flight, then twice that offered, open loop. What cannot be opened is counted,
not queued without bound."""),
    "bulk": ("Bulk", """
One way, a core for each end."""),
    "fair": ("Opens beside bulk", """
How long an open takes beside connections that send as fast as they can: a thousand opens a second, two workers over
net_ring in turns on one core. With no bulk the core also waits for its next open, and for whoever else wants it."""),
}

DEVICES = """
The same `serve` and `load`, two processes on two cores, over each device (af_packet: the two ends of a veth; tap: two of
them in one bridge); what dpdk-testpmd forwards over the same devices, 64 octets, `io`, there and back between two
processes; and what the kernel does of the same connections, one process with epoll at each end, over the same veth and over
loopback. All in one run by turns.
"""


def cell(figure):
    runs = figure["runs"]
    spread = f" ({number(min(runs))} to {number(max(runs))})" if len(runs) > 1 else ""
    return number(figure["value"]) + spread


def table(head, rows):
    lines = ["", "| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def facts(figure):
    return {key.replace("_", " "): value for key, value in figure.items() if key not in ("name", "value", "unit", "runs")}


def plain(section):
    figures = section["figures"]
    names = list(dict.fromkeys(key for figure in figures for key in facts(figure)))
    rows = [[figure["name"], cell(figure), figure["unit"],
             *(number(value) if isinstance(value, (int, float)) else str(value)
               for value in (facts(figure).get(name, "") for name in names))] for figure in figures]
    return table(["what", "figure", "unit", *names], rows) if rows else []


def price(section):
    """One row a variant, its two figures side by side, and what it saves."""
    units = ("cycles", "instructions")
    of = {unit: {f["name"].removesuffix(": both ends"): f for f in section["figures"] if f["unit"] == unit} for unit in units}
    names = list(of["cycles"])
    rows = []
    for name in names:
        row = [name]
        for unit in units:
            figure = of[unit][name]
            row += [cell(figure), "" if name == names[0] else f"{of[unit][names[0]]['value'] - figure['value']:+,.0f}"]
        rows.append(row)
    return table(["", "cycles", "price", "instructions", "price"], rows)


def devices(section):
    of = {figure["name"]: figure for figure in section["figures"]}
    names = [name.partition(":")[2] for name in of if name.startswith("connections:")]
    rows = [[name, cell(of[f"connections:{name}"]),
             cell(of[f"forwarding:{name}"]) if f"forwarding:{name}" in of else "not measured",
             cell(of["kernel:kernel_veth"]) if name == "af_packet" else ""] for name in names]
    rows.append(["loopback", "", "", cell(of["kernel:kernel_loopback"])])
    return table(["device", "serve and load, connections/s", "testpmd, frames/s each way", "the kernel, connections/s"], rows)


def measured(section):
    p = section["provenance"]
    runs = f"{p['runs']} run{'s'[:p['runs'] > 1]}"
    return ["", f"Measured {p['date']} at {p['commit']}, {runs}, on {p['cores']} cores of an {p['cpu']} (TSC "
            f"{p['clock_mhz']} MHz), {p['memory']}, Linux {p['kernel']}, DPDK {p['dpdk']}, {p['compiler']}."]


def make(sections):
    out = [HEAD.rstrip()]
    for name, section in sections.items():
        title, text = ("Devices", DEVICES) if name == "devices" else TEXTS[name]
        out += ["", f"## {title}", text.rstrip()]
        out += {"price": price, "devices": devices}.get(name, plain)(section)
        out += ["", *(f"- {line}" for line in section["said"])] if "said" in section else []
        out += measured(section)
    return "\n".join(out) + "\n"
