#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A copy of a source with one safety taken out, for the price list: without.py SAFETY SOURCE > COPY

The product has no switches for these. `without.py --check` says whether all that is taken out is still found.
"""

import pathlib
import re
import sys

LIB = pathlib.Path(__file__).parents[2] / "lib"
CRC = """{
	const unsigned n = flow->version == 4 ? FLOW_WORDS4 : FLOW_WORDS6;
	uint64_t words[FLOW_WORDS6], crc = 0;

	(void)secrets;
	if (flow->version == 4)
		flow_words4(&flow->v4, words);
	else
		flow_words6(&flow->v6, words);
	for (unsigned i = 0; i < n; i++)
		crc = _mm_crc32_u64(crc, words[i]);
	return crc * UINT64_C(0x9e3779b97f4a7c15);
}
"""
SAFETIES = {
    # CRC-32C of the tuple, as rte_hash has it, spread over 64 bits.
    "hash": {"table/hash.c": [(r"\{\n[^}]*secrets->has_aes \?[^}]*\}\n", CRC)]},
    # The clock alone.
    "isn": {"table/iss.c": [(r" \+ flow_prf\(secrets->iss, flow\)", "")]},
    # Nobody remembers when the last challenge ACK left.
    "challenge": {name: [(r"\n[^\n;,]*\bchallenge_ms = [^;,]*[;,]", "")]
                  for name in ("tcp/request.c", "tcp/timewait.c", "tcp/user.c")},
}


def without(safety, name):
    text = (LIB / name).read_text(encoding="utf-8")
    for pattern, instead in SAFETIES[safety][name]:
        text, times = re.subn(pattern, lambda _, instead=instead: instead, text)
        if times == 0:
            sys.exit(f"lib/{name}: {pattern!r} ({safety}) is not found: mend tests/bench/without.py")
    return text


def main():
    if sys.argv[1:] == ["--check"]:
        for safety, names in SAFETIES.items():
            for name in names:
                without(safety, name)
    else:
        safety, source = sys.argv[1:]
        sys.stdout.write(without(safety, pathlib.Path(source).resolve().relative_to(LIB.resolve()).as_posix()))


main()
