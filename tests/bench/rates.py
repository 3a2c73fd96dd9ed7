# SPDX-License-Identifier: BSD-3-Clause
"""Connections a second of `handfast pair` and of serve and load over memif: by application and layout, against the
TIME-WAIT population, and under more load than there is room for."""

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from figures import alternating, run

CPUS = sorted(os.sched_getaffinity(0))
RESENDS = ("retransmit_syn", "retransmit_synack", "retransmit_text", "retransmit_fin")


def times(warmup, seconds):
    """--duration counts the warm-up."""
    return "--warmup", f"{warmup}s", "--duration", f"{warmup + seconds}s"


def pair(build, *args):
    return json.loads(run(build / "app/handfast", "pair", "--app", "rr", "-q", "--json", "-", *args))


@contextlib.contextmanager
def serving(handfast, device, *args):
    """A `handfast serve` that is there, on the first CPU; {} that holds its report afterwards."""
    report = {}
    with tempfile.TemporaryFile(mode="w+") as said:
        serve = subprocess.Popen([handfast, "serve", "--dev", device, "--cores", str(CPUS[0]), "--listen", "10.97.0.2:80",
                                  "--addr", "10.97.0.2/16", "--json", "-", *args], stdout=subprocess.PIPE, stderr=said,
                                 text=True)
        try:
            for _ in range(300):
                if "serving on" in os.pread(said.fileno(), 1 << 16, 0).decode():
                    break
                if serve.poll() is not None:
                    sys.exit(f"serve: {os.pread(said.fileno(), 1 << 16, 0).decode()}")
                time.sleep(0.1)
            yield report
        finally:
            serve.send_signal(signal.SIGINT)
            out = serve.communicate(timeout=60)[0]
    report.update(json.loads(out))


def load(handfast, device, *args):
    return json.loads(run(handfast, "load", "--dev", device, "--cores", CPUS[-1], "--target", "10.97.0.2:80", "--from",
                          "10.97.1.1-10.97.1.64", "--addr", "10.97.0.1/16", "--json", "-", "-q", *args))


def memif(build, *args):
    """serve and load, two processes: (the client's report, the server's)."""
    handfast = build / "app/handfast"
    with tempfile.TemporaryDirectory() as scratch:
        socket = f"memif:{scratch}/s"
        common = ("--app", "rr", "--idle", "spin")
        with serving(handfast, f"{socket},role=server", *common, "--mac", "02:00:00:00:00:02") as server:
            client = load(handfast, f"{socket},role=client", *common, "--mac", "02:00:00:00:00:01", *args)
    return client, server


def rate(report):
    return report["rate"]["connections_per_second"]


def waits(clients, servers=None):
    """T, and what became of those in TIME-WAIT: as published figures must say."""
    ends = clients + (servers or [])
    return {"T": clients[0]["provenance"]["tuples"],
            "TIME-WAIT_peak": max(end["time_wait"]["peak"] for end in ends),
            "evicted": sum(end["time_wait"]["evicted"] for end in ends),
            "overflow": sum(end["time_wait"]["overflow"] for end in ends)}


def resent(*reports):
    return sum(report["counters"][name] for report in reports for name in RESENDS)


def applications(section, build, runs, quick):
    """Layouts and what connections carry."""
    makers = {f"pair {layout}, {app}": lambda l=layout, a=app: pair(build, "--layout", l, "--app", a, *times(1 if quick else 4, 3))
              for layout in ("split", "local") for app in ("none", "rr")}
    for what, reports in alternating(runs, makers).items():
        section.add(what, [rate(report) for report in reports], "connections/s", **waits(reports))
        for end in "client", "server":
            section.add(f"{what}: the {end}, device included", [report["cycles_per_connection"][end] for report in reports],
                        "cycles")
    reports = [memif(build, *times(1 if quick else 4, 3)) for _ in range(runs)]
    section.add("serve and load over memif, rr", [rate(client) for client, _ in reports], "connections/s",
                **waits(*map(list, zip(*reports))))


def time_wait(section, build, runs, quick):
    """Split, server first, as many tuples as addresses make; warm when nearly each has been used."""
    def at(addresses):
        return pair(build, "--layout", "split", "--client", f"198.18.0.1-198.18.0.{addresses}", "--set",
                    f"tcp.max_tw_buckets={max(4 << 20, addresses * 65536)}",
                    *times(1 if quick else 1 + addresses // 10, 3))

    sizes = (1, 16) if quick else (1, 16, 64, 160)
    for addresses, reports in alternating(runs, {n: lambda n=n: at(n) for n in sizes}).items():
        section.add(f"pair split, rr, {addresses} client address{'es' if addresses > 1 else ''}",
                    [rate(report) for report in reports], "connections/s", **waits(reports))


def overload(section, build, runs, quick):
    """As fast as they go, then twice that offered."""
    def split(*args):
        report = pair(build, "--layout", "split", *times(1, 3), *args)
        return report, resent(report), report["ends"]["client"]["counters"]

    def over_memif(*args):
        client, server = memif(build, *times(1, 3), *args)
        return client, resent(client, server), client["counters"]

    for what, make in ("pair split", split), ("memif", over_memif):
        most, twice = [], []
        for _ in range(1 if quick else runs):
            most.append(rate(make()[0]))
            twice.append(make("--rate", f"{int(2 * statistics.median(most))}/s"))
        section.add(f"{what}, as fast as it goes", most, "connections/s")
        section.add(f"{what}, twice that offered", [rate(report) for report, _, _ in twice], "connections/s",
                    of_the_most=f"{100 * statistics.median([rate(r) for r, _, _ in twice]) / statistics.median(most):.0f} %",
                    not_opened_per_s=statistics.median([r["rate"]["offered_per_second"] - r["rate"]["achieved_per_second"]
                                                           for r, _, _ in twice]),
                    sent_again=sum(again for _, again, _ in twice),
                    failed=sum(sum(r["connections"]["failed"].values()) for r, _, _ in twice))
