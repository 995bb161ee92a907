"""The table of attacks and faults in docs/security.md: python -m tests.security.table [--write]

A row shows the tests that are there, found by reading the test files; a case without any
shows as not yet tested, so the table cannot claim what is not.
"""

import argparse
import ast
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.security import figures

CASES: Final = Path(__file__).with_name("cases.toml")
PAGE: Final = figures.ROOT / "docs" / "security.md"
BEGIN: Final = "<!-- made by python -m tests.security.table --write -->"
END: Final = "<!-- end of what is made -->"
COUNT: Final = 67

_NAME: Final = re.compile(r"test_case_(\d\d)_")


@dataclass(frozen=True, slots=True)
class Case:
    """One attack or fault."""

    number: int
    part: str
    what: str
    asked: str
    tests: tuple[str, ...]
    left: str


def existing_tests(root: Path = figures.ROOT) -> frozenset[str]:
    """Return the ids of all test functions, without those of parameters."""
    return frozenset(
        f"{path.relative_to(root)}::{node.name}"
        for path in sorted((root / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_"
    )


def cases(existing: frozenset[str]) -> list[Case]:
    """Return all cases with the tests that are there.

    Raises:
        LookupError: a case names a test that is not there.
    """
    named: dict[int, list[str]] = {}
    for test in sorted(existing):
        found = _NAME.match(test.partition("::")[2])
        if found:
            named.setdefault(int(found[1]), []).append(test)
    part, result = "", []
    for row in tomllib.loads(CASES.read_text())["case"]:
        part = row.get("part", part)
        also = row.get("also", [])
        gone = [test for test in also if test not in existing]
        if gone:
            raise LookupError(f"case {row['n']} names tests that are not there: {gone}")
        tests = (*named.get(row["n"], []), *also)
        result.append(Case(row["n"], part, row["what"], row["asked"], tests, row.get("open", "")))
    return result


def table(rows: list[Case], measured: dict[str, str]) -> str:
    """Return the table as Markdown."""
    tested = sum(1 for row in rows if row.tests)
    differ = sum(1 for row in rows if row.tests and row.left)
    said = f"**{tested} of {len(rows)}** cases have automatic tests; {differ} of them differ from"
    lines = [BEGIN, "", said, "what was asked, or leave something to be done (in italics)."]
    part = ""
    for row in rows:
        if row.part != part:
            part = row.part
            lines += ["", f"### {part}", "", "| | Attack or fault | Asked | Measured | Tests |"]
            lines.append("|---|---|---|---|---|")
        lines.append(_line(row, measured.get(f"{row.number:02}", "")))
    return "\n".join([*lines, "", END])


def _line(row: Case, measured: str) -> str:
    if row.tests:
        shown = "<br>".join(_link(test) for test in row.tests)
    else:
        shown = f"**not yet**: `test_case_{row.number:02}_…`"
    figure = measured or ("tested" if row.tests else "-")
    if row.left:
        figure = f"{figure}<br>*{row.left}*"
    return f"| {row.number} | {row.what} | {row.asked} | {figure} | {shown} |"


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_')}](../{path})"


def page(text: str, made: str) -> str:
    """Return the page with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{made}{after}"


def main(arguments: list[str]) -> int:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it into docs/security.md")
    made = table(cases(existing_tests()), figures.load())
    if parser.parse_args(arguments).write:
        PAGE.write_text(page(PAGE.read_text(), made))
    else:
        print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
