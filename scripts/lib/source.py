#!/usr/bin/env python3
"""source.py COMMAND…: runs a command in a copy of this clone that always has the same path.

Cargo takes a crate for another one when its folder is another, and for changed when its
files are newer than what was built. So a fresh clone would be compiled anew though nothing
in it differs. What the scripts build is therefore built from a copy beside the build
directory, which all clones share.

Guarantees:
- when the command starts, the copy has exactly the files of the clone, without what git
  ignores; what is there already with the same bytes is not written, so its time of change
  stays, and what is written has the time of now: to cargo it is one clone that is edited;
- while the command runs, no other one changes the copy: it holds a lock, which the system
  drops when it ends, however it ends; another one waits for it and says so;
- the command has the clone's path in CASCOIN_L2_CLONE, and the clone's commit for
  `--version` in SUBSTRATE_CLI_GIT_COMMIT_HASH: the copy has no `.git`.

CASCOIN_BUILD_IN_PLACE=1 runs it in the clone instead, for who calls cargo there as well.
"""
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# As .gitignore has it, and what git keeps itself.
IGNORED_FOLDERS = (".git", "node_modules", "__pycache__")
IGNORED_AT_TOP = ("target",)
IGNORED_FILES = (".git",)
IGNORED_SUFFIXES = (".log", ".profraw")
# The folders where property tests that failed leave their seeds.
SEEDS = "proptest-regressions"


def files(root, leave_out=()):
    """The files below a folder, relative to it, without what git ignores."""
    found = set()
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders
                      if name not in IGNORED_FOLDERS and here / name not in leave_out
                      and not (here == root and name in IGNORED_AT_TOP)]
        found.update((here / name).relative_to(root) for name in names
                     if name not in IGNORED_FILES and not name.endswith(IGNORED_SUFFIXES)
                     and (here / name).is_file())
    return found


def sync(clone, copy, leave_out=()):
    """Makes `copy` what `clone` is; gives how many files were written and removed."""
    wanted = files(clone, leave_out)
    written, removed = 0, files(copy) - wanted if copy.exists() else set()
    for name in removed:
        (copy / name).unlink()
        for folder in (copy / name).parents:
            if folder == copy or any(folder.iterdir()):
                break
            folder.rmdir()
    for name in sorted(wanted):
        source, target = clone / name, copy / name
        data = source.read_bytes()
        if not target.is_file() or target.read_bytes() != data:
            if target.is_dir():  # with what git ignores in it
                shutil.rmtree(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            written += 1
        shutil.copymode(source, target)
    return written, len(removed)


def bring_back(copy, clone):
    """Takes the seeds that failing property tests have left home; gives their names."""
    brought = []
    for name in sorted(files(copy)):
        if SEEDS not in name.parts:
            continue
        seeds, home = (copy / name).read_bytes(), clone / name
        if not home.is_file() or home.read_bytes() != seeds:
            home.parent.mkdir(parents=True, exist_ok=True)
            home.write_bytes(seeds)
            brought.append(name.as_posix())
    return brought


def lock(path):
    """Waits until nobody else works in the copy; what is returned must stay open."""
    held = open(path, "a")
    # Of the process, not of the open file as flock's: it stays over the exec below, and what
    # the command leaves running (a compiler's cache, a node) does not hold it.
    try:
        fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        print(f"    waiting for a build or tests of another terminal or clone (they hold {path})",
              file=sys.stderr, flush=True)
        fcntl.lockf(held, fcntl.LOCK_EX)
    return held


def clone():
    """The clone whose copy this is; itself where it is none."""
    return Path(os.environ.get("CASCOIN_L2_CLONE", ROOT))


def commit(clone):
    """As node/cli/build.rs would find it."""
    try:
        done = subprocess.run(["git", "rev-parse", "--short=11", "HEAD"], cwd=clone,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        return "00000000000"
    return done.stdout.strip() if done.returncode == 0 else "00000000000"


def main():
    command = sys.argv[1:]
    if not command or command[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if command else 2
    for name in ("CARGO_TARGET_DIR", "CASCOIN_L2_BIN"):
        os.environ[name] = os.path.abspath(os.environ[name])
    target = Path(os.environ["CARGO_TARGET_DIR"])
    copy = target.with_name(f"{target.name}-source").resolve()
    # In the copy we are when a script there calls another one, under the lock of the first.
    if os.environ.get("CASCOIN_BUILD_IN_PLACE") == "1" or ROOT == copy:
        os.execvp(command[0], command)  # does not come back
    copy.parent.mkdir(parents=True, exist_ok=True)
    held = lock(copy.with_name(f"{copy.name}.lock"))
    sync(ROOT, copy, leave_out=(copy, target.resolve()))
    os.environ["CASCOIN_L2_CLONE"] = str(ROOT)
    os.environ.setdefault("SUBSTRATE_CLI_GIT_COMMIT_HASH", commit(ROOT))
    os.chdir(copy)
    # The lock is the command's from here on, and ends with it.
    os.set_inheritable(held.fileno(), True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
