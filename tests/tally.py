# SPDX-License-Identifier: BSD-3-Clause
"""Sum up meson's testlog.json files: tally.py [--broken N] LOG...

A cmocka program counts by its cases, any other test as one. A program that died counts as one failure
more. The last line is `N passed, N failed, N skipped`; exit 1 on a failure, on a log that is not there,
on nothing run at all, and under $CI on a skip.
"""

import json
import os
import re
import sys

CASE = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] (?!\d+ test)(.+)$", re.MULTILINE)


def count(record):
    """(passed, failed, skipped) of one line of the log."""
    result = record["result"]
    if result in ("SKIP", "IGNORED"):
        return 0, 0, 1
    cases = CASE.findall((record.get("stdout") or "") + (record.get("stderr") or ""))
    passed = sum(word == "OK" for word, _ in cases)
    # cmocka lists these a second time at its end
    failed = len({name for word, name in cases if word == "FAILED"})
    skipped = len({name for word, name in cases if word == "SKIPPED"})
    if result not in ("OK", "EXPECTEDFAIL"):
        return passed, max(failed, 1), skipped
    return (passed, failed, skipped) if cases else (1, 0, 0)


def main(argv):
    total = [0, 0, 0]
    if argv[:1] == ["--broken"]:
        total[1] = int(argv[1])
        argv = argv[2:]
    for path in argv:
        try:
            with open(path, encoding="utf-8") as log:
                records = [json.loads(line) for line in log]
        except FileNotFoundError:
            records = []
        if not records:
            print(f"no test has run: {path}", file=sys.stderr)
            total[1] += 1
        for record in records:
            counts = count(record)
            total = [a + b for a, b in zip(total, counts)]
            if counts[1] or counts[2]:
                word = "FAILED" if counts[1] else "skipped"
                print(f"{word}: {record['name']} ({path.split('/meson-logs')[0]})", file=sys.stderr)
    passed, failed, skipped = total
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    bad = failed or not passed or (skipped and os.environ.get("CI"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
