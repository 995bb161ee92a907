"""The page of features names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guide/features.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert len(named) > 20
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_row_has_the_columns_of_its_table() -> None:
    columns = 0
    for line in PAGE.splitlines():
        if line.startswith("| feature"):
            columns = line.count("|")
        elif line.startswith("|"):
            assert line.count("|") == columns, line


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
        assert (ROOT / "docs/guide" / target).exists(), target
