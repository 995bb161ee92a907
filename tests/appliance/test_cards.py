"""A sound card of the kernel's, with no sound server between, pulled out and put back."""

from pathlib import Path

import pytest

from tests.appliance import machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ERRAND = "/usr/bin/python3 -X faulthandler -m tests.appliance.guest.cards 1 15\n"
PROMISE_S = 3.0
# The processor is emulated: looking for devices takes 20 to 40 times as long as on a PC.
LATE_S = 12.0


def test_pulled_out_and_put_back(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND, 420)
    print(result)
    assert result["labels"] == {
        "microphone": "Loopback: PCM (hw:0,1)",
        "loudspeaker": "Loopback: PCM (hw:0,0)",
    }
    for states in result["states"].values():
        # The first look at the card takes seconds here, in which the other one may be turned away.
        assert [each for each in states if each != "absent"] == [
            "ready",
            "lost",
            "ready",
            "lost",
            "ready",
        ]
    for trial in result["trials"]:
        assert "no soundcards" in trial["cards"]
        assert trial["left"] == 0
        assert trial["heard_s"] < PROMISE_S + LATE_S
    assert result["ended"] == [True, True]
