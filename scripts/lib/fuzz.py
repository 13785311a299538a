"""Runs the fuzz targets: tests named `fuzz::…` of our crates. Called by scripts/fuzz.

Guarantees:
- all is compiled as `scripts/test` compiles unit tests without counters: the whole
  workspace, the same profile, so that nothing is compiled twice;
- each target runs in a process of its own, so that one that dies ends no other;
- cases are counted by the target itself: one that stops early does not count as finished.
"""
import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import source

ROOT = Path(__file__).resolve().parents[2]
CASES = 10_000_000
PREFIX = "fuzz::"
FUZZED = re.compile(r"fuzzed: (\d+) cases, (\d+) readable$", re.M)
# Seconds that a target may take for a case: a hundred times what the slowest does.
PATIENCE = 0.05
# And besides, to start and to make a failing case smaller.
GRACE = 120


def say(text):
    print(text, flush=True)


def programs():
    """The compiled unit tests of each crate: its name, folder and program."""
    command = ["cargo", "test", "--release", "--locked", "--workspace", "--lib", "--no-run",
               "--message-format=json-render-diagnostics"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("the build failed: the compiler's message is above")
    for line in done.stdout.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("reason") == "compiler-artifact" and message["profile"]["test"] and message["executable"]:
            folder = Path(message["manifest_path"]).parent
            name = re.search(r'^name = "(.*)"', (folder / "Cargo.toml").read_text(), re.M).group(1)
            yield name, folder, message["executable"]


class Target:
    """One target, and what came of it."""

    def __init__(self, crate, folder, program, test):
        self.folder, self.program, self.test = folder, program, test
        self.name = f"{crate}::{test}"
        self.cases, self.readable, self.seconds, self.failed, self.output = 0, 0, 0.0, False, ""

    def run(self, cases, seed):
        """Tries `cases`, and the one with the seed `seed` before them."""
        env = {**os.environ, "BOLERO_RANDOM_ITERATIONS": str(cases)}
        env.pop("BOLERO_RANDOM_SEED", None)
        env.pop("BOLERO_RANDOM_TEST_TIME_MS", None)
        if seed is not None:
            env["BOLERO_RANDOM_SEED"] = str(seed)
        started = time.monotonic()
        try:
            done = subprocess.run([self.program, "--exact", self.test, "--nocapture"], cwd=self.folder, env=env,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors="replace", timeout=GRACE + cases * PATIENCE)
            self.output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            self.output, code = f"{as_text(late.stdout)}\nit never ends", None
        self.seconds = time.monotonic() - started
        counted(self)
        self.failed = code != 0 or self.cases < cases


def as_text(output):
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def counted(target):
    """Reads what the target counted."""
    for cases, readable in FUZZED.findall(target.output):
        target.cases += int(cases)
        target.readable += int(readable)


def find(names):
    """All targets, or those with one of the names in theirs."""
    for crate, folder, program in programs():
        listed = subprocess.run([program, "--list", "--format", "terse"], cwd=folder, stdout=subprocess.PIPE,
                                text=True, check=True).stdout
        for line in listed.splitlines():
            test = line.removesuffix(": test")
            target = Target(crate, folder, program, test)
            if test != line and test.startswith(PREFIX) and (not names or any(n in target.name for n in names)):
                yield target


def table(targets):
    """What came of all, as docs/testing.md records it."""
    rows = ["| target | cases | readable | seconds | |", "|---|---:|---:|---:|---|"]
    for t in targets:
        rows.append(f"| `{t.name}` | {t.cases:,} | {t.readable:,} | {t.seconds:.0f} | {'FAILED' if t.failed else 'ok'} |")
    cases, readable = sum(t.cases for t in targets), sum(t.readable for t in targets)
    failed = sum(t.failed for t in targets)
    rows.append(f"| **all {len(targets)}** | {cases:,} | {readable:,} | {sum(t.seconds for t in targets):.0f} "
                f"| {f'{failed} FAILED' if failed else 'ok'} |")
    return "\n".join(rows)


def where():
    """The version and the machine, for the record."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=source.clone(),
                            stdout=subprocess.PIPE, text=True).stdout.strip() or "no git"
    compiler = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return f"{time.strftime('%Y-%m-%d')}, {commit}, {compiler}, {platform.machine()}"


def number(text):
    """A positive number, also with separators."""
    value = int(text.replace(",", "").replace("_", ""))
    if value < 1:
        raise ValueError(text)
    return value


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/fuzz", add_help=False)
    parser.add_argument("--cases", type=number, default=CASES)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("targets", nargs="*")
    asked = parser.parse_args(arguments)
    targets = list(find(asked.targets))
    if not targets:
        sys.exit("no such target: scripts/fuzz --list shows them")
    if asked.list:
        say("\n".join(target.name for target in targets))
        return 0
    if asked.seed is not None and len(targets) != 1:
        sys.exit("a seed is one target's: name it")
    # One case more of one target, to have one at all, is the seed's.
    each = 1 if asked.seed is not None else -(-asked.cases // len(targets))
    for target in targets:
        target.run(each, asked.seed)
        verdict = "FAILED" if target.failed else "ok"
        say(f"{target.name}: {target.cases:,} cases, {target.readable:,} readable, {target.seconds:.0f} s ... {verdict}")
        if target.failed:
            say(target.output.rstrip())
    say(f"\n{where()}\n\n{table(targets)}")
    return 1 if any(target.failed for target in targets) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
