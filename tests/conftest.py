"""Settings for every test.

Hypothesis: no deadline for one example, because a machine that is busy with something
else is no defect. The profile ``ci`` tries the same examples each time, so that
a change is judged by what it changes; without it every run looks for new ones.

A promise that a test found broken is noted, so that no second run makes it good; one that
could not be put to the test, because its boxes did not start, is not.
"""

import os
from collections.abc import Generator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from hub.files import raise_file_limit

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
# A thousand connections, both ends in one process.
raise_file_limit()

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

BROKEN: Final = ".cache/broken-promises"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.when == "call" and item.get_closest_marker("promise"):
        notes = item.config.rootpath / BROKEN
        notes.parent.mkdir(exist_ok=True)
        with notes.open("a") as file:
            file.write(f"{item.nodeid}\n")
    return report
