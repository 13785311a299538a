"""Test programs that run beside each other.

Many wait most of the time, for blocks, time-outs or L1, so some fit beside each other on
two cores. Each test of a network runs in a process of its own with its own part of the
ports (e2e/src/ports.rs); what a process prints comes in one piece when it is over.
"""
import concurrent.futures
import os
import queue
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

from processes import HEARTBEAT_S, end_all, minutes, run, say

# A network of four under load keeps a core busy; most tests have no load.
AT_ONCE = max(1, min(int(os.environ.get("CASCOIN_TEST_NETWORKS", (os.cpu_count() or 1) + 1)), 8))
# What takes longest is begun first: networks of faults; a second chain, whose bootstrap is
# waited for; programs that wait for L1, for time-outs and for tokens.
SLOW = ("faults", "set_changes", "candidates", "::chains::", "smoldot", "a_message_that_fails",
        "::engine", "cascoin-l1::it", "hsm", "::model", "::simulation")
# Programs whose tests wait nearly all of their time, for rounds that time out and for nodes
# of L1 to start: their tests run more at once than there are cores.
WAITING = ("cascoin-consensus::engine", "cascoin-l1::it")
THREADS_OF_WAITING = min(3 * (os.cpu_count() or 1), 12)


@dataclass(frozen=True)
class Job:
    """Tests of a program: one of a network, or some; all where none is named."""
    binary: Any
    tests: tuple = ()

    @property
    def name(self):
        return f"{self.binary.name}::{self.tests[0]}" if len(self.tests) == 1 else self.binary.name

    def run(self, worker):
        arguments = [self.binary.program, "--color=never"]
        if self.tests:
            arguments += ["--exact", *self.tests]
        env = {**self.binary.env(), "CASCOIN_TEST_WORKER": str(worker)}
        if self.binary.name in WAITING:
            env["RUST_TEST_THREADS"] = os.environ.get("RUST_TEST_THREADS", str(THREADS_OF_WAITING))
        return run(arguments, self.name, cwd=self.binary.folder, env=env, show=False, quiet=True)


def summary(output):
    """What a test said, without what libtest says around one test."""
    lines = [l for l in output.splitlines() if not re.match(r"(running \d+ test|test result: )", l)]
    return "\n".join(lines).strip("\n")


def run_all(jobs):
    """Runs them; yields each job with its exit code and output when it is over."""
    workers = queue.Queue()
    for worker in range(AT_ONCE):
        workers.put(worker)
    under_way = {}

    def work(job):
        worker = workers.get()
        under_way[job.name] = time.monotonic()
        try:
            code, output = job.run(worker)
            return code, output, time.monotonic() - under_way[job.name]
        finally:
            del under_way[job.name]
            workers.put(worker)

    stop = threading.Event()

    def beat():
        while not stop.wait(HEARTBEAT_S):
            now = time.monotonic()
            running = [f"{name} {minutes(now - since)}" for name, since in sorted(under_way.items())]
            say(f"    … {', '.join(running)}")

    threading.Thread(target=beat, daemon=True).start()
    jobs = sorted(jobs, key=lambda job: not any(slow in job.name for slow in SLOW))
    executor = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    started = {}
    try:
        for job in jobs:
            started[executor.submit(work, job)] = job
        for future in concurrent.futures.as_completed(started):
            job, (code, output, took) = started[future], future.result()
            tell(job, code, output, took)
            yield job, code, output
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        end_all()
        raise
    finally:
        stop.set()
        executor.shutdown(wait=False, cancel_futures=True)


def tell(job, code, output, took):
    if len(job.tests) != 1:
        say(f"\n==> {job.name} ({minutes(took)})\n{output.strip()}")
    elif code == 0:
        say(f"test {job.name} ... ok ({minutes(took)})")
    else:
        say(f"test {job.name} ... FAILED")
        say(summary(output))
