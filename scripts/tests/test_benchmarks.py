"""The check of benchmarks must notice every defect it promises to notice."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import benchmarks  # noqa: E402

GOOD = {
    "pallets/a-b/src/weights.rs": """
pub trait WeightInfo {
    /// Does it.
    fn act() -> Weight;
    fn settle(n: u32) -> Weight;
}
impl WeightInfo for () {
    fn act() -> Weight { Weight::zero() }
}
""",
    "pallets/a-b/src/benchmarking.rs": """
#[benchmarks]
mod benchmarks {
    fn helper(n: u32) {}

    #[benchmark]
    fn act() {}

    /// A full set.
    #[benchmark]
    fn settle(n: Linear<1, { MAX }>) -> Result<(), BenchmarkError> {}
}
""",
    "runtime/src/benchmarks.rs": "    [pallet_a_b, crate::AB]\n",
    "runtime/src/weights/mod.rs": "pub mod pallet_a_b;\n",
}


class Check(unittest.TestCase):
    def problems(self, path=None, old="", new=""):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, text in GOOD.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text.replace(old, new) if name == path else text)
            return benchmarks.problems(root)

    def test_what_is_complete_passes(self):
        self.assertEqual(self.problems(), [])

    def test_each_defect_is_found(self):
        weights, measuring = "pallets/a-b/src/weights.rs", "pallets/a-b/src/benchmarking.rs"
        for path, old, new, said in [
            (measuring, "fn act", "fn other", "nothing measures act"),
            (measuring, "fn act", "fn other", "other is measured"),
            (measuring, "fn act()", "fn act(n: Linear<0, 1>)", "act has 0 arguments"),
            (weights, "(n: u32)", "()", "settle has 0 arguments"),
            (weights, "WeightInfo {", "Other {", "no WeightInfo"),
            ("runtime/src/benchmarks.rs", "a_b", "other", "not in runtime/src/benchmarks.rs"),
            ("runtime/src/weights/mod.rs", "a_b", "a_b_c", "not in runtime/src/weights/mod.rs"),
        ]:
            with self.subTest(said):
                found = self.problems(path, old, new)
                self.assertTrue(any(said in problem for problem in found), found)


if __name__ == "__main__":
    unittest.main()
