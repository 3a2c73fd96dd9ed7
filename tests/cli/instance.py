# SPDX-License-Identifier: BSD-3-Clause
"""A running handfast, as the tests of ss, top and telemetry see it: as a user without rights, with a runtime
directory of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

# Of a test under root: a user whom nobody else's instances belong to, as ss and top look at all of a user's.
UID = 20000 + os.getpid() % 40000 if os.geteuid() == 0 else os.geteuid()
SETPRIV = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all"]


def until(condition, seconds=30, what="it did not happen"):
    """Looks are counted, not seconds: a machine that stands still does so for the instance too."""
    for _ in range(seconds * 50):
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(what)


class Instance:
    """`handfast ARGS` in the background, until stop()."""

    def __init__(self, handfast, *args, unset=()):
        self.handfast = handfast
        self.home = Path(tempfile.mkdtemp(prefix="handfast-run-"))
        if os.geteuid() == 0:
            os.chown(self.home, UID, UID)
        self.env = {name: value for name, value in os.environ.items() if name != "RUNTIME_DIRECTORY"}
        self.env["XDG_RUNTIME_DIR"] = str(self.home)
        for name in unset:
            del self.env[name]
        self.process = subprocess.Popen(self.command(*args), env=self.env, cwd="/", text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid = self.process.pid

    def command(self, *args):
        return (SETPRIV if os.geteuid() == 0 else []) + [self.handfast, *args]

    def run(self, *args, env=None):
        """Another handfast beside it, such as ss."""
        return subprocess.run(self.command(*args), env=env or self.env, cwd="/", capture_output=True, text=True,
                              timeout=60, check=False)

    def sockets(self):
        return sorted(self.home.glob("dpdk/*/dpdk_telemetry.v2*"))

    def connect(self, path=None):
        path = path or until(self.sockets, what="no telemetry socket")[0]
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(20)
        # refused: it has its name, but does not listen yet
        until(lambda: sock.connect_ex(str(path)) == 0, what="nobody listens for telemetry")
        return sock, json.loads(sock.recv(1024))

    def ask(self, command):
        """The answer, and how long it was."""
        sock, _ = self.connect()
        with sock:
            sock.send(command.encode())
            octets = sock.recv(1 << 17)
        return json.loads(octets)[command.split(",")[0]], len(octets)

    def workers(self):
        """Their numbers by name, once all are there and connections come and go."""
        until(lambda: (self.ask("/handfast/report")[0] or {}).get("elapsed_us"), what="it does not run")
        return self.ask("/handfast/info")[0]["workers"]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            out, err = self.process.communicate(timeout=60)
        finally:
            self.process.kill()
            shutil.rmtree(self.home, ignore_errors=True)
            if os.geteuid() == 0:
                shutil.rmtree(f"/tmp/handfast-{UID}", ignore_errors=True)
        return self.process.returncode, out, err
