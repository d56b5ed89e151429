# SPDX-License-Identifier: Apache-2.0
"""The server of the benchmark, seen from the harness: start, reset, counters, its own CPU time.

The counters come from the server itself (bench/peers/upstream/upstream.lua says what each one
counts), so that no contestant is believed about its own work.
"""
import os
import subprocess
import urllib.request

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Upstream:
    """One nginx on two loopback ports. Faults are the defaults of start.sh unless named."""

    def __init__(self, folder, run, get_port, put_port):
        self.folder, self.run = folder, run
        self.get_port, self.put_port = get_port, put_port

    def start(self, mode, **faults):
        """Starts it afresh; faults are settings of start.sh in lower case, up_p503_put=0.02."""
        settings = {name.upper(): str(value) for name, value in faults.items()}
        self._script("start.sh", mode, **settings)

    def stop(self):
        self._script("stop.sh")

    def reset(self):
        """Zeroes the counters and forgets attempts: the next contestant meets the same faults."""
        self._page("_reset")

    def stats(self):
        """Returns the counters and settings the server shows, numbers as numbers."""
        words = (word.partition("=") for word in self._page("_stats").split())
        return {name: value if name == "mode" else float(value) for name, _, value in words}

    def cpu_seconds(self):
        """Returns the CPU time that the server's worker has used so far."""
        with open(os.path.join(self.run, "nginx.pid"), encoding="ascii") as file:
            master = file.read().strip()
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as file:
            workers = file.read().split()
        ticks = 0
        for worker in workers:
            with open(f"/proc/{worker}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # utime, stime
        return ticks / TICKS_PER_SECOND

    def environment(self):
        return {"UP_RUN": self.run, "UP_GET_PORT": str(self.get_port),
                "UP_PUT_PORT": str(self.put_port)}

    def _script(self, name, *arguments, **settings):
        command = [os.path.join(self.folder, name), *arguments]
        subprocess.run(command, check=True, env=os.environ | self.environment() | settings)

    def _page(self, name):
        url = f"http://127.0.0.1:{self.get_port}/{name}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
