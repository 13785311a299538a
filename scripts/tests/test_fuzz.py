"""How scripts/fuzz counts and judges what its targets did."""
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import fuzz  # noqa: E402


def run(script, cases):
    """What comes of a program that does as `script` says."""
    made = fuzz.Target("crate", Path("/"), "/bin/sh", "fuzz::target")
    made.program, made.test = "/bin/sh", script

    class Shell:
        """Runs the script in place of the test."""
        PIPE, STDOUT, DEVNULL = fuzz.subprocess.PIPE, fuzz.subprocess.STDOUT, fuzz.subprocess.DEVNULL
        TimeoutExpired = fuzz.subprocess.TimeoutExpired

        @staticmethod
        def run(command, **how):
            return real.run(["/bin/sh", "-c", command[2]], **how)

    real = fuzz.subprocess
    fuzz.subprocess = Shell
    try:
        made.run(cases, None)
    finally:
        fuzz.subprocess = real
    return made


class Fuzz(unittest.TestCase):
    def test_a_target_that_tried_all_cases_is_right(self):
        made = run('echo "fuzzed: $BOLERO_RANDOM_ITERATIONS cases, 3 readable"', 10)
        self.assertEqual((made.cases, made.readable, made.failed), (10, 3, False))
        # With one thread libtest begins the line.
        made = run('echo "test fuzz::target ... fuzzed: 10 cases, 3 readable"', 10)
        self.assertEqual((made.cases, made.readable, made.failed), (10, 3, False))

    def test_a_target_that_stops_early_or_says_nothing_has_failed(self):
        self.assertTrue(run('echo "fuzzed: 9 cases, 9 readable"', 10).failed)
        self.assertTrue(run("true", 10).failed)

    def test_a_target_that_dies_has_failed_and_its_output_is_kept(self):
        made = run('echo BOLERO_RANDOM_SEED=77 >&2; echo "fuzzed: 10 cases, 1 readable"; exit 101', 10)
        self.assertTrue(made.failed)
        self.assertIn("BOLERO_RANDOM_SEED=77", made.output)

    def test_a_target_that_never_ends_is_ended(self):
        grace, fuzz.GRACE = fuzz.GRACE, 0.2
        try:
            made = run("exec sleep 60", 1)
        finally:
            fuzz.GRACE = grace
        self.assertTrue(made.failed and made.seconds < 30)

    def test_the_table_sums_up(self):
        one, other = (run('echo "fuzzed: 4 cases, 2 readable"', n) for n in (4, 5))
        lines = fuzz.table([one, other]).splitlines()
        self.assertEqual(len(lines), 5)
        self.assertIn("| 4 | 2 |", lines[2])
        self.assertTrue(lines[2].endswith("| ok |") and lines[3].endswith("| FAILED |"))
        self.assertIn("| 8 | 4 |", lines[4])
        self.assertTrue(lines[4].endswith("| 1 FAILED |"))

    def test_cases_are_numbers(self):
        self.assertEqual((fuzz.number("1,000"), fuzz.number("5_0")), (1000, 50))
        for wrong in ("0", "-3", "many"):
            self.assertRaises(ValueError, fuzz.number, wrong)


if __name__ == "__main__":
    unittest.main()
