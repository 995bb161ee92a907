"""Puts the figures of a run into ``docs/performance.md``, so that the page cannot differ.

``docs/performance/`` holds the JSON file and the pictures of the runs that the page
quotes. On the page, ``<!-- table NAME N -->`` stands before the Nth table that benchmark
NAME printed and ``<!-- end -->`` after it; what is between them is replaced.
``--take`` first copies the files of the last runs from ``bench-out``.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

from bench.support.report import OUT

PAGE = Path("docs/performance.md")
KEPT = Path("docs/performance")

_PLACE = re.compile(r"(<!-- table (\w+) (\d+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, kept: Path) -> str:
    """Return the page with the tables of the files in ``kept``.

    Raises:
        OSError: there is no file of a benchmark that the page names.
        IndexError: it has fewer tables.
    """

    def fill(place: re.Match[str]) -> str:
        begin, name, number, end = place.groups()
        data = json.loads((kept / f"{name}.json").read_text(encoding="utf-8"))
        return begin + "\n" + _markdown(data["tables"][int(number) - 1]) + "\n" + end

    return _PLACE.sub(fill, page)


def _markdown(table: dict[str, Any]) -> str:
    """Write a table: words to the left, figures to the right, as it was printed."""
    head = [cell or " " for cell in table["head"]]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *table["rows"]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def take() -> None:
    """Keep the files of the last runs."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for path in sorted(OUT.glob("*.json")) + sorted(OUT.glob("*.svg")):
        shutil.copy(path, KEPT / path.name)


def main() -> None:
    """Copy if asked to, and fill the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--take", action="store_true", help="first copy what bench-out holds")
    if parser.parse_args().take:
        take()
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), KEPT), encoding="utf-8")
    print(f"Filled: {PAGE}")


if __name__ == "__main__":
    main()
