"""The requirement check must notice every defect it promises to notice."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import requirements  # noqa: E402

GOOD = """
| id | status | code | test |
|---|---|---|---|
| **R1.1** deploy \\| register | works | `src/a.rs` | `tests/t.rs::deploys` |
| **R1.2** parameters | partly: two of three | `src/a.rs`, `src` | `js/c.test.mjs::sends a transfer`, `net.zndsl::alice: is up` |
| **E SEQ_TIMEOUT** leader late | not yet | | |
"""
WANTED = ["R1.1", "R1.2", "E SEQ_TIMEOUT"]


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for path, text in {
            "src/a.rs": "", "tests/t.rs": "#[test]\nfn deploys() {}\n",
            "js/c.test.mjs": "test('sends a transfer', async () => {});\n",
            "net.zndsl": "# bob: is up\nalice: is up within 10 seconds\n",
        }.items():
            (self.root / path).parent.mkdir(exist_ok=True)
            (self.root / path).write_text(text)

    def problems(self, old="", new="", wanted=None, ledger=None):
        self.assertIn(old, GOOD)
        return requirements.check(self.root, GOOD.replace(old, new, 1) if old else GOOD, wanted or WANTED, ledger)

    def assert_one(self, problems, text):
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(text, problems[0])

    def test_a_correct_table_passes(self):
        self.assertEqual(self.problems(ledger=WANTED), [])

    def test_missing_id(self):
        self.assert_one(self.problems(wanted=[*WANTED, "R1.3"]), "R1.3: no row")

    def test_duplicate_id(self):
        self.assert_one(self.problems("**R1.2** parameters", "**R1.1** again", wanted=["R1.1", "E SEQ_TIMEOUT"]), "two rows")

    def test_unknown_id(self):
        self.assert_one(self.problems(wanted=WANTED[1:]), "R1.1: not a requirement")

    def test_row_without_id(self):
        self.assertIn("no id in 'deploy'", str(self.problems("**R1.1** deploy \\| register", "deploy")))

    def test_unknown_status(self):
        self.assert_one(self.problems("not yet", "soon"), "status 'soon'")

    def test_partly_must_say_what_is_missing(self):
        self.assert_one(self.problems("partly: two of three", "partly"), "does not say")

    def test_missing_path(self):
        self.assert_one(self.problems("`src/a.rs` |", "`src/b.rs` |"), "there is no src/b.rs")

    def test_missing_test_file(self):
        self.assert_one(self.problems("tests/t.rs::", "tests/u.rs::"), "no test file tests/u.rs")

    def test_missing_rust_test(self):
        self.assert_one(self.problems("::deploys`", "::deploy`"), "no test 'deploy'")

    def test_missing_js_test(self):
        self.assert_one(self.problems("sends a transfer", "sends a letter"), "no test 'sends a letter'")

    def test_a_commented_zombienet_line_is_no_test(self):
        self.assert_one(self.problems("alice: is up", "bob: is up"), "no test 'bob: is up'")

    def test_test_without_file(self):
        self.assert_one(self.problems("tests/t.rs::deploys", "deploys"), "path::name")

    def test_works_needs_a_test(self):
        self.assert_one(self.problems("`tests/t.rs::deploys`", "by hand"), "no test is cited")

    def test_partly_needs_a_test(self):
        problems = self.problems("`js/c.test.mjs::sends a transfer`, `net.zndsl::alice: is up`", "")
        self.assert_one(problems, "no test is cited")

    def test_works_needs_code(self):
        self.assert_one(self.problems("| `src/a.rs` |", "| |"), "no code is cited")

    def test_column_lost(self):
        self.assert_one(self.problems("| `src/a.rs` | `tests", "| `tests"), "3 columns")

    def test_ledger_has_more(self):
        self.assert_one(self.problems(ledger=[*WANTED, "L7"]), "L7: in the ledger")

    def test_ledger_has_less(self):
        self.assert_one(self.problems(ledger=WANTED[:2]), "not in the ledger")

    def test_ranges_and_ledger_lines(self):
        self.assertEqual(requirements.expand("R2a.1-3\n# no\nE X_Y\nP20\n"), ["R2a.1", "R2a.2", "R2a.3", "E X_Y", "P20"])
        text = "## R1 Deploy\n- R1.1 one\n- E L2_X: two\n- O12 `a`\n- L1 three\n"
        self.assertEqual(requirements.ledger_ids(text), ["R1.1", "E L2_X", "O12", "L1"])


if __name__ == "__main__":
    unittest.main()
