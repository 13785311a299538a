"""Coverage of the unit and property tests: how they are compiled with counters, and
what the counters say.

Only our own crates are compiled with counters (coverage-rustc), in a place of their
own in the build directory; dependencies are those of the normal build.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Their tests start nodes, so they are compiled as the node is.
UNCOUNTED = ("e2e", "node/cli")
# The runtime composes pallets by macros, and what runs only in a whole node is
# covered by the end-to-end tests, whose processes are not counted here.
NOT_MEASURED = ("runtime", *UNCOUNTED)
IGNORED = r"(/\.cargo/|/rustc/|/usr/|/release/build/|/tests/|/fuzz/|/(tests|mock|fuzz|[a-z_]*_tests)\.rs$)"


class Failed(Exception):
    """Why nothing can be said of coverage."""


def output_of(command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def crates():
    """Folder and integration tests of each crate of the workspace."""
    metadata = output_of(["cargo", "metadata", "--no-deps", "--format-version=1", "--locked", "--offline"])
    for package in json.loads(metadata)["packages"]:
        folder = Path(package["manifest_path"]).parent.relative_to(ROOT).as_posix()
        yield folder, [t["name"] for t in package["targets"] if "test" in t["kind"]]


def tests_of(wanted):
    """Cargo's arguments for the integration tests of the crates `wanted` takes."""
    names = sorted({test for folder, tests in crates() if wanted(folder) for test in tests})
    return [f"--test={name}" for name in names]


def uncounted_tests():
    """Cargo's arguments for the tests that are compiled as the node is."""
    return tests_of(lambda folder: folder in UNCOUNTED)


def llvm_tools():
    """The folder of the LLVM tools of the compiler's own version."""
    version = output_of(["rustc", "-vV"])
    major = re.search(r"^LLVM version: (\d+)", version, re.M)[1]
    host = re.search(r"^host: (.*)$", version, re.M)[1]
    sysroot = output_of(["rustc", "--print", "sysroot"]).strip()
    for folder in (Path(f"/usr/lib/llvm-{major}/bin"), Path(sysroot) / "lib/rustlib" / host / "bin"):
        if (folder / "llvm-cov").exists():
            return folder
    raise Failed("llvm-cov of the compiler's LLVM is missing: 'scripts/setup' installs it, "
                 "or 'rustup component add llvm-tools'")


class Run:
    """One measurement, with a folder for what the counters leave."""

    def __init__(self, target):
        self.profiles = Path(tempfile.mkdtemp(prefix="cascoin-coverage-"))
        self.runtime = target / "release/wbuild/cascoin-l2-runtime/cascoin_l2_runtime.compact.compressed.wasm"

    def close(self):
        shutil.rmtree(self.profiles, ignore_errors=True)

    def has_runtime(self):
        return self.runtime.exists()

    @staticmethod
    def command():
        """Compiles the tests. The whole workspace, never `-p`: see scripts/lib/common.sh."""
        counted = tests_of(lambda folder: folder not in UNCOUNTED)
        return ["cargo", "test", "--release", "--workspace", "--lib", *counted, "--no-run"]

    @staticmethod
    def build_env():
        """The wrapper's crates have their own place in the build directory."""
        return {"RUSTC_WORKSPACE_WRAPPER": str(ROOT / "scripts/lib/coverage-rustc"), "SKIP_WASM_BUILD": "1"}

    def test_env(self):
        """The runtime's WASM has no counters; the engine's tests run the normal build's."""
        return {
            "LLVM_PROFILE_FILE": str(self.profiles / "%p-%m.profraw"),
            "CASCOIN_L2_RUNTIME_WASM": str(self.runtime),
        }

    def report(self, programs, html=None):
        """Lines of a table, a row a crate; `html` gets a page a source file."""
        tools = llvm_tools()
        left = [str(path) for path in self.profiles.glob("*.profraw")]
        if not left:
            raise Failed("nothing was measured: did the tests run?")
        merged = self.profiles / "profile"
        names = self.profiles / "names"
        names.write_text("\n".join(left))
        self.tool(tools / "llvm-profdata", "merge", "-sparse", f"--input-files={names}", "-o", str(merged))
        objects = [f"--object={program}" for program in programs]
        common = [f"--instr-profile={merged}", f"--ignore-filename-regex={IGNORED}", *objects]
        summary = self.tool(tools / "llvm-cov", "export", "--summary-only", *common)
        if html:
            self.tool(tools / "llvm-cov", "show", "--format=html", f"--output-dir={html}", *common)
        lines = table(json.loads(summary))
        return [*lines, f"pages written to {html}/index.html"] if html else lines

    @staticmethod
    def tool(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failed(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout


def table(summary):
    """Shares of lines and functions by crate."""
    folders = sorted((f for f, _ in crates() if f not in NOT_MEASURED), key=len, reverse=True)
    rows = {folder: [0, 0, 0, 0] for folder in folders}
    for file in summary["data"][0]["files"]:
        name = os.path.relpath(os.path.realpath(file["filename"]), ROOT)
        row = next((rows[f] for f in folders if name.startswith(f + "/src/")), None)
        if row is not None:
            for i, kind in enumerate(("lines", "functions")):
                row[2 * i] += file["summary"][kind]["covered"]
                row[2 * i + 1] += file["summary"][kind]["count"]
    if not any(row[1] for row in rows.values()):
        raise Failed("nothing was measured: did the tests run?")

    def percent(covered, count):
        return f"{100 * covered / count:6.1f} %" if count else "      – "

    total = [sum(row[i] for row in rows.values()) for i in range(4)]
    return [f"{'crate':<30} {'lines':>8} {'of':>7} {'functions':>10} {'of':>6}"] + [
        f"{folder:<30} {percent(*row[:2])} {row[1]:>7} {percent(*row[2:]):>10} {row[3]:>6}"
        for folder, row in [*sorted(rows.items()), ("total", total)]]
