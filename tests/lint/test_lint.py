# SPDX-License-Identifier: BSD-3-Clause
"""Each check of script/lint is green on a good tree and red on each bad one: test_lint.py LINT CC"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SPDX = "/* SPDX-License-Identifier: BSD-3-Clause */\n"
HEADER = SPDX + "#include <stdint.h>\n\nuint32_t flow_find(uint32_t h);\n"
GOOD = {
    "lib/handfast.h": SPDX + '#define HF_API __attribute__((visibility("default")))\nHF_API int hf_turn(void);\n',
    "lib/tcp/seg.h": SPDX + "#include <stdint.h>\n\nuint32_t seg_time(uint32_t s); /* not time() */\n",
    "lib/table/flow.h": HEADER,
    "lib/table/flow.c": SPDX + '#include "table/flow.h"\n#include "tcp/seg.h"\n#include <string.h>\n',
    "lib/io/worker.c": SPDX + '#include "handfast.h"\n#include "wire/parse.h"\n#include <rte_mbuf.h>\n#include <time.h>\n',
    "app/main.c": SPDX + "#include <handfast.h>\n#include <stdio.h>\n",
    "README.md": "Two ends shake hands.\n",
}


def source(*lines):
    return SPDX + "".join(line + "\n" for line in lines)


# check: the trees on which it must complain
BAD = {
    "borders": [
        {"lib/tcp/a.c": source("#include <rte_mbuf.h>")},
        {"lib/tcp/a.c": source('#include "table/flow.h"')},
        {"lib/tcp/a.c": source('#include "handfast.h"')},
        {"lib/tcp/a.c": source('#include "a.h"')},
        {"lib/tcp/a.c": source("#include <stdlib.h>")},
        {"lib/wire/a.c": source('#include "table/flow.h"')},
        {"lib/wire/a.c": source('#  include "io/port.h"')},
        {"lib/table/a.c": source('#include "wire/parse.h"')},
        {"lib/io/a.c": source("#include <tcp/seg.h>")},
        {"app/a.c": source('#include "tcp/seg.h"')},
        {"app/a.c": source("#include <rte_eal.h>")},
        {"app/a.c": source('#include "../lib/tcp/seg.h"')},
        {"docs/hello.c": source('#include "table/flow.h"')},
    ],
    "clock": [
        {"lib/tcp/a.c": source("long a(void)", "{", "\treturn time(0);", "}")},
        {"lib/wire/a.c": source("int a(void)", "{", "\treturn clock_gettime(0, 0);", "}")},
        {"lib/table/a.h": source("#define NOW rte_rdtsc()")},
        {"lib/table/a.h": source("#define NOW __builtin_ia32_rdtsc()")},
    ],
    "spdx": [{"app/a.c": "int a;\n"}, {"tests/unit/a.h": "\n" + SPDX}],
    "headers": [
        {"lib/table/a.h": source("uint32_t a(void);")},
        {"lib/tcp/a.h": source("#include <rte_mbuf.h>")},
    ],
    "format": [{"lib/tcp/a.c": source("int a( void );")}],
    "spelling": [{"README.md": "Two ends re" + "cieve text.\n"}],
    "length": [{"lib/tcp/a.c": SPDX + "\n" * 500}],
    "tidy": [{"lib/table/flow.c": source("int a(const int *p);", "int a(const int *p)", "{", "\treturn p ? 0 : *p;", "}")}],
    "cppcheck": [{"lib/table/flow.c": source("int a(void)", "{", "\tint x[2] = {0};", "\treturn x[2];", "}")}],
}
# What the build said of GOOD's; {tree} is where it lies.
COMPILED = json.dumps([{"directory": "{tree}/build", "file": "../lib/table/flow.c", "output": "flow.o",
                        "command": "cc -I{tree}/lib -c ../lib/table/flow.c"}])


def write(tree, files):
    for name, text in files.items():
        path = Path(tree, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{tree}", tree), encoding="utf-8")


def main(lint, cc):
    root = Path(lint).resolve().parent.parent
    tools = {name: (root / name).read_text(encoding="utf-8") for name in (".clang-format", ".clang-tidy")}
    tools |= {"tests/lint/queue.h": SPDX, "build/build.ninja": "", "build/compile_commands.json": COMPILED,
              "build/made.h": "nobody's"}
    wrong = []

    def expect(red, name, files, *options):
        with tempfile.TemporaryDirectory() as tree:
            write(tree, {**tools, **GOOD, **files})
            command = [sys.executable, lint, "--root", tree, "--cc", cc, "--build", f"{tree}/build", *options, name]
            ran = subprocess.run(command, capture_output=True, text=True, check=False,
                                 env={**os.environ, "XDG_CACHE_HOME": f"{tree}/build"})
        # 1 is a finding; a crash would be red for the wrong reason
        if ran.returncode != int(red) or bool(ran.stdout) != red or ran.stderr:
            wrong.append(f"{name} is {'green' if red else 'red'} on {files}\n{ran.stdout}{ran.stderr}")

    for name, trees in BAD.items():
        expect(False, name, {})
        for files in trees:
            expect(True, name, files)

    with tempfile.TemporaryDirectory() as scratch:
        for red, body in ((False, "int hf_turn(void){return 0;}"), (True, "int hf_other(void){return 0;}"),
                          (True, "int hf_turn(void){return 0;} int leak(void){return 0;}")):
            library = str(Path(scratch, "lib.so"))
            subprocess.run([*cc.split(), "-shared", "-fPIC", "-x", "c", "-", "-o", library],
                           input=body, text=True, check=True)
            expect(red, "symbols", {}, "--library", library)

    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
