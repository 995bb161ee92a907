import pytest

from hub.floor.rules import FloorRules, RulesError
from stagebox.wire.terms import Mode


def test_each_mode_has_its_defaults() -> None:
    walkie = FloorRules.for_mode(Mode.WALKIE)
    assert (walkie.open_limit, walkie.queue_limit, walkie.talk_limit_s) == (1, 0, 30)
    assert not walkie.chair_always
    assert not walkie.override
    opened = FloorRules.for_mode(Mode.OPEN)
    assert (opened.open_limit, opened.talk_limit_s) == (4, None)
    fifo = FloorRules.for_mode(Mode.FIFO)
    assert (fifo.open_limit, fifo.talk_limit_s, fifo.offer_s) == (1, 120, 20)
    moderated = FloorRules.for_mode(Mode.MODERATED)
    assert (moderated.open_limit, moderated.talk_limit_s) == (2, 120)
    assert moderated.chair_always
    stage = FloorRules.for_mode(Mode.STAGE)
    assert (stage.open_limit, stage.queue_limit, stage.talk_limit_s) == (13, 0, None)
    for mode in Mode:
        rules = FloorRules.for_mode(mode)
        assert (rules.listeners_ask, rules.stage_limit) == (True, 13)


def test_only_a_mode_with_a_queue_queues_and_only_fifo_calls_by_itself() -> None:
    modes = (Mode.WALKIE, Mode.OPEN, Mode.FIFO, Mode.MODERATED, Mode.STAGE)
    rules = [FloorRules.for_mode(mode) for mode in modes]
    assert [each.queues for each in rules] == [False, False, True, True, False]
    assert [each.calls_itself for each in rules] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("open_limit", 0),
        ("open_limit", 65),
        ("queue_limit", -1),
        ("queue_limit", 10_001),
        ("member_limit", 0),
        ("stage_limit", 0),
        ("stage_limit", 1_001),
        ("talk_limit_s", 0),
        ("talk_limit_s", 86_401),
        ("grace_s", -1),
        ("penalty_s", 43_201),
        ("offer_s", 0),
        ("silence_s", 0.5),
        ("keep_place_s", 2.9),
        ("silence_s", float("nan")),
    ],
)
def test_a_rule_out_of_range_is_refused_by_name(rule: str, value: float) -> None:
    with pytest.raises(RulesError, match=f"{rule} is .* must be between"):
        FloorRules.for_mode(Mode.FIFO, **{rule: value})


def test_single_rules_can_be_changed() -> None:
    rules = FloorRules.for_mode(Mode.OPEN, open_limit=2, override=True)
    assert (rules.open_limit, rules.override, rules.mode) == (2, True, Mode.OPEN)
