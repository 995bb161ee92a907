"""The table of features names what is there: tests, routes, and words of the console."""

import re
from typing import Final

import pytest

from hub.web.api import ROUTES
from tests.architecture.pure import ROOT

_TABLE: Final = ROOT / "docs/guide/features.md"
_CONSOLE: Final = ROOT / "hub/web/console/js"
# Of the rows under these headings each is on a box, in the console and in the API.
_NEEDED: Final = ("What belongs to every room", "What makes an evening")
_PARAMETER: Final = re.compile(r"\{\w+\}")
Row = tuple[str, str, str, str]


def rows(text: str) -> list[Row]:
    """Return the rows of the tables under the needed headings."""
    found: list[Row] = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        if heading in _NEEDED:
            lines = [line for line in body.splitlines() if line.startswith("| ")]
            for line in lines[2:]:
                feature, box, calls, tests = (cell.strip() for cell in line.strip("|").split("|"))
                found.append((feature, box, calls, tests))
    return found


def unexplained(cells: tuple[str, ...]) -> list[str]:
    """Return the cells that say that there is nothing, and not why."""
    return [cell for cell in cells if re.fullmatch(r"(-|no|not yet)?\W*", cell)]


def unknown_routes(text: str, known: set[str]) -> list[str]:
    """Return the routes in ``text`` that the API has not, whatever their parameters are called."""
    named = re.findall(r"`((?:GET|PUT|POST|PATCH|DELETE) /[^` ?]*)", text)
    return [route for route in named if _PARAMETER.sub("{}", route) not in known]


TABLE: Final = rows(_TABLE.read_text(encoding="utf-8"))


def test_the_table_is_read_as_a_whole() -> None:
    written = _TABLE.read_text(encoding="utf-8").partition("## What could be")[0]
    lines = re.findall(r"^\| (?!---|feature)", written, flags=re.MULTILINE)
    assert len(TABLE) == len(lines) > 0


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_each_feature_is_tested_where_it_says(row: Row) -> None:
    paths = re.findall(r"`([^`]+)`", row[3])
    assert paths, "no test is named"
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    assert all(path.startswith("tests/") for path in paths)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_each_feature_is_everywhere_or_says_why_not(row: Row) -> None:
    assert unexplained(row[1:3]) == []


def test_the_routes_that_are_named_are_there() -> None:
    known = {f"{route.method} {_PARAMETER.sub('{}', route.path)}" for route in ROUTES}
    assert unknown_routes(_TABLE.read_text(encoding="utf-8"), known) == []


def test_the_words_that_are_named_are_in_the_console() -> None:
    console = "\n".join(path.read_text(encoding="utf-8") for path in _CONSOLE.rglob("*.js"))
    words = {word for row in TABLE for word in re.findall(r"(?<!\*)\*([^*]+)\*", row[2])}
    assert len(words) > 0
    assert sorted(word for word in words if f'"{word}' not in console) == []


def test_what_is_missing_is_noticed() -> None:
    assert unexplained(("-", "- (a box has no screen)", "*Next*", "")) == ["-", ""]
    assert unknown_routes("`GET /spaces/{id}` `GET /nowhere`", {"GET /spaces/{}"}) == [
        "GET /nowhere"
    ]
