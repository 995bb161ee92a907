"""Boxes and hub over a bad network: two microphones never overlap, nobody waits for ever."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import hub.floor.seat
from hub.floor.events import (
    Agreed,
    Clear,
    Freeze,
    Hold,
    HoldAll,
    Priority,
    RequireConsent,
    SetPlace,
    SetRules,
)
from hub.floor.rules import FloorRules
from stagebox.wire.terms import Mode, Place, Via
from tests.unit.hub.floor_net import DOWN, SOUND, STEP_S, UP, Weather, World

FINE = Weather()
STORM = Weather(loss=0.2, twice=0.3, late=0.4, delay_s=5.0)
BROKEN = Weather(loss=1.0)
SPEAKERS = [Place.SPEAKER] * 4
VANISHED_S = 4.0  # the promise

weathers = st.builds(
    Weather,
    loss=st.sampled_from([0.0, 0.05, 0.3, 0.6]),
    twice=st.sampled_from([0.0, 0.3]),
    late=st.sampled_from([0.0, 0.3, 0.9]),
    delay_s=st.sampled_from([0.5, 3.0, 8.0]),
)
rule_sets = st.builds(
    FloorRules.for_mode,
    st.sampled_from(Mode),
    open_limit=st.integers(1, 2),
    queue_limit=st.integers(1, 4),
    talk_limit_s=st.sampled_from([None, 4.0]),
    offer_s=st.sampled_from([3.0, 20.0]),
    penalty_s=st.sampled_from([0.0, 2.0]),
    keep_place_s=st.sampled_from([3.0, 15.0]),
    override=st.booleans(),
    chair_always=st.booleans(),
)


def fidget(world: World) -> None:
    """What people do: press, lift, raise and lower hands, mute, leave, call the next."""
    rng = world.rng
    for box in world.boxes.values():
        if rng.random() < 0.15:
            box.press(Via.TALK if rng.random() < 0.8 else Via.HAND)
        if rng.random() < 0.02:
            box.lift()
        if rng.random() < 0.01:
            box.lower_hand()
        if rng.random() < (0.2 if box.is_muted else 0.01):
            box.mute(not box.is_muted)
        if rng.random() < 0.002:
            box.leave()
        if box.place is Place.HOST and rng.random() < 0.05:
            box.call_next()


def decide(world: World) -> None:
    """What chairs do, and the space itself: every kind of order, and its end soon after."""
    rng = world.rng
    who = rng.choice([*world.boxes])
    if rng.random() < 0.03:
        on = rng.random() < 0.3
        world.order(
            rng.choice(
                [Hold(who, on), HoldAll(on), Freeze(on), Priority(who, on), Priority(who, True)]
            )
        )
    if rng.random() < 0.02:
        world.order(rng.choice([RequireConsent(rng.randint(0, 1)), Agreed(who, 1), Clear(who)]))
    if rng.random() < 0.02:
        world.order(SetPlace(who, rng.choice([*Place])))
    if rng.random() < 0.02:
        world.order(SetRules(replace(world.rules, open_limit=rng.randint(1, 2))))
    if rng.random() < 0.005:
        rules = FloorRules.for_mode(rng.choice([*Mode]), open_limit=rng.randint(1, 2))
        world.order(SetRules(replace(rules, chair_always=rng.random() < 0.5)))
    if rng.random() < 0.01:
        world.put_out(who)


def fidget_and_decide(world: World) -> None:
    fidget_in_changing_weather(world)
    decide(world)


def fidget_in_changing_weather(world: World) -> None:
    """Now the whole network turns bad, now one box alone: deaf, unheard, silent or cut off."""
    rng, net = world.rng, world.net
    fidget(world)
    if rng.random() < 0.01:
        net.weather = rng.choice([FINE, FINE, STORM, BROKEN])
    if rng.random() < 0.05:
        way = (rng.choice([UP, DOWN, SOUND]), rng.choice([*world.boxes]))
        net.local[way] = rng.choice([STORM, BROKEN])
    if rng.random() < 0.01:
        world.break_connection(rng.choice([*world.boxes]))
    if net.local and rng.random() < 0.03:
        del net.local[rng.choice([*net.local])]


@pytest.mark.timeout(240)
@given(
    seed=st.integers(0, 2**32),
    rules=rule_sets,
    weather=weathers,
    first=st.sampled_from([Place.SPEAKER, Place.HOST]),
    act=st.sampled_from([fidget_in_changing_weather, fidget_and_decide]),
)
@settings(max_examples=120, deadline=None, derandomize=True, phases=[Phase.generate])
def test_two_microphones_never_overlap(
    seed: int, rules: FloorRules, weather: Weather, first: Place, act: Callable[[World], None]
) -> None:
    world = World(seed, rules, [first, *SPEAKERS], weather)
    world.run(40, act)  # World.check runs in every step


@pytest.mark.parametrize("mode", Mode)
def test_the_model_does_talk_up_to_the_limit(mode: Mode) -> None:
    """A model in which nobody ever speaks would prove nothing."""
    rules = FloorRules.for_mode(mode, open_limit=2, talk_limit_s=4)
    bursts = most = 0
    for seed in range(8):
        world = World(seed, rules, [Place.HOST, *SPEAKERS], FINE)
        world.run(40, fidget)
        bursts += sum(box.bursts for box in world.boxes.values())
        most = max(most, world.most_sending)
    assert bursts > 20
    assert most == 2


def test_the_model_does_talk_and_exceed_while_chairs_decide() -> None:
    rules = FloorRules.for_mode(Mode.OPEN, open_limit=2, talk_limit_s=4)
    bursts = excesses = 0
    for seed in range(8):
        world = World(seed, rules, [Place.HOST, *SPEAKERS], FINE)
        for _ in range(400):
            world.run(0.1, fidget_and_decide)
            excesses += world.excess_from is not None
        bursts += sum(box.bursts for box in world.boxes.values())
    assert bursts > 20
    assert excesses > 5


@pytest.mark.parametrize("lost_after_s", [0.0, 2.0])
def test_the_model_sees_the_overlap_of_a_hub_that_is_too_quick(
    lost_after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.floor.seat, "LOST_AFTER_S", lost_after_s)
    rules = FloorRules.for_mode(Mode.WALKIE, talk_limit_s=4)

    def look_for_it() -> None:
        for seed in range(100):
            World(seed, rules, SPEAKERS, FINE).run(40, fidget_in_changing_weather)

    with pytest.raises(AssertionError):
        look_for_it()


@given(seed=st.integers(0, 2**32), rules=rule_sets, weather=weathers)
@settings(max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate])
def test_every_request_is_answered_once_the_network_lets_it(
    seed: int, rules: FloorRules, weather: Weather
) -> None:
    world = World(seed, rules, [Place.HOST, *SPEAKERS], weather)
    world.run(20, fidget_and_decide)
    world.net.weather = FINE
    world.net.local.clear()
    world.run(20)
    for box in world.boxes.values():
        assert box.is_joined
        assert box.asked <= box.answered
        assert not box._pending


@given(seed=st.integers(0, 2**32), rules=rule_sets)
@settings(max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate])
def test_a_talker_that_loses_power_frees_the_floor_within_4_s(seed: int, rules: FloorRules) -> None:
    world = World(seed, rules, [Place.HOST, *SPEAKERS], FINE)
    world.run(5)
    died: dict[str, float] = {}

    def accidents(world: World) -> None:
        fidget(world)
        for box in world.boxes.values():
            if box.is_sending and len(died) < 3 and world.rng.random() < 0.02:
                box.is_dead = True
                died[box.member_id] = world.net.now
        floor = world.arbiter.floor()
        for member_id, at in died.items():
            if world.net.now >= at + VANISHED_S:
                assert member_id not in floor.talkers

    world.run(40, accidents)


def test_when_a_talker_loses_power_the_next_one_talks_within_4_s() -> None:
    for seed in range(20):
        world = World(seed, FloorRules.for_mode(Mode.FIFO), SPEAKERS[:2], FINE)
        first, second = world.boxes.values()
        world.run(1 + seed * STEP_S)
        first.press()
        world.run(0.5)
        second.press()
        world.run(0.5)
        assert first.is_sending
        assert not second.is_sending
        second.lift()
        second.press(Via.HAND)
        first.is_dead = True
        start = world.net.now
        while not second.is_sending:
            world.run(STEP_S)
            if world.arbiter.floor().offered:
                second.press()
            assert world.net.now < start + VANISHED_S


def test_a_short_outage_does_not_end_a_burst() -> None:
    world = World(1, FloorRules.for_mode(Mode.WALKIE), SPEAKERS[:2], FINE)
    talker = next(iter(world.boxes.values()))
    world.run(1)
    talker.press()
    world.run(3)
    world.net.weather = Weather(loss=1.0)
    world.run(1.9)
    assert talker.is_sending
    world.net.weather = FINE
    world.run(5)
    assert talker.is_sending
    assert talker.bursts == 1
