# SPDX-License-Identifier: BSD-3-Clause
"""curl, wrk, ab and nginx against `handfast --app http` over a tap: test_http.py HANDFAST
HANDFAST_MIB and HANDFAST_SECONDS make it longer, as script/soak does."""

import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import wire

MIB = int(os.environ.get("HANDFAST_MIB", "16"))
SECONDS = int(os.environ.get("HANDFAST_SECONDS", "2"))
HTTP = ("--listen", "0.0.0.0:80,[::]:80", "--app", "http")
GRACE = 60  # seconds that a slow machine may take for anything


def run(*args, **more):
    return subprocess.run(args, capture_output=True, timeout=SECONDS + MIB + 3 * GRACE, check=True, **more).stdout


def curl(*args):
    return run("curl", "-sS", "-g", "-m", str(MIB + 2 * GRACE), *args)


class Serve(wire.Test):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name, "root")
        self.big = os.urandom(MIB << 20)
        for name, text in (("big.bin", self.big), ("index.html", b"<p>hello\n"), ("a b/c%.txt", b"deep\n"),
                           ("empty.txt", b""), ("../secret", b"not for you")):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        (self.root / "link").symlink_to("../secret")
        (self.root / "../current").symlink_to("root")

    def test_a_big_file_arrives_whole(self):
        serve = self.start("serve", *HTTP, "--root", str(self.root))
        want = hashlib.sha256(self.big).hexdigest()
        for version in (4, 6):
            self.assertEqual(hashlib.sha256(curl(wire.url(version, "/big.bin"))).hexdigest(), want)
            print(f"curl, IPv{version}: {MIB} MiB, SHA-256 right")
        books = self.balanced(serve, serve.stop())
        self.assertEqual((books["accepted"], books["closed"]), (2, 2))

    def test_files_and_what_is_none(self):
        serve = self.start("serve", *HTTP, "--root", str(self.root.parent / "current"))  # a link itself, as releases have
        for path, want in (("/", b"200 text/html 9"), ("/index.html?x", b"200 text/html 9"),
                           ("/a%20b/c%25.txt", b"200 text/plain 5"), ("/empty.txt", b"200 text/plain 0"),
                           ("/../secret", b"404 text/plain 9"), ("/%2e%2e/secret", b"404 text/plain 9"),
                           ("/..%2fsecret", b"404 text/plain 9"), ("/a%20b/../../secret", b"404 text/plain 9"),
                           ("//etc/passwd", b"404 text/plain 9"), ("/link", b"404 text/plain 9"),
                           ("/a%20b", b"404 text/plain 9"), ("/%00", b"404 text/plain 9"),
                           ("/" + "x" * 2000, b"414 text/plain 12")):
            self.assertEqual(curl("--path-as-is", "-o", "/dev/null", "-w",
                                  "%{http_code} %{content_type} %{size_download}", wire.url(4, path)), want, path)
        for size, code in ((0, b"200"), (700000, b"200"), (1 << 20, b"200"), ((1 << 20) + 1, b"413")):
            Path(self.root, "posted").write_bytes(bytes(size))
            self.assertEqual(curl("-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect: 100-continue",
                                  "--data-binary", f"@{self.root}/posted", wire.url(6, "/index.html")), code, size)
        self.balanced(serve, serve.stop())

    def test_a_root_that_is_none(self):
        for root in ("/nowhere", str(self.root / "index.html")):
            ran = subprocess.run([sys.argv[1], "serve", "-c", wire.PROFILE, *HTTP, "--root", root],
                                 capture_output=True, text=True, timeout=GRACE, check=False)
            self.assertEqual(ran.returncode, 2, ran.stderr)
            self.assertRegex(ran.stderr, rf"\Ahandfast: --root: {root}: [^\n]+\n\Z")

    def test_wrk(self):
        serve = self.start("serve", *HTTP, "--response", "3000")
        for version in (4, 6):
            said = run("wrk", "-t1", "-c50", f"-d{SECONDS}s", "--timeout", "20s", wire.url(version)).decode()
            self.assertNotRegex(said, r"Socket errors|Non-2xx")
            print(f"wrk, IPv{version}:", re.search(r"[1-9]\d* requests in [\d.]+s", said)[0], "0 errors", sep=", ")
        report = serve.stop()
        books = self.balanced(serve, report)
        self.assertGreater(report["http"]["responses"], books["accepted"])

    def test_ab(self):
        serve = self.start("serve", *HTTP, "--response", "3000")
        for version, more in ((4, ()), (4, ("-k",)), (4, ("-i",)), (6, ()), (6, ("-k",))):
            said = run("ab", "-q", "-t", str(SECONDS), "-n", "1000000", "-c", "20", "-s", "20", *more,
                       wire.url(version)).decode()
            print(f"ab {' '.join(more)}, IPv{version}:", re.search(r"Complete requests: +[1-9]\d*", said)[0],
                  "0 failed", sep=", ")
            self.assertRegex(said, r"Failed requests: +0\n")
            self.assertNotIn("Non-2xx", said)
        self.balanced(serve, serve.stop())


class Load(wire.Test):
    def test_nginx_new_connections_and_the_same_ones(self):
        wire.nginx(self, 80, body="x" * 3000)
        for version, requests in ((4, 1), (6, 1), (4, 10), (6, 10)):
            books, report = self.load("--target", wire.endpoint(wire.KERNEL[version], 80), "--app", "http", "--count",
                                      "200", "--concurrency", "20", "--requests", str(requests), "--length", "3000")
            self.assertEqual((books["attempted"], books["closed"]), (200, 200), books)
            self.assertEqual(report["http"]["responses"], 200 * requests)
            self.assertGreater(report["rate"]["bits_per_second"], report["rate"]["text_bits_per_second"])
            self.assertEqual((report["http"]["wrong_status"], report["http"]["wrong_length"]), (0, 0))

    def test_nginx_until_the_end(self):
        wire.nginx(self, 80)
        books, report = self.load("--target", "10.99.0.1:80", "--app", "http", "--concurrency", "20",
                                  "--requests", "unlimited", "--duration", f"{SECONDS}s", "--close", "peer")
        self.assertEqual(books["closed"], books["established"], books)
        self.assertGreater(report["http"]["responses"], 2 * books["established"])
        self.assertGreater(report["http"]["responses_per_second"], 0)

    def test_what_is_wrong_is_counted(self):
        wire.nginx(self, 80)
        why = ["client: 3 connections carried a response that is not 200, not of the right length or not HTTP"]
        for args, wrong in ((("--path", "/", "--length", "6"), "wrong_length"), (("--path", "/gone"), "wrong_status")):
            _, report = self.load("--target", "10.99.0.1:80", "--app", "http", "--count", "3", "--requests", "2", *args,
                                  status=1, problems=why)
            self.assertEqual(report["http"][wrong], 6)

    def test_who_speaks_something_else_does_not_hold_us_up(self):
        """A greeting, and then it waits for ours: no later octet of it can be read, so we close."""
        listener = self.listener(80)

        def greet():
            for _ in range(3):
                sock = listener.accept()[0]
                self.addCleanup(sock.close)
                sock.sendall(b"SSH-2.0-x\r\n")

        with concurrent.futures.ThreadPoolExecutor() as pool:
            greeting = pool.submit(greet)
            books, _ = self.load("--target", "10.99.0.1:80", "--app", "http", "--count", "3", "--concurrency", "1", status=1,
                                 problems=["client: 3 connections carried a response that is not 200, not of the right length"
                                           " or not HTTP"])
            greeting.result()
        self.assertEqual(books["closed"], 3)


if __name__ == "__main__":
    wire.main("curl", "wrk", "ab", "nginx")
