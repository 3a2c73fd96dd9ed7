# SPDX-License-Identifier: BSD-3-Clause
"""serve and load as two processes on one device, memif or vhost; what becomes of one when the other goes:
test_peers.py HANDFAST"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import wire


class Peers(wire.Test):
    """Two processes on one device: what becomes of one when the other goes."""

    cores = "0"

    def ends(self, server, client, **more):
        """A server, told nothing of clients, and how a client is started from an address of its own."""
        serve = self.start("serve", "--dev", server, "--addr", "10.97.0.2/24", "--mac", "02:00:00:00:00:02",
                           "--listen", "10.97.0.2:80", "--app", "rr", "--response", "3000", "--drain", "1s",
                           "--cores", self.cores, profile=None, **more)

        def load(last, *more):
            return self.start("load", "--dev", client, "--addr", f"10.97.0.{last}/24", "--mac", "02:00:00:00:00:01",
                              "--target", "10.97.0.2:80", "--app", "rr", "--response", "3000", "--concurrency", "100",
                              "--set", "tcp.user_timeout=2s", "--cores", self.cores,
                              *(more or ("--duration", "20s")), profile=None)

        return serve, load

    def until_busy(self, serve):
        """Connections have come and gone, the server first."""
        wire.until(lambda: subprocess.run([sys.argv[1], "ss", "-Hta", "--pid", str(serve.process.pid)],
                                          capture_output=True, timeout=30, check=False).stdout.count(b"TIME-WAIT") > 5,
                   30, "no connection")

    def served(self, serve, load):
        """The next one is served, and nothing is left."""
        client = load(250, "--count", "500")
        self.assertGreater(self.balanced(client, client.wait())["closed"], 400)  # a slow machine loses some in 2 s
        self.balanced(serve, serve.stop())

    def kill_clients(self, serve, load, kills):
        for i in range(kills):
            client = load(3 + i % 200)
            time.sleep(1 + i % 7 * 0.1)  # most often under way, now and then not yet
            client.process.send_signal((signal.SIGKILL, signal.SIGTERM)[i % 2])
            client.process.communicate(timeout=60)
            self.assertIsNone(serve.process.poll(), serve.said())
        self.served(serve, load)

    def kill_server(self, serve, load):
        """What was open then, if any, or opening is told as timed out; nothing hangs."""
        client = load(3, "--duration", "4s")
        self.until_busy(serve)
        serve.process.kill()
        books = self.balanced(client, client.wait(90))
        self.assertGreater(books["closed"], 0)
        self.assertGreater(books["failed"]["timeout"] + books["failed"]["unreachable"], 0)
        self.assertEqual(books["lost"]["reset"] + books["failed"]["reset"] + books["failed"]["refused"], 0)


class Memif(Peers):
    cores = wire.cores(2)

    def pair(self, **more):
        self.path = self.enterContext(tempfile.TemporaryDirectory()) + "/s"
        return self.ends(f"memif:{self.path},role=server", f"memif:{self.path},role=client", **more)

    def two_processes(self, cores, *more):
        with tempfile.TemporaryDirectory() as scratch:
            device = f"memif:{scratch}/s"
            serve = self.start("serve", "--dev", device + ",role=server", "--addr", "10.97.0.2/24", "--mac",
                               "02:00:00:00:00:02", "--listen", "10.97.0.2:80", "--app", "rr", "--response", "3000",
                               "--cores", cores, *more, profile=None)
            load = self.start("load", "--dev", device + ",role=client", "--addr", "10.97.0.1/24", "--mac",
                              "02:00:00:00:00:01", "--target", "10.97.0.2:80", "--app", "rr", "--response", "3000",
                              "--count", "2000", "--cores", cores, *more, profile=None)
            reports = load.wait(), serve.stop()
            opened = self.balanced(load, reports[0])
            taken = self.balanced(serve, reports[1])
            self.assertEqual((opened["closed"], taken["closed"]), (2000, 2000))
            return reports

    def test_two_processes(self):
        for report in self.two_processes("0"):
            self.assertEqual(report["provenance"]["steering"], "none")

    def test_large_packets(self):
        for report in self.two_processes("0", "--mtu", "9000", "--response", "17896"):  # two full segments
            self.assertEqual(report["counters"]["text_in"] + report["counters"]["text_out"], 2000 * 17897)
            self.assertLess(report["counters"]["seg_in"] + report["counters"]["seg_out"], 2000 * 10)

    def test_queue_to_queue(self):
        """2 workers each, then 4, which may be more than there are CPUs; no frame goes astray (HF-M2)."""
        for workers in 2, 4:
            for report in self.two_processes(wire.cores(workers)):
                self.assertEqual(report["provenance"]["cores"], workers)
                self.assertEqual(report["provenance"]["steering"], "queue")
                self.assertEqual(report["counters"]["wrong_core"], 0)
                self.assertEqual(report["counters"]["rx_handed_over"], 0)

    def test_the_other_process_goes_and_another_comes(self):
        with tempfile.TemporaryDirectory() as scratch:
            device = f"memif:{scratch}/s"
            serve = self.start("serve", "--dev", device + ",role=server", "--addr", "10.97.0.2/24", "--mac",
                               "02:00:00:00:00:02", "--listen", "10.97.0.2:80", "--app", "rr", profile=None)
            for last in (1, 3, 4):  # an address each: the ones before are in TIME-WAIT at the server
                load = self.start("load", "--dev", device + ",role=client", "--addr", f"10.97.0.{last}/24", "--mac",
                                  "02:00:00:00:00:01", "--target", "10.97.0.2:80", "--app", "rr", "--count", "200",
                                  "--concurrency", "20", profile=None)
                books = self.balanced(load, load.wait())
                self.assertEqual(books["closed"], 200, books)
            self.assertEqual(self.balanced(serve, serve.stop())["closed"], 600)

    def test_clients_are_killed(self):
        """The driver unmaps the memory it shares with a client that is gone, in a thread of its own."""
        self.kill_clients(*self.pair(), int(os.environ.get("HANDFAST_KILLS", "6")))

    def test_the_server_is_killed(self):
        self.kill_server(*self.pair())

    def test_a_client_is_gone_before_it_is_greeted(self):
        """Without telemetry, whose accept begins anew after SIGCONT and may take the number that is looked for."""
        serve, load = self.pair(eal=["--no-telemetry"])
        for _ in range(10):
            serve.process.send_signal(signal.SIGSTOP)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as early:
                early.setblocking(False)  # the one before may still be in the queue
                with contextlib.suppress(BlockingIOError):
                    early.connect(self.path)
            serve.process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
            self.assertIsNone(serve.process.poll(), serve.said())
        self.served(serve, load)


class Vhost(Peers):
    def pair(self):
        scratch = self.enterContext(tempfile.TemporaryDirectory())
        return self.ends(f"vhost:{scratch}/s", f"virtio_user:{scratch}/s")

    def test_clients_are_killed(self):
        self.kill_clients(*self.pair(), 3)

    def test_the_server_is_killed(self):
        """net_virtio_user writes to the socket even so when it is stopped: no SIGPIPE may end the program."""
        self.kill_server(*self.pair())

    def two_ends(self, *more):
        with tempfile.TemporaryDirectory() as scratch:
            serve = self.start("serve", "--dev", f"vhost:{scratch}/s", "--addr", "10.97.0.2/24", "--mac",
                               "02:00:00:00:00:02", "--listen", "10.97.0.2:80", "--app", "rr", *more, profile=None)
            load = self.start("load", "--dev", f"virtio_user:{scratch}/s", "--addr", "10.97.0.1/24", "--mac",
                              "02:00:00:00:00:01", "--target", "10.97.0.2:80", "--app", "rr", *more,
                              "--count", "2000", "--concurrency", "32", profile=None)
            opened = self.balanced(load, load.wait())
            taken = self.balanced(serve, serve.stop())
            self.assertEqual((opened["closed"], taken["closed"]), (2000, 2000))

    def test_virtio_user_and_a_vhost_socket(self):
        self.two_ends("--response", "3000")

    def test_large_packets(self):
        self.two_ends("--response", "17896", "--mtu", "9000")


if __name__ == "__main__":
    wire.main()
