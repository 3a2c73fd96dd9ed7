# SPDX-License-Identifier: BSD-3-Clause
"""script/conformance with a tool and a suite of its own: test_conformance.py CONFORMANCE OBJECT"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = """#!/bin/sh
for script; do :; done
echo "$script" >>"$0.log"
grep -q good "$script"
"""


class Conformance(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="conformance-test-")
        self.addCleanup(scratch.cleanup)
        self.tool, self.suite = Path(scratch.name, "tool"), Path(scratch.name, "suite")
        self.tool.write_text(TOOL, encoding="ascii")
        self.tool.chmod(0o755)
        for name, text in (("a", "good"), ("b", "bad")):
            script = self.suite / "gtests/net/tcp" / name / "same.pkt"
            script.parent.mkdir(parents=True)
            script.write_text(f"// {text}\n", encoding="ascii")

    def run_it(self, *args):
        return subprocess.run([sys.executable, *args], capture_output=True, text=True, timeout=60, check=False)

    def test_two_scripts_of_one_name(self):
        ran = self.run_it(sys.argv[1], "--packetdrill", str(self.tool), "--so", sys.argv[2], str(self.suite), "a", "b")
        self.assertEqual(ran.returncode, 1, ran.stderr)
        self.assertRegex(ran.stdout, r"(?m)^a +1 +1 +0 +0$")
        self.assertRegex(ran.stdout, r"(?m)^b +1 +0 +0 +1$")
        self.assertEqual(len(set(Path(f"{self.tool}.log").read_text(encoding="ascii").split())), 2)

    def test_wrong(self):
        for tool, so, says in (("/none", sys.argv[2], "/none"), (str(self.tool), "/none.so", "/none.so")):
            ran = self.run_it(sys.argv[1], "--packetdrill", tool, "--so", so, str(self.suite), "a")
            self.assertEqual((ran.returncode, ran.stdout, ran.stderr.count("\n")), (1, "", 1), ran.stderr)
            self.assertRegex(ran.stderr, rf"^script/conformance: {says}: ")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
