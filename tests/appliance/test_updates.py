"""The updater under a real systemd, with the package's units, launcher and fallback."""

from pathlib import Path

import pytest

from tests.appliance import machine
from tests.appliance.guest.updates import DEAF, ENDS, GOOD, LATER, PACKAGE

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(4_000)]

ERRAND = "exec /usr/bin/python3 -m tests.appliance.guest.updates\n"


def test_case_63_a_good_release_stays_and_bad_ones_go(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND, 3_800)
    print(result)
    assert result.get("done"), result.get("error")
    assert result["nothing"]["build"] == PACKAGE
    assert result["nothing"]["said"] == ["stagebox update: this is the newest release"]
    good, ends, deaf = result["good"], result["ends"], result["deaf"]
    assert (good["build"], good["result"]) == (GOOD, "success")
    assert good["said"][-1] == "stagebox update: the new release works and is kept"
    # A bad one is told: in the journal, and as a unit that failed.
    assert (ends["build"], ends["result"]) == (GOOD, "exit-code")
    assert f"Build {ENDS} did not start three times" in ends["said"][-1]
    assert (deaf["build"], deaf["result"]) == (GOOD, "exit-code")
    assert f"Build {DEAF} was not well for a minute" in deaf["said"][-1]
    for each in (ends, deaf):
        assert set(each["left"]) == {"current", "failed", "lock", f"build-{GOOD}"}
    # The updater was killed on the way, and went on.
    assert result["trial"] is True
    assert (result["cut"]["build"], result["cut"]["result"]) == (LATER, "success")
    assert result["back"]["build"] == GOOD
    assert result["package"]["build"] == PACKAGE
