# SPDX-License-Identifier: BSD-3-Clause
"""What `meson install` leaves behind works: handfast from PATH, and a program on the library: test_install.py HANDFAST"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HANDFAST = Path(sys.argv[1])
DESTDIR = os.environ["DESTDIR"]
HELLO = Path(__file__).resolve().parents[2] / "docs/hello.c"


def run(*command, **env):
    ran = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False)
    if ran.returncode:
        raise AssertionError(f"{command}: exit {ran.returncode}: {ran.stderr}")
    return ran.stdout


class Install(unittest.TestCase):
    def test_program_runs_from_path(self):
        said = run("handfast", "--version", PATH=f"{HANDFAST.parent}:{os.environ['PATH']}")
        self.assertRegex(said, r"^handfast \d+\.\d+\.\d+")

    def test_manual(self):
        page = next(Path(DESTDIR).rglob("man/man1/handfast.1")).read_text(encoding="utf-8")
        said = run(str(HANDFAST), "--help")
        for command in re.findall(r"^  (\w+) ", said.split("Commands:")[1], re.MULTILINE):
            self.assertIn(f'.SH "HANDFAST {command.upper()}"', page)
        self.assertIn("\\-\\-file\\-prefix", page)

    def test_completion(self):
        script = next(Path(DESTDIR).rglob("bash-completion/completions/handfast"))
        for words, wanted in ((["t"], {"trace", "top"}), (["-l", "0", "--", "pa"], {"pair"}),
                              (["pair", "--idle", ""], {"auto", "spin", "sleep"}),
                              (["pair", "--record"], {"--record", "--record-filter"}),
                              (["ss", "--pi"], {"--pid"}), (["trace", "--expl"], {"--explain"})):
            said = run("bash", "-c", 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _handfast; '
                       'echo "${COMPREPLY[@]}"', str(script), str(HANDFAST), *words)
            self.assertEqual(set(said.split()), wanted)

    def test_example_builds_with_pkg_config(self):
        libdir = next(Path(DESTDIR).rglob("handfast.pc")).parent.parent
        with tempfile.TemporaryDirectory() as scratch:
            # as it would read without DESTDIR
            text = (libdir / "pkgconfig/handfast.pc").read_text(encoding="utf-8")
            Path(scratch, "handfast.pc").write_text(text.replace("prefix=/", f"prefix={DESTDIR}/", 1), encoding="utf-8")
            flags = run("pkg-config", "--cflags", "--libs", "handfast", PKG_CONFIG_PATH=scratch).split()
            hello = f"{scratch}/hello"
            run("cc", "-Wall", "-Werror", str(HELLO), "-o", hello, *flags)
            said = run(hello, LD_LIBRARY_PATH=str(libdir))
        self.assertEqual(said.splitlines()[-2:], ["hello", "hello to you"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
