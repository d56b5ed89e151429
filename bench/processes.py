# SPDX-License-Identifier: Apache-2.0
"""What the harnesses share: a contestant's process under the kernel's accounting, and the machine."""
import os
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))


class BenchError(Exception):
    """A contestant or the machine did not do what the measurement needs; says which and why."""


def run_harness(name, main):
    """Ends the program with what `main` returns, or with its BenchError as that of `name`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what it started is stopped
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"{name}: {error}")


def print_verdicts(judged):
    """Prints whether each target was met; `judged` are pairs of that and a sentence."""
    for met, sentence in judged:
        print(f"{'ok  ' if met else 'MISS'}  {sentence}")


def machine_busy_seconds():
    """Returns the CPU time all processes of the machine have used so far."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run_child(command, environment, log, limit_s):
    """Runs a command in a process group of its own; returns (exit status, wall seconds, rusage)."""
    with open(log, "wb") as out:
        started = time.monotonic()
        child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        deadline = threading.Timer(limit_s, os.killpg, (child.pid, signal.SIGKILL))
        deadline.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        finally:
            deadline.cancel()
        return child.returncode, time.monotonic() - started, usage


def tail(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-15:])


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.strip()


def machine_line():
    """Says what is measured, and on what."""
    commit = output_of("git", "describe", "--always", "--dirty") or "unknown"
    return (f"commit {commit}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
            f"{time.strftime('%Y-%m-%d %H:%M')}")


def lay_out(cells):
    """Lays rows of cells out as lines: the first column to the left, the others to the right."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(line, widths))) for line in cells]
