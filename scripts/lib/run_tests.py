"""The test suite: finds every test of the repository and runs them, fast ones first.

Called by scripts/test, and by scripts/coverage for the counted part alone. Guarantees:
- the last line of its output is `N passed, N failed`, with `, N skipped` behind it
  if something was skipped; the exit code is 0 only if tests ran and none failed;
- it runs in a copy of the clone that always has the same path (source.py), so that a
  fresh clone builds only what differs;
- cargo is always asked for the whole workspace, so that nothing is compiled with
  other features than `scripts/demo` uses (see scripts/lib/common.sh);
- tests that start nodes run some at a time (parallel.py); a program that says nothing
  for too long is ended together with every process it started (processes.py);
- a run of everything compiles and runs each unit test once, with the counters that
  coverage needs (coverage.py); a run of some compiles them as the node is compiled.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import coverage
import parallel
import source
from processes import end_all, minutes, run, say

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/cascoin-l2/target"))
# Crates in the order of their layers: a failure below explains those above.
LAYERS = ["fuzz", "primitives", "node/bft", "pallets", "node/l1", "runtime", "node/consensus", "node/rpc", "node/cli", "e2e"]


class Totals:
    """Counts, and the names of what failed."""

    def __init__(self):
        self.passed, self.failed, self.skipped, self.failures = 0, 0, 0, []

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)

    def line(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


TOTALS = Totals()


def title(text):
    say(f"==> {text}")


# ---- checks: programs whose exit code is the result -----------------------------

REMEDIES = {"lint::format": ". scripts/lib/env.sh && cargo fmt --all    does it"}


def check(name, command):
    """One check is one test."""
    # rustfmt colours its output wherever it goes, unless the terminal is dumb.
    code, output = run(command, name, show=False, env={"TERM": "dumb"})
    if code == 0:
        TOTALS.passed += 1
        say(f"test {name} ... ok")
    else:
        TOTALS.fail(name)
        # What is checked is a copy: the clone has the same files under the same names.
        lines = output.replace(f"{ROOT}/", "").rstrip().splitlines()
        more = [f"… and {len(lines) - 60} lines more"] if len(lines) > 60 else []
        say("\n".join([f"test {name} ... FAILED", *lines[:60], *more]))
        if name in REMEDIES:
            say(f"    {REMEDIES[name]}")


def shell_scripts():
    """Every bash script of the repository."""
    found = [ROOT / ".ci/run", ROOT / "zombienet/run"]
    for path in sorted((ROOT / "scripts").rglob("*")):
        if path.is_file() and (path.suffix == ".sh" or path.open("rb").read(20).startswith(b"#!/usr/bin/env bash")):
            found.append(path)
    return [str(p.relative_to(ROOT)) for p in found if p.exists()]


def checks():
    """Name and command of each quick check."""
    for script in shell_scripts():
        yield f"lint::shell_syntax::{script}", ["bash", "-n", script]
    yield "lint::shellcheck", ["shellcheck", "-x", *shell_scripts()]
    yield "lint::format", ["cargo", "fmt", "--all", "--", "--check"]
    yield "lint::requirements", ["scripts/check-requirements"]
    yield "lint::benchmarks", ["python3", "scripts/lib/benchmarks.py"]
    for path in sorted((ROOT / "scripts/tests").glob("test_*.py")):
        yield f"scripts::{path.stem}", [sys.executable, "-W", "error", str(path)]
    if shutil.which("cargo-deny"):
        yield "lint::cargo_deny", ["cargo", "deny", "--offline", "check", "bans", "licenses", "sources"]


# ---- Rust -----------------------------------------------------------------------

class Binary:
    """A compiled test program; `counters` are what it needs to count what it runs."""

    def __init__(self, artifact, counters=None):
        self.counters = counters or {}
        self.folder = Path(artifact["manifest_path"]).parent
        self.place = self.folder.relative_to(ROOT).as_posix()
        package = re.search(r'^name = "(.*)"', (self.folder / "Cargo.toml").read_text(), re.M).group(1)
        target = artifact["target"]
        self.program = artifact["executable"]
        self.unit = target["kind"][0] != "test"
        self.name = package if self.unit else f"{package}::{target['name']}"
        # These start nodes and an L1.
        self.networks = self.place == "e2e"
        self.package = package

    def order(self):
        layer = next((i for i, l in enumerate(LAYERS) if self.place.startswith(l)), len(LAYERS))
        return (self.networks and not self.unit, layer, not self.unit, self.name)

    def tests(self):
        code, output = run([self.program, "--list", "--format", "terse"], self.name, cwd=self.folder, show=False)
        if code != 0:
            return []
        return [line[: -len(": test")] for line in output.splitlines() if line.endswith(": test")]

    def env(self):
        return {
            "CARGO_MANIFEST_DIR": str(self.folder),
            "CARGO_PKG_NAME": self.package,
            "CASCOIN_L2_BIN": os.environ.get("CASCOIN_L2_BIN", str(TARGET / "release/cascoin-l2")),
            **self.counters,
        }


def compile_tests(what, command, env=None, counters=None):
    """Runs cargo; returns the test programs it made, or None if it failed."""
    code, output = run([*command, "--locked", "--message-format=json-render-diagnostics"], what,
                       env=env, show=False, merge=False)
    if code != 0:
        return None
    messages = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    return [Binary(m, counters) for m in messages
            if m.get("reason") == "compiler-artifact" and m["profile"]["test"] and m["executable"]]


def build(counted):
    """Compiles programs and tests together; returns the test programs.

    `counted` is the coverage.Run that unit tests are compiled for, or None.
    """
    cold = "" if (TARGET / "release/cascoin-l2").exists() else " (the first time takes about half an hour on two cores)"
    title(f"building the node and the tests{cold}")
    started = time.monotonic()
    cargo = ["cargo", "build", "--release"]
    # `--examples` builds a measurement, and makes cargo count the tests' dependencies in,
    # as build_programs of scripts/lib/common.sh does.
    programs = ["--bins", "--examples", *coverage.uncounted_tests()] if counted else ["--lib", "--bins", "--tests"]
    steps = [
        ("building", [*cargo, "--workspace", *programs]),
        # A workspace of its own; it takes the node's compiler and none of its features.
        ("building the checks of the consensus core",
         [*cargo, "--manifest-path", "node/bft/checks/Cargo.toml", "--target-dir", str(TARGET / "checks"), "--tests"]),
    ]
    if counted:
        # A program alone, without a library: what counts leaves it out.
        steps.append(("building the tests of the simulation",
                      ["cargo", "test", "--release", "--workspace", "--bin", "economics", "--no-run"]))
        steps.append(("building the unit tests with counters", counted.command(), counted.build_env(), counted.test_env()))
    binaries = []
    for step in steps:
        made = compile_tests(*step)
        if made is None:
            say("the build failed: the compiler's message is above; after a tool-chain upgrade 'scripts/setup' repairs the WASM target")
            return None
        say(f"    {step[0]}: {minutes(time.monotonic() - started)}")
        binaries += made
    # Cargo takes `--test NAME` for all packages that have such a one: one that is compiled as
    # the node is and one with counters must not share it.
    names = [binary.name for binary in binaries if not binary.unit]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        say(f"compiled with counters and without, as another package has a test of that name: {', '.join(twice)}")
        return None
    return sorted(binaries, key=Binary.order)


RESULT = re.compile(r"^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored", re.M)
FAILED = re.compile(r"^test (\S.*?)(?: - should panic)? \.\.\. FAILED", re.M)


def count_libtest(name, code, output):
    """Adds what a libtest program reported; a program that died is one failure more."""
    results = RESULT.findall(output)
    for passed, _, ignored in results:
        TOTALS.passed += int(passed)
        TOTALS.skipped += int(ignored)
    failed = sum(int(f) for _, f, _ in results)
    names = FAILED.findall(output)
    for i in range(failed):
        TOTALS.fail(f"{name}::{names[i]}" if i < len(names) else name)
    if code == 0 and not results:
        TOTALS.passed += 1  # a test program with its own `main`
    if code != 0 and failed == 0:
        # The test that was running is named on the line left open.
        running = re.search(r"^test (\S+) \.\.\. $", output, re.M) if code is None else None
        at = f"::{running.group(1)}" if running else ""
        TOTALS.fail(f"{name}{at} ({'stalled' if code is None else f'exit code {code}'})")


# Test program and modules whose tests make networks and disks that fail.
NEED_LABORATORY = ("cascoin-e2e::faults", ("disks::", "links::", "partitions::"))
PROBE = """
set -e
ip netns add {name}
trap 'ip netns delete {name}' EXIT
ip -n {name} tuntap add mode tun name probe0
ip netns exec {name} unshare -m mount -t tmpfs none /mnt
"""


def why_no_laboratory():
    """Why this machine can make no such network; None if it can."""
    probe = PROBE.format(name=f"cascoin-probe-{os.getpid()}")
    tried = subprocess.run(["sh", "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return None if tried.returncode == 0 else (tried.stdout.strip().splitlines() or ["unknown reason"])[0]


def without_laboratory(binary, wanted):
    """Leaves out, and counts as skipped, what this machine cannot do for want of rights."""
    program, modules = NEED_LABORATORY
    needy = [n for n in wanted if n.startswith(modules)] if binary.name == program else []
    why = why_no_laboratory() if needy else None
    if why is None:
        return wanted
    say(f"    {len(needy)} tests of links, partitions and full disks are skipped: they need root on Linux,"
        f" TUN devices and mounts ({why})")
    TOTALS.skipped += len(needy)
    return [n for n in wanted if n not in needy]


def run_programs(binaries, pattern):
    """Unit and property tests: each program once, with all that is wanted of it."""
    jobs = []
    for binary in binaries:
        names = binary.tests()
        wanted = [n for n in names if matches(pattern, f"{binary.name}::{n}")]
        if wanted:
            jobs.append(parallel.Job(binary, tuple(wanted) if len(wanted) < len(names) else ()))
    if jobs:
        title(f"unit and property tests ({len(jobs)} programs)")
        run_jobs(jobs)


def run_networks(binaries, pattern):
    """Tests that start nodes, each in a process of its own; files of JavaScript among them."""
    jobs = js_jobs(pattern)
    for binary in binaries:
        wanted = [n for n in binary.tests() if matches(pattern, f"{binary.name}::{n}")]
        jobs += [parallel.Job(binary, (name,)) for name in without_laboratory(binary, wanted)]
    if jobs:
        title(f"tests of networks ({len(jobs)})")
        run_jobs(jobs)


def run_jobs(jobs):
    for job, code, output in parallel.run_all(jobs):
        if isinstance(job, JsJob):
            job.count(code, output)
        else:
            count_libtest(job.binary.name, code, output)


def has_doc_tests():
    """Whether any doc comment opens a block of Rust."""
    for path in ROOT.glob("*/**/src/**/*.rs"):
        inside = False
        for line in path.read_text("utf-8").splitlines():
            fence = re.match(r"\s*//[/!]\s*```\s*([\w,]*)", line)
            if fence:
                if not inside and set(fence.group(1).split(",")) <= {"", "rust", "no_run", "should_panic", "compile_fail"}:
                    return True
                inside = not inside
    return False


def run_doc_tests():
    if has_doc_tests():
        title("documentation examples")
        command = ["cargo", "test", "--release", "--locked", "--workspace", "--doc", "--quiet"]
        code, output = run(command, "documentation examples")
        count_libtest("doc", code, output)


# ---- JavaScript and zombienet ---------------------------------------------------

def npm():
    """The command for npm. Debian's npm 9 fails on an override of a git dependency,
    which zombienet needs, so a newer one is fetched in its place."""
    version = subprocess.run(["npm", "--version"], stdout=subprocess.PIPE, text=True).stdout
    old = int((re.match(r"\d+", version) or ["0"])[0]) < 10
    return ["npx", "--yes", "npm@10.9.4"] if old else ["npm"]


def npm_install(folder):
    """Installs exactly what the folder's lock file names, unless it is there."""
    stamp = folder / "node_modules/.cascoin-lock"
    want = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == want:
        return True
    name = folder.relative_to(ROOT).as_posix()
    title(f"installing the JavaScript packages of {name}")
    code, output = run([*npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error"], name, cwd=folder, show=False)
    if code != 0:
        say(f"{output.rstrip()}\nnpm could not install the packages of {name}: check the network and run this again")
        TOTALS.fail(f"{name}::npm_ci")
        return False
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(want)
    return True


def js_env():
    programs = TARGET / "release"
    return {
        "CASCOIN_L2_BIN": os.environ.get("CASCOIN_L2_BIN", str(programs / "cascoin-l2")),
        "CASCOIN_DEMO_BIN": str(programs / "demo"),
        "PATH": f"{programs}:{os.environ['PATH']}",
    }


JS_TITLE = re.compile(r"""^\s*(?:await\s+)?(?:test|it)\(\s*(['"`])(.*?)\1""", re.M)


def js_files(folder):
    return [p for p in sorted(folder.glob("**/*.test.*js")) if "node_modules" not in p.parts]


def js_titles(path):
    """Full names of the tests of a file."""
    group = f"e2e/js::{path.relative_to(ROOT / 'e2e/js').as_posix()}"
    return [f"{group}::{m[1]}" for m in JS_TITLE.findall(path.read_text("utf-8"))]


@dataclass(frozen=True)
class JsJob:
    """A file of JavaScript tests, or those of it that are named in `only`. Its nodes have
    temporary folders of their own and ports that the system gives out, so it runs beside others."""
    name: str
    path: Path
    only: tuple = ()
    # Its output is shown as a whole.
    tests: tuple = ()

    def run(self, worker):
        command = ["node", "--test", "--test-reporter=tap", *(f"--test-name-pattern={re.escape(t)}$" for t in self.only)]
        env = {**js_env(), "CASCOIN_TEST_WORKER": str(worker)}
        return run([*command, str(self.path)], self.name, cwd=ROOT / "e2e/js", env=env, show=False, quiet=True)

    def count(self, code, output):
        """Adds what Node.js reported; a program that died is one failure more."""
        counts = {k: int(v) for k, v in re.findall(r"^# (tests|pass|fail|cancelled|skipped|todo) (\d+)", output, re.M)}
        if not counts:
            TOTALS.fail(f"{self.name} ({'stalled' if code is None else f'exit code {code}'})")
            return
        failed = counts.get("fail", 0) + counts.get("cancelled", 0)
        TOTALS.passed += counts.get("pass", 0)
        # Tests that the pattern left out are reported as skipped: they are not ours to count.
        TOTALS.skipped += 0 if self.only else counts.get("skipped", 0) + counts.get("todo", 0)
        names = re.findall(r"^\s*not ok \d+ - (.*)$", output, re.M)
        for i in range(failed):
            TOTALS.fail(f"{self.name}::{names[i]}" if i < len(names) else self.name)
        if code != 0 and failed == 0:
            TOTALS.fail(f"{self.name} ({'stalled' if code is None else f'exit code {code}'})")


def js_jobs(pattern):
    """What is wanted of the JavaScript tests, ready to run."""
    folder, jobs = ROOT / "e2e/js", []
    for path in js_files(folder):
        group = f"e2e/js::{path.relative_to(folder).as_posix()}"
        wanted = tuple(t[len(group) + 2:] for t in js_titles(path) if matches(pattern, t))
        if wanted or not pattern:
            jobs.append(JsJob(group, path, wanted if pattern else ()))
    return jobs if jobs and npm_install(folder) else []


def run_zombienet(pattern):
    folder = ROOT / "zombienet"
    for path in sorted(folder.glob("*.zndsl")):
        name = f"zombienet::{path.stem}"
        if not matches(pattern, name) or not npm_install(folder):
            continue
        title(name)
        code, _ = run([folder / "run", path.name], name, cwd=folder, env=js_env())
        if code == 0:
            TOTALS.passed += 1
            say(f"test {name} ... ok")
        else:
            TOTALS.fail(name)
            say(f"test {name} ... FAILED")


# ---- coverage -------------------------------------------------------------------

def report_coverage(counted, binaries, html=None):
    """Prints what the unit tests just run have covered."""
    title("coverage of the unit tests")
    try:
        for line in counted.report([b.program for b in binaries if b.counters], html):
            say(line)
        TOTALS.passed += 1
    except coverage.Failed as error:
        say(f"coverage: {error}")
        TOTALS.fail("coverage")
    finally:
        counted.close()


def measure_coverage(html):
    """Only what scripts/coverage is for."""
    counted = coverage.Run(TARGET)
    if not counted.has_runtime():
        title("building the runtime")
        run(["cargo", "build", "--release", "--locked", "--workspace", "--bins", "--examples"], "building", show=False, merge=False)
    title("building the unit tests with counters")
    binaries = compile_tests("building", counted.command(), counted.build_env(), counted.test_env())
    if binaries is None:
        TOTALS.fail("build")
        return
    run_programs(sorted(binaries, key=Binary.order), "")
    report_coverage(counted, binaries, html)


# ---- all of it ------------------------------------------------------------------

def matches(pattern, name):
    return not pattern or pattern in name


def suite(options):
    pattern = options.pattern
    quick = [(n, c) for n, c in checks() if matches(pattern, n)]
    if options.list:
        for name, _ in quick:
            say(name)
    elif quick:
        title(f"checks ({len(quick)})")
        for name, command in quick:
            check(name, command)
    if options.lint_only:
        return
    all_of_it = not pattern and not options.list and not options.no_coverage
    counted = coverage.Run(TARGET) if all_of_it else None
    binaries = build(counted)
    if binaries is None:
        TOTALS.fail("build")
        return
    if options.list:
        for name in ("lint::chain_specs", "lint::mutations"):
            if matches(pattern, name):
                say(name)
        for binary in binaries:
            for test in binary.tests():
                if matches(pattern, f"{binary.name}::{test}"):
                    say(f"{binary.name}::{test}")
        for path in js_files(ROOT / "e2e/js"):
            for name in js_titles(path):
                say(name)
        for path in sorted((ROOT / "zombienet").glob("*.zndsl")):
            say(f"zombienet::{path.stem}")
        return
    if matches(pattern, "lint::chain_specs"):
        check("lint::chain_specs", ["scripts/check-chain-specs", "--no-build"])
    if matches(pattern, "lint::mutations"):
        check("lint::mutations", ["scripts/check-mutations", "--if-changed"])
    run_programs([b for b in binaries if not b.networks or b.unit], pattern)
    if counted:
        report_coverage(counted, binaries, options.html)
    if not pattern:
        run_doc_tests()
    if not options.no_e2e:
        run_networks([b for b in binaries if b.networks and not b.unit], pattern)
        run_zombienet(pattern)


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", add_help=False)
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--no-e2e", action="store_true")
    parser.add_argument("--no-coverage", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--lint-only", action="store_true")
    parser.add_argument("--coverage-only", action="store_true")
    parser.add_argument("--html")
    options = parser.parse_args()
    os.chdir(ROOT)
    started = time.monotonic()
    interrupted = False
    try:
        measure_coverage(options.html) if options.coverage_only else suite(options)
    except KeyboardInterrupt:
        interrupted = True
        end_all()
        TOTALS.fail("interrupted")
    except Exception:  # a fault of this program must not hide what was counted
        traceback.print_exc(file=sys.stdout)
        TOTALS.fail("the test runner itself")
    if options.list:
        return 0
    say()
    for name in source.bring_back(ROOT, source.clone()):
        say(f"seeds of failing property tests: {name}")
    if TOTALS.failures:
        say("failed:")
        for name in TOTALS.failures:
            say(f"  {name}")
        say("run one again with: scripts/test NAME")
    if options.pattern and TOTALS.passed + TOTALS.failed == 0:
        say(f"no test has '{options.pattern}' in its name; scripts/test --list shows them")
    say(f"took {minutes(time.monotonic() - started)}")
    say(TOTALS.line())
    if interrupted:
        return 130
    return 0 if TOTALS.passed and not TOTALS.failed else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    sys.exit(main())
