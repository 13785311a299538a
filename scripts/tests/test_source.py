"""The copy of a clone that is built: what it has, what is written, who waits for whom."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))
import source  # noqa: E402

# Before anything that is built here.
LONG_AGO = 1_000_000_000_000_000_000


class InFolders(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.clone, self.copy = self.folder / "clone", self.folder / "copy"

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def names(self, root):
        return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


class Sync(InFolders):
    def age(self):
        """Makes all of the copy old; what is written from now on can be told by that."""
        for path in self.copy.rglob("*"):
            os.utime(path, ns=(LONG_AGO, LONG_AGO))

    def written(self):
        return [n for n in self.names(self.copy) if (self.copy / n).stat().st_mtime_ns != LONG_AGO]

    def test_a_fresh_clone_of_the_same_version_writes_nothing(self):
        for clone in (self.clone, self.folder / "another"):
            self.write(clone / "a/src/lib.rs", "a")
            self.write(clone / "Cargo.toml", "c")
        self.assertEqual(source.sync(self.clone, self.copy), (2, 0))
        self.age()
        self.assertEqual(source.sync(self.folder / "another", self.copy), (0, 0))
        self.assertEqual(self.written(), [])

    def test_what_changed_gets_the_time_of_now_also_when_it_changes_back(self):
        self.write(self.clone / "a.rs", "one")
        self.write(self.clone / "b.rs", "same")
        source.sync(self.clone, self.copy)
        for text in ("two", "one"):
            self.age()
            self.write(self.clone / "a.rs", text)
            # The clone's own times count for nothing: git may give old ones to new contents.
            os.utime(self.clone / "a.rs", ns=(LONG_AGO - 1, LONG_AGO - 1))
            self.assertEqual(source.sync(self.clone, self.copy), (1, 0))
            self.assertEqual((self.copy / "a.rs").read_text(), text)
            self.assertEqual(self.written(), ["a.rs"])
            self.assertGreater((self.copy / "a.rs").stat().st_mtime_ns, LONG_AGO)

    def test_what_the_clone_has_no_longer_goes_with_its_empty_folders(self):
        self.write(self.clone / "a.rs", "a")
        self.write(self.copy / "gone/src/lib.rs", "old")
        self.write(self.copy / "a.rs/lib.rs", "a folder before")
        self.assertEqual(source.sync(self.clone, self.copy), (1, 2))
        self.assertEqual(self.names(self.copy), ["a.rs"])
        self.assertFalse((self.copy / "gone").exists())

    def test_what_git_ignores_is_neither_copied_nor_removed(self):
        ignored = ["js/node_modules/p/index.js", "lib/__pycache__/a.pyc", "run.log", "x.profraw", "target/node"]
        for name in ignored:
            self.write(self.clone / name, "theirs")
            self.write(self.copy / name, "its own")
        for name in (".git/HEAD", "src/target/kept.rs"):
            self.write(self.clone / name, "x")
        source.sync(self.clone, self.copy)
        self.assertEqual(self.names(self.copy), sorted([*ignored, "src/target/kept.rs"]))
        self.assertEqual({(self.copy / name).read_text() for name in ignored}, {"its own"})

    def test_a_copy_inside_the_clone_does_not_take_itself(self):
        self.write(self.clone / "a.rs", "a")
        inside = self.clone / "build-source"
        for _ in range(2):
            source.sync(self.clone, inside, leave_out=(inside,))
            self.assertEqual(self.names(inside), ["a.rs"])

    def test_scripts_can_be_run_in_the_copy(self):
        self.write(self.clone / "run", "#!/bin/sh\n")
        (self.clone / "run").chmod(0o755)
        source.sync(self.clone, self.copy)
        self.assertTrue(os.access(self.copy / "run", os.X_OK))

    def test_git_and_the_copy_ignore_the_same(self):
        rules = (LIB.parents[1] / ".gitignore").read_text().split()
        ours = [*(f"/{n}" for n in source.IGNORED_AT_TOP), *(f"{n}/" for n in source.IGNORED_FOLDERS if n != ".git"),
                *(f"*{s}" for s in source.IGNORED_SUFFIXES)]
        self.assertEqual(sorted(rules), sorted(ours))

    def test_seeds_of_failed_property_tests_come_home(self):
        self.write(self.clone / "a/proptest-regressions/known.txt", "one")
        self.write(self.clone / "a/lib.rs", "a")
        source.sync(self.clone, self.copy)
        self.assertEqual(source.bring_back(self.copy, self.clone), [])
        self.write(self.copy / "a/proptest-regressions/known.txt", "one, two")
        self.write(self.copy / "b/proptest-regressions/deep/new.txt", "three")
        self.write(self.copy / "b/other.txt", "not a seed")
        self.assertEqual(source.bring_back(self.copy, self.clone),
                         ["a/proptest-regressions/known.txt", "b/proptest-regressions/deep/new.txt"])
        self.assertEqual((self.clone / "a/proptest-regressions/known.txt").read_text(), "one, two")
        self.assertEqual((self.clone / "b/proptest-regressions/deep/new.txt").read_text(), "three")
        self.assertFalse((self.clone / "b/other.txt").exists())


class Command(InFolders):
    def setUp(self):
        super().setUp()
        self.target = self.folder / "cache/target"

    def make_clone(self, name):
        clone = self.folder / name
        (clone / "scripts/lib").mkdir(parents=True)
        shutil.copy(LIB / "source.py", clone / "scripts/lib")
        self.write(clone / "name", name)
        return clone

    def start(self, clone, *command, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("CASCOIN_", "SUBSTRATE_"))}
        env |= {"CARGO_TARGET_DIR": str(self.target), "CASCOIN_L2_BIN": "node", **environment}
        process = subprocess.Popen(
            [sys.executable, clone / "scripts/lib/source.py", *command], cwd=clone, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def output(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        said, errors = process.communicate()
        self.assertEqual((process.returncode, errors), (0, ""))
        return said.split()

    def test_clones_are_built_in_one_place_each_with_its_own_files(self):
        ask = ("sh", "-c", 'pwd; cat name; echo; echo "$CASCOIN_L2_CLONE $CASCOIN_L2_BIN $SUBSTRATE_CLI_GIT_COMMIT_HASH"')
        for name in ("one", "two"):
            clone = self.make_clone(name)
            self.assertEqual(self.output(clone, *ask), [
                str(self.folder / "cache/target-source"), name, str(clone), str(clone / "node"), "00000000000"])

    def test_in_place_means_in_the_clone(self):
        clone = self.make_clone("one")
        self.assertEqual(self.output(clone, "pwd", CASCOIN_BUILD_IN_PLACE="1"), [str(clone)])
        self.assertFalse((self.folder / "cache").exists())

    def test_the_exit_code_is_the_commands(self):
        self.assertEqual(self.start(self.make_clone("one"), "sh", "-c", "exit 7").wait(), 7)

    def test_a_second_clone_waits_until_the_first_one_is_done(self):
        first = self.start(self.make_clone("one"), "sh", "-c", "echo begun; read answer; cat name")
        self.assertEqual(first.stdout.readline(), "begun\n")
        second = self.start(self.make_clone("two"), "cat", "name")
        self.assertIn("waiting", second.stderr.readline())
        self.assertEqual(first.communicate("go on\n")[0], "one")
        self.assertEqual(second.communicate()[0], "two")

    def test_what_a_command_leaves_running_keeps_nobody_waiting(self):
        clone = self.make_clone("one")
        [left] = self.output(clone, "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")
        try:
            self.assertEqual(self.output(clone, "cat", "name"), ["one"])
            os.kill(int(left), 0)
        finally:
            os.kill(int(left), 9)

    def test_a_script_in_the_copy_may_call_another_one(self):
        clone = self.make_clone("one")
        self.assertEqual(self.output(clone, sys.executable, "scripts/lib/source.py", "cat", "name"), ["one"])


if __name__ == "__main__":
    unittest.main()
