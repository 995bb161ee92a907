"""What is said of a burst comes before it begins, and nothing else changes places."""

from hypothesis import given
from hypothesis import strategies as st

from device.air import in_order
from device.floor.model import CutBurst, Effect, FloorState, Say, Send, Show, StartBurst
from device.floor.prompts import Prompt
from stagebox.wire.messages import Ping

START, TOLD = StartBurst(since=1.0), Say(Prompt.PERMIT)
LIVE, ASK = Show(FloorState.LIVE), Send(Ping(n=1))
EFFECTS: st.SearchStrategy[Effect] = st.sampled_from([START, TOLD, LIVE, ASK, CutBurst()])


def test_the_tone_comes_first_and_the_lamp_after_the_burst() -> None:
    assert in_order([START, TOLD, LIVE]) == [TOLD, START, LIVE]
    assert in_order([CutBurst(), START, TOLD]) == [CutBurst(), TOLD, START]
    assert in_order([START, LIVE, TOLD]) == [START, LIVE, TOLD]
    assert in_order([START]) == [START]


@given(st.lists(EFFECTS, max_size=12))
def test_only_what_is_said_passes_a_burst_that_begins(effects: list[Effect]) -> None:
    ordered = in_order(effects)
    rest = [each for each in effects if not isinstance(each, Say)]
    assert [each for each in ordered if not isinstance(each, Say)] == rest
    said = [each for each in effects if not isinstance(each, StartBurst)]
    assert [each for each in ordered if not isinstance(each, StartBurst)] == said
