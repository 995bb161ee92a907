"""The tutorial: what each kind of box tells, for how long, and what it shows meanwhile."""

from itertools import product

import pytest

from device.buttons.lamps import PATTERNS, Color
from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.model import Effect, Hush, Say, Taught, Teach
from device.floor.prompts import Prompt, phrase_key
from device.floor.tutorial import Tutorial, lessons
from stagebox.phrases import Language, spoken, variant
from stagebox.wire.terms import Role

ALL = frozenset(Key)
FITTED = {
    "all": ALL,
    "two keys": frozenset({Key.TALK, Key.HAND}),
    "one key": frozenset({Key.TALK}),
    "a switch and volume": frozenset({Key.TALK, Key.MUTE, Key.VOLUME_UP, Key.VOLUME_DOWN}),
    "none": frozenset[Key](),
}
BOXES = list(product(Role, FITTED, Language))
# What a phrase may name only where it is fitted; HAND is NEXT on a studio box.
NAMES = {
    "HAND": Key.HAND,
    "NEXT": Key.HAND,
    "MUTE": Key.MUTE,
    "STATUS": Key.STATUS,
}


def words(manner: Manner, prompt: Prompt) -> str:
    key = phrase_key(prompt)
    key = key if Key.HAND in manner.keys else variant(key, "hand")
    return spoken(key, language=manner.language)


def played(tutorial: Tutorial, now: float = 0.0) -> list[tuple[float, Effect]]:
    done = [(now, effect) for effect in tutorial.start(now)]
    while (due := tutorial.deadline) is not None:
        assert tutorial.tick(due - 0.001) == []
        done += [(due, effect) for effect in tutorial.tick(due)]
    return done


@pytest.mark.parametrize(("role", "fitted", "language"), BOXES)
def test_it_names_no_key_that_is_not_there_and_shows_no_red(
    role: Role, fitted: str, language: Language
) -> None:
    manner = Manner(role=role, keys=FITTED[fitted], language=language)
    for lesson in lessons(manner):
        said = words(manner, lesson.prompt)
        assert said
        for name, key in NAMES.items():
            assert name not in said or key in manner.keys
        assert PATTERNS[lesson.lamp].color is not Color.RED


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("role", [Role.GUEST, Role.STUDIO])
def test_a_whole_box_takes_some_forty_seconds(role: Role, language: Language) -> None:
    assert 35 <= Tutorial(Manner(role=role, language=language)).duration_s <= 55


@pytest.mark.parametrize(("role", "fitted", "language"), BOXES)
def test_no_box_talks_for_a_minute(role: Role, fitted: str, language: Language) -> None:
    manner = Manner(role=role, keys=FITTED[fitted], language=language)
    assert Tutorial(manner).duration_s < 60


def test_it_goes_through_all_of_it_and_ends() -> None:
    manner = Manner()
    done = played(Tutorial(manner))
    assert done[0][1] == Hush()
    assert [effect.prompt for _, effect in done if isinstance(effect, Say)] == [
        lesson.prompt for lesson in lessons(manner)
    ]
    assert [effect for _, effect in done[-2:]] == [Teach(None), Taught()]
    assert done[-1][0] == pytest.approx(Tutorial(manner).duration_s)


def test_it_can_be_ended_at_any_time_and_begun_anew() -> None:
    tutorial = Tutorial(Manner())
    assert tutorial.stop() == []
    tutorial.start(1.0)
    tutorial.tick(9.0)
    assert tutorial.stop() == [Hush(), Teach(None), Taught()]
    assert tutorial.stop() == []
    assert tutorial.deadline is None
    assert Say(Prompt.LEARN_HELLO) in tutorial.start(20.0)


def test_each_kind_hears_of_its_own_keys() -> None:
    def prompts(role: Role, keys: frozenset[Key] = ALL) -> set[Prompt]:
        return {lesson.prompt for lesson in lessons(Manner(role=role, keys=keys))}

    assert Prompt.LEARN_LEAVE in prompts(Role.GUEST)
    assert Prompt.LEARN_NEXT in prompts(Role.STUDIO)
    assert Prompt.LEARN_TALK not in prompts(Role.SPEAKER)
    assert Prompt.LEARN_LEAVE not in prompts(Role.GUEST, frozenset({Key.TALK}))
    volumes = frozenset({Key.TALK, Key.VOLUME_UP, Key.VOLUME_DOWN})
    assert Prompt.LEARN_BOTH in prompts(Role.GUEST, volumes)
