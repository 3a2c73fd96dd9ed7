# SPDX-License-Identifier: BSD-3-Clause
"""How fast `handfast load` opens over a tap, and how many it holds: test_rate.py HANDFAST"""

import signal
import time

import wire


class Rate(wire.Test):
    def test_a_rate_that_is_not_kept_is_said_first(self):
        listener = self.listener(7000)
        running = self.start("load", "--target", "10.99.0.1:7000", "--rate", "1000/s", "--concurrency", "10",
                             "--duration", "1s", "--close", "hold")
        report = running.wait()
        books = self.balanced(running, report)
        self.assertEqual(books["attempted"], 10)
        self.first_line(running, r"THE RATE WAS NOT KEPT: \d+ of \d+ connections/s were opened")
        self.assertAlmostEqual(report["rate"]["offered_per_second"], 1000, delta=5)
        listener.close()

    def test_a_stalled_target_does_not_slow_the_offers(self):
        """200 ms are 200 opens. A machine that stands still itself may cost as many: then once more."""
        target = None
        for _ in range(3):
            target, running = self.loading("--target", "10.99.0.1:80", "--rate", "1000/s", "--duration", "2s",
                                           target=target)
            target.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            target.send_signal(signal.SIGCONT)
            report = running.wait()
            books = self.balanced(running, report)
            if books["attempted"] >= 1980:
                break
        self.assertGreaterEqual(books["attempted"], 1980)
        self.assertAlmostEqual(report["rate"]["offered_per_second"], 1000, delta=5)
        self.assertGreater(report["latency_us"]["transaction"]["max"], 100000)

    def test_concurrency_is_held(self):
        listener = self.listener(7000, backlog=256)
        running = self.start("load", "--target", "10.99.0.1:7000", "--concurrency", "50", "--close", "hold",
                             "--duration", "2s")
        wire.until(lambda: wire.kernel_states(7000, "ESTAB") == 50, 10, "not 50")
        time.sleep(0.3)
        self.assertEqual(wire.kernel_states(7000, "ESTAB"), 50)
        socks = [listener.accept()[0] for _ in range(50)]
        for sock in socks:
            self.assertEqual(sock.recv(1), b"")
            sock.close()
        books = self.balanced(running, running.wait())
        self.assertEqual((books["attempted"], books["closed"]), (50, 50))


if __name__ == "__main__":
    wire.main("nginx")
