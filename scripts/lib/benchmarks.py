"""Whether what is weighed can be measured. Nothing but scripts/benchmark-weights compiles
benchmarks, so this looks at the sources:

- each method of a pallet's `WeightInfo` has a benchmark of the same name with as many
  components, and no benchmark measures what nobody asks for;
- each of our pallets with weights is in runtime/src/benchmarks.rs and in
  runtime/src/weights/mod.rs.
"""
import re
import sys
from pathlib import Path

TRAIT = re.compile(r"pub trait WeightInfo \{(.*?)^\}", re.S | re.M)
METHOD = re.compile(r"fn (\w+)\(([^)]*)\)")
BENCHMARK = re.compile(r"#\[benchmark\b[^\]]*\]\s*(?:///[^\n]*\n\s*)*fn (\w+)\(([^)]*)\)")


def methods(weights):
    """The trait's methods, each with the number of its arguments."""
    found = TRAIT.search(weights)
    trait = found.group(1) if found else ""
    return {name: arguments.count(":") for name, arguments in METHOD.findall(trait)}


def benchmarks(text):
    """The benchmarks, each with the number of its components."""
    return {name: arguments.count("Linear<") for name, arguments in BENCHMARK.findall(text)}


def problems(root):
    """What is wrong, as sentences."""
    listed = (root / "runtime/src/benchmarks.rs").read_text()
    in_force = (root / "runtime/src/weights/mod.rs").read_text()
    found = []
    for file in sorted(root.glob("pallets/*/src/weights.rs")):
        folder = file.parent
        pallet = "pallet_" + folder.parent.name.replace("-", "_")
        wanted = methods(file.read_text())
        if not wanted:
            found.append(f"{pallet}: no WeightInfo in weights.rs")
        measuring = folder / "benchmarking.rs"
        measured = benchmarks(measuring.read_text()) if measuring.exists() else {}
        for name in sorted(wanted.keys() - measured.keys()):
            found.append(f"{pallet}: nothing measures {name}")
        for name in sorted(measured.keys() - wanted.keys()):
            found.append(f"{pallet}: {name} is measured, and WeightInfo has no such method")
        for name in sorted(wanted.keys() & measured.keys()):
            if wanted[name] != measured[name]:
                found.append(f"{pallet}: {name} has {wanted[name]} arguments as a weight "
                             f"and {measured[name]} components as a benchmark")
        if f"[{pallet}," not in listed:
            found.append(f"{pallet}: not in runtime/src/benchmarks.rs")
        if not re.search(rf"^pub mod {pallet}\b", in_force, re.M):
            found.append(f"{pallet}: not in runtime/src/weights/mod.rs")
    return found


if __name__ == "__main__":
    wrong = problems(Path(__file__).resolve().parents[2])
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))
