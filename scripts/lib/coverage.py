"""Coverage tables. `plan` prints cargo's target arguments for the crates under
test; `report` reads llvm-cov's JSON summary and prints a row a crate."""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The runtime composes pallets by macros, and what runs only in a whole node is
# covered by the end-to-end tests, whose processes are not counted here.
NOT_MEASURED = ("runtime", "e2e", "node/cli")


def crates():
    """Folder and test targets of each measured crate."""
    text = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version=1", "--locked", "--offline"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for package in json.loads(text)["packages"]:
        folder = Path(package["manifest_path"]).parent.relative_to(ROOT).as_posix()
        if folder not in NOT_MEASURED:
            yield folder, [t["name"] for t in package["targets"] if "test" in t["kind"]]


def plan():
    print("--lib")
    for _, tests in crates():
        for test in tests:
            print(f"--test\n{test}")


def report(path):
    folders = sorted((folder for folder, _ in crates()), key=len, reverse=True)
    rows = {folder: [0, 0, 0, 0] for folder in folders}
    for file in json.loads(Path(path).read_text())["data"][0]["files"]:
        try:
            name = Path(file["filename"]).resolve().relative_to(ROOT).as_posix()
        except ValueError:
            continue
        row = next((rows[f] for f in folders if name.startswith(f + "/src/")), None)
        if row is not None:
            for i, kind in enumerate(("lines", "functions")):
                row[2 * i] += file["summary"][kind]["covered"]
                row[2 * i + 1] += file["summary"][kind]["count"]
    if not any(row[1] for row in rows.values()):
        sys.exit("scripts/coverage: nothing was measured; were the tests run?")

    def percent(covered, count):
        return f"{100 * covered / count:6.1f} %" if count else "      – "

    print(f"{'crate':<30} {'lines':>8} {'of':>7} {'functions':>10} {'of':>6}")
    total = [sum(row[i] for row in rows.values()) for i in range(4)]
    for folder, row in [*sorted(rows.items()), ("total", total)]:
        print(f"{folder:<30} {percent(*row[:2])} {row[1]:>7} {percent(*row[2:]):>10} {row[3]:>6}")


if __name__ == "__main__":
    plan() if sys.argv[1] == "plan" else report(sys.argv[2])
