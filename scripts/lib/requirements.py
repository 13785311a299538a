"""Checks docs/requirements.md, the table that says for every requirement whether it
works, where its code is and which test shows it.

A row is `| id and text | status | code | test |`:
- status: `works`, `partly: what is missing`, or `not yet`;
- code: paths in backticks, relative to the repository;
- test: `path::name` in backticks, where the name is a Rust test function, the title
  of a JavaScript test, or a line of a zombienet test.

Every id of requirement-ids.txt must have exactly one row.
"""
import re
from pathlib import Path

STATUSES = ("works", "partly", "not yet")
ID = re.compile(r"(E [A-Z0-9_]+|[RPOGL]\d+[a-z]?(?:\.\d+)?)(?= |:|$)")
CELL_BREAK = re.compile(r"(?<!\\)\|")


def expand(text):
    """The ids of a list: one a line, or a range as in `R1.1-5`."""
    ids = []
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        span = re.fullmatch(r"(.*?)(\d+)-(\d+)", line)
        if span:
            ids += [f"{span[1]}{n}" for n in range(int(span[2]), int(span[3]) + 1)]
        elif line:
            ids.append(line)
    return ids


def ledger_ids(text):
    """The ids of a requirement ledger: list items that start with an id."""
    return [m[1] for m in re.finditer(rf"^- {ID.pattern}", text, re.M)]


def rows(text):
    """Line number, id and cells of each row of a table in the text."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            continue
        cells = [c.strip() for c in CELL_BREAK.split(line.strip())[1:-1]]
        if not cells or re.fullmatch(r"[-: ]+", cells[0]) or cells[0] == "id":
            continue
        found = ID.match(cells[0].replace("**", ""))
        yield number, found[1] if found else None, cells


def has_test(path, name):
    """Whether the file defines a test of that name."""
    text = path.read_text("utf-8", "replace")
    if path.suffix == ".rs":
        return re.search(rf"\bfn {re.escape(name)}\s*[(<]", text) is not None
    if path.suffix == ".zndsl":
        return any(name in line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return re.search(rf"\b(?:test|it|def)\b[^\n]*{re.escape(name)}", text) is not None


def check_row(root, identity, cells):
    """What is wrong with one row."""
    if len(cells) != 4:
        return [f"{identity}: {len(cells)} columns instead of 4"]
    problems = []
    _, status, code, test = cells
    word = status.split(":")[0].strip()
    if word not in STATUSES:
        return [f"{identity}: status '{status}' is none of: {', '.join(STATUSES)}"]
    if word == "partly" and not status.partition(":")[2].strip():
        problems.append(f"{identity}: 'partly' does not say what is missing (partly: …)")
    for path in re.findall(r"`([^`]+)`", code):
        if not (root / path).exists():
            problems.append(f"{identity}: there is no {path}")
    tests = re.findall(r"`([^`]+)`", test)
    for citation in tests:
        path, separator, name = citation.partition("::")
        if not separator:
            problems.append(f"{identity}: test `{citation}` is not of the form path::name")
        elif not (root / path).is_file():
            problems.append(f"{identity}: there is no test file {path}")
        elif not has_test(root / path, name):
            problems.append(f"{identity}: {path} has no test '{name}'")
    if word != "not yet" and not tests:
        problems.append(f"{identity}: '{word}', but no test is cited")
    if word != "not yet" and "`" not in code:
        problems.append(f"{identity}: '{word}', but no code is cited")
    return problems


def check(root, table, wanted, ledger=None):
    """All problems of the table; `wanted` are the ids it must have."""
    problems, seen = [], {}
    for number, identity, cells in rows(table):
        if identity is None:
            problems.append(f"line {number}: no id in '{cells[0]}'")
            continue
        if identity in seen:
            problems.append(f"{identity}: two rows, lines {seen[identity]} and {number}")
        seen.setdefault(identity, number)
        problems += check_row(root, identity, cells)
    problems += [f"{i}: no row" for i in wanted if i not in seen]
    problems += [f"{i}: not a requirement (line {n})" for i, n in seen.items() if i not in set(wanted)]
    if ledger is not None:
        problems += [f"{i}: in the ledger, but not in requirement-ids.txt" for i in ledger if i not in set(wanted)]
        problems += [f"{i}: in requirement-ids.txt, but not in the ledger" for i in wanted if i not in set(ledger)]
    return problems


def summary(table):
    """How many rows have each status."""
    counts = dict.fromkeys(STATUSES, 0)
    for _, identity, cells in rows(table):
        word = cells[1].split(":")[0].strip() if len(cells) > 1 else ""
        if identity and word in counts:
            counts[word] += 1
    return counts


def main(root, ledger_path=None):
    """Prints problems or a summary; returns the exit code."""
    table = (root / "docs/requirements.md").read_text("utf-8")
    wanted = expand((root / "scripts/lib/requirement-ids.txt").read_text("utf-8"))
    ledger = None
    if ledger_path is not None and Path(ledger_path).exists():
        ledger = ledger_ids(Path(ledger_path).read_text("utf-8"))
    problems = check(root, table, wanted, ledger)
    for problem in problems:
        print(f"docs/requirements.md: {problem}")
    if problems:
        return 1
    counts = summary(table)
    print(f"{len(wanted)} requirements: " + ", ".join(f"{n} {status}" for status, n in counts.items()))
    return 0
