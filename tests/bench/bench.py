#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""All that is measured, section by section, as a table and in one JSON: script/bench [options] [SECTION ...]"""

import argparse
import json
import re
import sys
from pathlib import Path

import devices
import figures
import page
import price
import rates
from figures import run


def instructions(section, _build, _runs, _quick):
    section.add_lines([run(sys.executable, figures.ROOT / "tests/bench/instructions.py",
                           figures.PLAIN / "tests/bench/bench_connection")])


def program(name, few, many, at_most=9):
    """A section that is what a program prints; its arguments in a quick run and else."""
    def measure(section, build, runs, quick):
        section.add_lines([run(build / f"tests/bench/{name}", *(few if quick else many)) for _ in range(min(runs, at_most))])
    return measure


def flood(section, build, runs, quick):
    """The server's cycles for a flood's frame, beside clients that all get through."""
    said = [run(build / "tests/bench/bench_flood", 100000 if quick else 1000000, "--json").splitlines() for _ in range(runs)]
    for each in zip(*[map(json.loads, lines) for lines in said]):
        section.add(f"{each[0]['flood']} flood, IPv{each[0]['ip']}, a frame", [one["cycles_per_frame"] for one in each], "cycles",
                    clients=f"{each[0]['connected']} of {each[0]['opened']}")


def said(name, few, many):
    """A section that is what a program says, as it stands, with each of the arguments."""
    def measure(section, build, _runs, quick):
        for argument in few if quick else many:
            for line in run(build / f"tests/bench/{name}", *argument).splitlines():
                section.content.setdefault("said", []).append(re.sub(r"^HF-GOAL-\d+: ", "", line))
                print(line)
    return measure


def bulk(section, build, _runs, quick):
    section.add_lines([run(sys.executable, figures.ROOT / "tests/bench/bulk.py", build / "app/handfast", 1 if quick else 3)])


SECTIONS = {
    "connections": rates.applications,
    "instructions": instructions,
    "price": price.measure,
    "steps": program("bench_steps", (200,), (3000,)),
    "flood": flood,
    "slow": said("bench_slow", ((10000,),), ((1000000,),)),
    "table": program("bench_table", ("small",), (), 1),
    "rte_hash": program("bench_hash", ("small",), (), 3),
    "live": program("bench_idle", (100000,), (10000000,), 1),
    "time_wait": rates.time_wait,
    "time_wait_at_scale": said("bench_time_wait", ((100000, 1),), ((4194304, 1), (21400000, 1))),
    "overload": rates.overload,
    "devices": devices.measure,
    "bulk": bulk,
    "fair": said("bench_fair", ((0,),), ((0,), (1,), (1000,))),
}


def main():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all of them")
    parser.add_argument("--build", type=Path, default=figures.ROOT / "build/bench")
    parser.add_argument("--runs", type=int, default=5, help="medians are of so many alternating runs")
    parser.add_argument("--quick", action="store_true", help="small and short, to see that all of it runs; no figures to quote")
    parser.add_argument("--json", type=Path, help="into this file; sections that are not measured now stay as they are in it")
    parser.add_argument("--page", type=Path, metavar="JSON", help="measure nothing: docs/performance.md of this file")
    options = parser.parse_args()
    if options.page:
        sys.stdout.write(page.make(json.loads(options.page.read_text(encoding="utf-8"))["sections"]))
        return
    for name in options.sections or SECTIONS:
        if name not in SECTIONS:
            parser.error(f"{name}: no such section")
        print(f"--- {name}", flush=True)
        section = figures.Section(name, 1 if options.quick else options.runs)
        SECTIONS[name](section, options.build, 1 if options.quick else options.runs, options.quick)
        if options.json:
            figures.store(options.json, section)


if __name__ == "__main__":
    main()
