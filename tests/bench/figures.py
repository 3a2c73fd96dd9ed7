# SPDX-License-Identifier: BSD-3-Clause
"""What the measuring scripts share: figures with their units, medians of alternating runs, one JSON, one table."""

import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ROOT / "build/plain"  # without LTO, as the instruction gate is: callgrind must see the calls
LINE = re.compile(r"^(.*): (-?[\d.]+) (cycles|instructions|ns|us|octets|connections/s|Gbit/s a core|of \d+)\b(.*)$")


def run(*command, env=None, status=(0,)):
    """What a program says; its failure ends the run."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                         env={**os.environ, **(env or {})})
    if ran.returncode not in status:
        sys.exit(f"{' '.join(map(str, command))}: exit status {ran.returncode}\n{ran.stdout[-500:]}{ran.stderr[-2000:]}")
    return ran.stdout


def alternating(runs, makers):
    """Each of {name: function} once a round; {name: [results]}."""
    results = {name: [] for name in makers}
    for _ in range(runs):
        for name, make in makers.items():
            results[name].append(make())
    return results


def lines(text):
    """(name, value, unit) of each line `name: value unit`."""
    return [(found[1], float(found[2]), found[3]) for found in map(LINE.match, text.splitlines()) if found]


def first(pattern, path):
    try:
        found = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else "unknown"


def provenance(runs):
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"], capture_output=True,
                            text=True, check=False).stdout.strip()
    dpdk = subprocess.run(["pkg-config", "--modversion", "libdpdk"], capture_output=True, text=True, check=False).stdout
    return {"commit": commit or "unknown", "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "runs": runs, "cpu": first(r"^model name\s*: (.*)", "/proc/cpuinfo"), "cores": len(os.sched_getaffinity(0)),
            "clock_mhz": first(r"^cpu MHz\s*: (.*)", "/proc/cpuinfo"), "memory": first(r"^MemTotal: (.*)", "/proc/meminfo"),
            "kernel": platform.release(), "dpdk": dpdk.strip(),
            "compiler": run("gcc", "--version").splitlines()[0]}


class Section:
    """Figures that belong together, measured in one go."""

    def __init__(self, name, runs, say=True):
        self.name, self.say = name, say
        self.content = {"provenance": provenance(runs), "figures": []}

    def add(self, name, values, unit, **facts):
        """The median of `values`, or one value; facts are what else was counted in that run."""
        values = values if isinstance(values, list) else [values]
        figure = {"name": name, "value": statistics.median(values), "unit": unit, "runs": values, **facts}
        self.content["figures"].append(figure)
        if self.say:
            print(row(figure), flush=True)

    def add_lines(self, texts):
        """The same program's output, run by run."""
        runs = [lines(text) for text in texts]
        for i, (name, _, unit) in enumerate(runs[0]):
            self.add(name, [each[i][1] for each in runs], unit)


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"


def row(figure):
    spread = f" ({number(min(figure['runs']))} to {number(max(figure['runs']))})" if len(figure["runs"]) > 1 else ""
    facts = ", ".join(f"{key} {number(value) if isinstance(value, (int, float)) else value}"
                      for key, value in figure.items() if key not in ("name", "value", "unit", "runs"))
    return f"{figure['name']:<66} {number(figure['value']):>12} {figure['unit']}{spread}{'; ' + facts if facts else ''}"


def store(path, section):
    """Into the JSON of all sections; others that are in it stay."""
    whole = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"schema": 1, "sections": {}}
    whole["sections"][section.name] = section.content
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
