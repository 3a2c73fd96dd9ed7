# SPDX-License-Identifier: BSD-3-Clause
"""Golden cases: golden.py [--bless | --show | --trace | --explain] HANDFAST [CASE...]

A case is a directory: in.txt, what the peer sends (segments.py says how); case.yaml, a profile with what the
application does; want.txt, what handfast has to send and tell. Lines of in.txt besides segments:

    # the rule that the next lines show
    flow PEER:PORT OURS:PORT    of the lines below; 192.0.2.9:40000 192.0.2.1:80 before the first
    link ether                  frames rather than IP packets

Each case runs over IPv4 and over its IPv6 twins, with other secrets, and with sequence numbers and the clock
close to their wrap; want.txt is the same. tcpdump reads every capture that handfast has written, and finds
the checksums right. --bless rewrites want.txt and prints the difference: review it by the rules.
--trace prints instead what `replay --trace` does, in UTC, from midnight on.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import segments

HERE = Path(__file__).resolve().parent
FLOW = "192.0.2.9", 40000, "192.0.2.1", 80
# IP version, seed, the peer's ISS, second at which the clock starts (its milliseconds wrap at 4294967.296)
VARIANTS = (4, 1, 1, 1000), (6, 2, 0xFFFFFFFE, 4294967)
TRACED = 4, 1, 1, 86400
EVENT = re.compile(r"(\d+\.\d{6}) (\d+ .*)")


class Case:
    def __init__(self, path):
        self.path = path
        self.ether = False
        self.lines = []  # (flow, line)
        flow = FLOW
        for number, line in enumerate((path / "in.txt").read_text(encoding="utf-8").split("\n"), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] == "flow":
                peer, ours = (word.rsplit(":", 1) for word in words[1:])
                flow = peer[0], int(peer[1]), ours[0], int(ours[1])
            elif words == ["link", "ether"]:
                self.ether = True
            elif segments.LINE.fullmatch(" ".join(words)):
                self.lines.append((flow, " ".join(words)))
            else:
                raise SystemExit(f"{path}/in.txt:{number}: {line}")

    def profile(self, version):
        """case.yaml, its addresses as this version has them"""
        text = (self.path / "case.yaml").read_text(encoding="utf-8")
        if version == 4:
            return text
        return re.sub(r"192\.0\.2\.(\d+):(\d+)", r"[2001:db8::\1]:\2", text)


def tcpdump_agrees(path, count):
    ran = subprocess.run(["tcpdump", "-n", "-vv", "-r", str(path)], capture_output=True, text=True, check=True)
    right = len(re.findall(r"cksum 0x[0-9a-f]+ \(correct\)", ran.stdout))
    if right != count or re.search(r"incorrect|bad cksum|bad-", ran.stdout):
        raise ValueError(f"tcpdump finds {right} of {count} checksums correct:\n{ran.stdout}")


def replay_once(handfast, case, variant, numbers, scratch, trace=()):
    """@return what was sent and told, as the lines of want.txt or of the trace, and the numbers that were in it"""
    version, seed, irs, base = variant
    profile, source, target = scratch / "case.yaml", scratch / "in.pcap", scratch / "out.pcap"
    profile.write_text(case.profile(version), encoding="utf-8")
    link = segments.ETHERNET if case.ether else segments.RAW
    frames = [segments.encode(line, flow, numbers, version, case.ether) for flow, line in case.lines]
    segments.capture_write(source, link, frames, base)
    ran = subprocess.run([handfast, "replay", "-c", profile, "--start", f"{base}s", "--seed", str(seed), *trace,
                          source, target], env=dict(os.environ, TZ="UTC"),
                         capture_output=True, text=True, timeout=60, check=False)
    if ran.returncode or ran.stderr:
        raise ValueError(f"exit {ran.returncode}: {ran.stderr}")
    if f"secrets: seeded ({seed})" not in ran.stdout:
        raise ValueError(f"says not where its secrets come from:\n{ran.stdout}")

    found = segments.Numbers(irs)
    link_out, sent = segments.capture_read(target, base)
    if link_out != link:
        raise ValueError(f"link type {link_out}")
    lines = [(float(m[1]), 0, f"{segments.stamp(float(m[1]))} ! {m[2]}") for m in map(EVENT.fullmatch, ran.stdout.split("\n")) if m]
    flow = FLOW
    for time, frame in sent:
        to, line = segments.decode(time, frame, found, case.ether)
        if to != flow:
            flow = to
            lines.append((time, 1, f"flow {to[0]}:{to[1]} {to[2]}:{to[3]}"))
        lines.append((time, 1, line))
    tcpdump_agrees(target, len(sent))
    if trace:
        return ran.stdout.split("\nhandfast replay:")[0].split("\n"), found
    lines.sort(key=lambda x: x[:2])  # of one turn: what was told, then what was sent
    return [line for _, _, line in lines], found


def replay(handfast, case, variant, trace=()):
    """Once more with each ISS and timestamp that the run before has shown, until no new one comes."""
    numbers = segments.Numbers(variant[2])
    with tempfile.TemporaryDirectory(prefix="golden-") as scratch:
        for _ in range(6):
            lines, found = replay_once(handfast, case, variant, numbers, Path(scratch), trace)
            if (found.syns, found.stamps) == (numbers.syns, numbers.stamps):
                return lines
            numbers = found
    raise ValueError("sends other numbers each time")


def show(case, lines):
    sent = [(float(line.split()[0]), 1, line) for line in lines if not line.startswith("flow")]
    came = [(float(line.split()[0]), 0, line) for _, line in case.lines]
    for _, _, line in sorted(came + sent, key=lambda x: x[:2]):
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bless", action="store_true", help="rewrite want.txt and print the difference")
    parser.add_argument("--show", action="store_true", help="print both sides' segments")
    parser.add_argument("--trace", action="store_true", help="print the segments and where they lead")
    parser.add_argument("--explain", action="store_true", help="the same with a sentence about each segment")
    parser.add_argument("handfast", type=Path)
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    wrong = 0
    paths = sorted(path.parent for path in HERE.glob("*/in.txt") if not options.cases or path.parent.name in options.cases)
    if not paths or len(paths) < len(options.cases):
        parser.error("no such case")
    for path in paths:
        case = Case(path)
        if options.trace or options.explain:
            trace = ["--trace", "--explain"] if options.explain else ["--trace"]
            print("\n".join(replay(options.handfast, case, TRACED, trace)))
            continue
        want = path / "want.txt"
        old = want.read_text(encoding="utf-8").split("\n")[:-1] if want.exists() else []
        for variant in VARIANTS:
            name = f"{path.name}: IPv{variant[0]}, seed {variant[1]}"
            try:
                lines = replay(options.handfast, case, variant)
            except ValueError as error:
                print(f"{name}: {error}")
                wrong += 1
                continue
            if options.show and variant == VARIANTS[0]:
                show(case, lines)
            if lines == old:
                continue
            print("\n".join(difflib.unified_diff(old, lines, f"{path.name}/want.txt", name, lineterm="")))
            if options.bless and variant == VARIANTS[0]:
                want.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
                old = lines
            else:
                wrong += 1
    if not options.trace and not options.explain:
        print(f"{len(paths)} cases, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
