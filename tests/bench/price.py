# SPDX-License-Identifier: BSD-3-Clause
"""The price list: the same connections with each safety taken out in turn, in cycles and in instructions."""

import re

from figures import PLAIN, alternating, run
from instructions import collected

STEADY = ("ports=4096",)  # so few that each tuple is soon reused out of TIME-WAIT
FEW, MANY = 6000, 8000
# name: program, key
VARIANTS = {
    "all of them on": ("none", ()),
    "without the keyed table hash (CRC-32C)": ("hash", ()),
    "without RFC 6528 ISNs (the clock alone)": ("isn", ()),
    "without timestamps and PAWS": ("none", ("timestamps=0",)),
    "without TIME-WAIT": ("none", ("time_wait=0",)),
    "without checksum verification": ("none", ("verify=0",)),
    "without challenge-ACK bookkeeping": ("challenge", ()),
    "without any of these": ("all", ("timestamps=0", "time_wait=0", "verify=0")),
}


def measure(section, _build, runs, quick):
    connections = 50000 if quick else 400000

    def program(name):
        return PLAIN / f"tests/bench/bench_without_{name}"

    def cycles(name, keys):
        said = run(program(name), connections, 4, "batch=256", *STEADY, *keys)
        return sum(map(int, re.findall(r"(\d+) cycles? the client, (\d+) the server", said)[0]))

    results = alternating(runs, {what: lambda v=variant: cycles(*v) for what, variant in VARIANTS.items()})
    for what, values in results.items():
        section.add(f"{what}: both ends", values, "cycles")
    for what, (name, keys) in VARIANTS.items():
        counts = [collected(program(name), n, "4", "batch=256", *STEADY, *keys) for n in (FEW, MANY)]
        section.add(f"{what}: both ends", (counts[1] - counts[0]) // (MANY - FEW), "instructions")
