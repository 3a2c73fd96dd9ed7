# SPDX-License-Identifier: BSD-3-Clause
"""docs/handshake.md: its commands print what it shows: test_handshake.py [--bless] HANDFAST

What the live ones print differs from run to run in stamps, ports and numbers. A busy machine may send something
again: then a run is made once more.
"""

import difflib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/handshake.md"
BLOCK = re.compile(r"(```console\n\$ (?P<command>[^\n]+)\n)(?P<shown>.*?)(```\n)", re.S)
BUILT = "build/release/app/handfast"
VARIES = ((r"^\d\d:\d\d:\d\d\.\d{6}", "STAMP"), (r"198\.18\.0\.\d+\.\d+", "CLIENT"), (r"(seq|ack) \d{4,}", r"\1 ISS"),
          (r"val \d+ ecr \d+", "val N ecr N"))


def same(line):
    for pattern, text in VARIES:
        line = re.sub(pattern, text, line)
    return line


def run(command, handfast):
    words = [handfast if word == BUILT else sys.executable if word == "python3" else word for word in command.split()]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    if ran.returncode or ran.stderr:
        raise SystemExit(f"$ {command}\nexit {ran.returncode}: {ran.stdout}{ran.stderr}")
    return ran.stdout


def agrees(command, shown, printed):
    if not command.startswith(BUILT):
        return shown == printed
    return list(map(same, shown.split("\n"))) == list(map(same, printed.split("\n")))


def main():
    bless = sys.argv[1] == "--bless"
    handfast = str(Path(sys.argv[-1]).resolve())
    text = PAGE.read_text(encoding="utf-8")
    wrong = []

    def check(block):
        command, shown = block["command"], block["shown"]
        for _ in range(10 if command.startswith(BUILT) else 1):
            printed = run(command, handfast)
            if agrees(command, shown, printed):
                return block[0]
        wrong.extend([f"$ {command}", *difflib.unified_diff(shown.split("\n"), printed.split("\n"), lineterm="")])
        return block[1] + printed + block[4]

    blocks = len(BLOCK.findall(text))
    now = BLOCK.sub(check, text)
    if bless:
        PAGE.write_text(now, encoding="utf-8")
    print("\n".join(wrong))
    print(f"{blocks} commands of {PAGE.name}")
    return 1 if wrong and not bless or blocks < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
