# SPDX-License-Identifier: BSD-3-Clause
"""Install into a directory that any user can read, run a test on that: installed.py MESON BUILD TEST

The test gets the installed handfast as its argument, and the directory as $DESTDIR.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main(meson, build, test):
    with tempfile.TemporaryDirectory(prefix="handfast-") as destdir:
        os.chmod(destdir, 0o755)
        os.umask(0o022)
        subprocess.run([meson, "install", "-C", build, "--destdir", destdir, "--no-rebuild", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        handfast = next(Path(destdir).rglob("bin/handfast"))
        env = {**os.environ, "DESTDIR": destdir}
        env.pop("LD_LIBRARY_PATH", None)  # it has to find its library by itself
        return subprocess.run([sys.executable, test, str(handfast)], env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
