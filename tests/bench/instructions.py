#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a connection costs, in instructions: tests/bench/instructions.py PROGRAM [--baseline FILE | --write FILE]

PROGRAM is bench_connection. Counted under callgrind inside the library's calls alone, seeded and under a virtual
clock, so that the same build gives the same number on every machine. With a baseline, more than two per cent above
it fails, and a figure as far below asks for a new one.
"""

import argparse
import json
import re
import subprocess
import sys

CALLS = ("hf_turn", "hf_flush", "hf_connect", "hf_accept", "hf_send", "hf_recv", "hf_close")
FEW, MANY = 500, 2500  # connections; what starting costs is the same in both
TOLERANCE = 0.02


def collected(program, connections, version, *keys):
    ran = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                          *(f"--toggle-collect={call}" for call in CALLS), program, str(connections), version, *keys],
                         capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or not found:
        sys.exit(f"callgrind on {program}: {ran.stderr.strip()}")
    return int(found[1])


def measure(program):
    return {f"IPv{version}": (collected(program, MANY, version) - collected(program, FEW, version)) // (MANY - FEW)
            for version in "46"}


def compare(measured, path):
    """The status: 1 when a connection has become dearer."""
    status = 0
    with open(path, encoding="utf-8") as file:
        baseline = json.load(file)
    for version, count in measured.items():
        change = count / baseline[version] - 1
        print(f"{version}: {count} instructions a connection of six packets, both ends; {change:+.1%} of the baseline")
        if change > TOLERANCE:
            print(f"{version}: too many. What they are spent on must be worth it: then --write {path}")
            status = 1
        elif change < -TOLERANCE:
            print(f"{version}: cheaper; keep it so: --write {path}")
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--baseline")
    parser.add_argument("--write")
    options = parser.parse_args()
    measured = measure(options.program)
    if options.write:
        with open(options.write, "w", encoding="utf-8") as file:
            json.dump(measured, file, indent=1)
            file.write("\n")
    if options.baseline:
        sys.exit(compare(measured, options.baseline))
    for version, count in measured.items():
        print(f"{version}: {count} instructions a connection of six packets, both ends")


if __name__ == "__main__":
    main()
