#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""HF-G4: what the worst frames cost, in instructions: tests/bench/worst.py PROGRAM

PROGRAM is bench_worst. No kind of frame may cost more than BOUND, whatever came before it: with 16 MiB of small
segments in flight and every second one acknowledged neither (SEC-7); and an octet out of order, with the queue of
such ones full, no more than TIMES what it costs in order (SEC-8).
"""

import re
import subprocess
import sys
import tempfile

BOUND = 16000  # a turn and a flush for one frame, mean of a kind; 64 ranges held out of order are the most to walk
TIMES = 2


def main():
    with tempfile.NamedTemporaryFile() as counts:
        ran = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts.name}", sys.argv[1]],
                             capture_output=True, text=True, check=False)
        if ran.returncode:
            sys.exit(f"callgrind on {sys.argv[1]}: {ran.stderr.strip()}")
        table = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", counts.name],
                               capture_output=True, text=True, check=True).stdout
    status = 0
    costs = {}
    for name, frames in re.findall(r"(\w+) (\d+)", ran.stdout):
        cost = re.search(rf"^\s*([\d,]+) .*:worst_{name}\b", table, re.MULTILINE)
        if not cost:
            sys.exit(f"{name}: callgrind has not seen it")
        each = costs[name] = int(cost[1].replace(",", "")) // int(frames)
        print(f"{name}: {each} instructions a frame")
        if each > BOUND:
            print(f"{name}: more than {BOUND}: what is walked has no cap, or one too high")
            status = 1
    for name in ("at_random", "backward"):
        if costs[name] > TIMES * costs["in_order"]:
            print(f"{name}: more than {TIMES} times in_order")
            status = 1
    sys.exit(status)


main()
