"""Count what test runs really executed: python -m tests.tally FILE.xml ...

A run that executed nothing is a failure, whatever its exit status said.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET


def main(paths: list[Path]) -> int:
    """Print the figures and the reasons for skipping; return 1 if a run is empty or missing."""
    status = 0
    reasons: Counter[str] = Counter()
    for path in paths:
        if not path.is_file():
            print(f"{path.name}: the run did not finish")
            status = 1
            continue
        suites = list(ET.parse(path).iter("testsuite"))
        total, skipped, failed = (
            sum(int(suite.get(name, 0)) for suite in suites)
            for name in ("tests", "skipped", "failures")
        )
        errors = sum(int(suite.get("errors", 0)) for suite in suites)
        print(f"{path.name}: {total - skipped} run, {failed + errors} failed, {skipped} skipped")
        for name in sorted({*_failed(suites)}):
            print(f"  failed at first: {name}")
        for skip in (skip for suite in suites for skip in suite.iter("skipped")):
            reasons[skip.get("message", "")] += 1
        if total - skipped <= 0:
            print(f"{path.name}: nothing was run, which counts as a failure")
            status = 1
    for reason, count in reasons.most_common():
        print(f"  skipped {count}: {reason}")
    return status


def _failed(suites: list[ET.Element]) -> Iterator[str]:
    for case in (case for suite in suites for case in suite.iter("testcase")):
        if case.find("failure") is not None or case.find("error") is not None:
            yield f"{case.get('classname')}::{case.get('name')}"


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
