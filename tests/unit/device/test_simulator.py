"""The page's panel, as far as it only decides: fingers, doors, messages, pictures."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons.lamps import Color, Pattern, Step, pattern_for
from device.buttons.ports import Key
from device.simulator import picture
from device.simulator.fingers import BUTTONS, Fingers
from device.simulator.guard import is_our_page, is_ours
from device.simulator.messages import (
    MAX_MESSAGE,
    About,
    BadMessageError,
    Hold,
    Slide,
    decode,
    encode,
)
from device.view.feed import Note
from device.view.status import Status
from stagebox.phrases import Language

HANDS = st.integers(0, 3)
KEYS = st.frozensets(st.sampled_from(Key))
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), HANDS, KEYS),
        st.tuples(st.just("lose"), HANDS, st.none()),
        st.tuples(st.just("slide"), HANDS, st.booleans()),
    ),
    max_size=40,
)


class TestFingers:
    @given(MOVES)
    def test_a_key_is_down_while_any_hand_holds_it(self, moves: list[tuple[Any, ...]]) -> None:
        fingers, held, is_mute, seen = Fingers(), dict[int, frozenset[Key]](), False, set[Key]()
        for move, hand, what in moves:
            if move == "put":
                edges, held[hand] = fingers.put(hand, what), what & BUTTONS
            elif move == "lose":
                edges = fingers.lose(hand)
                held.pop(hand, None)
            else:
                edges, is_mute = fingers.slide(on=what), what
            for key, down in edges:  # every edge is one
                assert (key in seen) is not down
                (seen.add if down else seen.discard)(key)
            expected = frozenset[Key]().union(*held.values()) | ({Key.MUTE} if is_mute else set())
            assert fingers.down == expected == seen
            assert fingers.holds(hand) is bool(held.get(hand))

    def test_two_hands_on_one_key_make_two_edges(self) -> None:
        fingers = Fingers()
        assert fingers.put(1, [Key.TALK]) == [(Key.TALK, True)]
        assert fingers.put(2, [Key.TALK]) == []
        assert fingers.lose(1) == []
        assert fingers.put(2, []) == [(Key.TALK, False)]

    def test_a_hand_that_is_lost_leaves_the_switch_where_it_is(self) -> None:
        fingers = Fingers()
        fingers.put(1, [Key.HAND, Key.MUTE])  # no button is a switch
        fingers.slide(on=True)
        assert fingers.lose(1) == [(Key.HAND, False)]
        assert fingers.down == {Key.MUTE}
        fingers.clear()
        assert fingers.down == frozenset()


class TestGuard:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1:7310", "localhost:7310", "[::1]:7310", "LOCALHOST:7310"]
    )
    def test_our_own_names(self, host: str) -> None:
        assert is_ours(host, 7310)
        assert is_our_page(f"http://{host}", host, 7310)

    @pytest.mark.parametrize(
        "host",
        [
            None,
            "",
            "127.0.0.1",
            "127.0.0.1:7311",
            "evil.example:7310",
            "localhost.evil.example:7310",
            "0.0.0.0:7310",
            "[::]:7310",
            "127.0.0.1:7310 ",
            "localhost:73100",
        ],
    )
    def test_other_names(self, host: str | None) -> None:
        assert not is_ours(host, 7310)
        assert not is_our_page(f"http://{host}", host, 7310)

    @pytest.mark.parametrize(
        "origin",
        [
            None,
            "null",
            "http://evil.example",
            "https://localhost:7310",
            "http://127.0.0.1:7310",
            "http://localhost:7311",
            "http://localhost",
            "localhost:7310",
        ],
    )
    def test_pages_of_others(self, origin: str | None) -> None:
        assert not is_our_page(origin, "localhost:7310", 7310)


class TestMessages:
    @given(KEYS)
    def test_what_is_held(self, keys: frozenset[Key]) -> None:
        text = json.dumps({"type": "hold", "keys": sorted(keys)})
        assert decode(text) == Hold(tuple(sorted(keys)))

    def test_the_switch(self) -> None:
        assert decode('{"type": "mute", "on": true}') == Slide(on=True)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "[]",
            "7",
            '{"keys": ["talk"]}',
            '{"type": "hold"}',
            '{"type": "hold", "keys": "talk"}',
            '{"type": "hold", "keys": ["nose"]}',
            '{"type": "hold", "keys": ["talk"], "more": 1}',
            json.dumps({"type": "hold", "keys": ["talk"] * 7}),
            '{"type": "mute", "on": 1}',
            '{"type": "lamp", "on": true}',
            "[" * 400,
            '{"type": "hold", "keys": [' + " " * MAX_MESSAGE + "]}",
            '{"type": "\ud800"}',
        ],
    )
    def test_what_cannot_be_said(self, text: str) -> None:
        with pytest.raises(BadMessageError) as caught:
            decode(text)
        assert 0 < len(str(caught.value)) <= 120

    @given(st.text(max_size=600))
    def test_noise_is_refused_or_understood(self, text: str) -> None:
        with contextlib.suppress(BadMessageError):
            assert isinstance(decode(text), Hold | Slide)

    def test_what_goes_to_the_page_says_what_it_is(self) -> None:
        about = About("Ana", "guest", "en", "1", (Key.TALK,))
        assert json.loads(encode(about)) == {
            "type": "box",
            "name": "Ana",
            "role": "guest",
            "language": "en",
            "version": "1",
            "keys": ["talk"],
            "run": "",
        }


class TestPicture:
    def test_the_lamp_is_told_step_by_step(self) -> None:
        pattern = pattern_for("idle_free", refused=True)
        told = picture.lamp(pattern, 1.2345, Language.ENGLISH)
        assert (told.name, told.color, told.age_ms) == ("refused+idle_free", "white", 1234)
        assert [tuple(step) for step in told.lead] == [
            (s.color, s.ms, s.level) for s in pattern.lead
        ]
        assert told.steps == (("white", 2700, 0.3), ("off", 300, 0.0))
        assert told.beat == "on, with a short gap every 3 s"
        assert told.means.startswith("Three flashes, once: that cannot be done now. The floor")
        assert picture.lamp(pattern, -1.0, Language.ENGLISH).age_ms == 0
        german = picture.lamp(pattern, 0.0, Language.GERMAN)
        assert (german.color, german.called) == ("white", "weiß")

    def test_the_small_lamps_and_the_keys(self) -> None:
        told = picture.panel({Key.TALK, Key.HAND}, recording=True, door=False)
        assert (told.down, told.recording, told.door) == ((Key.HAND, Key.TALK), True, False)

    def test_where_the_box_stands(self) -> None:
        status = Status(
            "Ana",
            link="up",
            link_detail="Hall",
            space="Main",
            members=3,
            is_chair=True,
            floor="live",
            talkers=("Ana",),
            queue=("Ben",),
            microphone_dbfs=-30.4,
            loudspeaker_dbfs=-120.0,
            buffered_ms=41.7,
            played=200,
            concealed=1,
            devices={"microphone": "USB"},
        )
        told = picture.state(status, Language.ENGLISH)
        assert told.words == "You have the floor: speak."
        assert (told.link, told.detail, told.space, told.members) == ("up", "Hall", "Main", 3)
        assert (told.talkers, told.queue, told.hand) == (("Ana",), ("Ben",), "NEXT")
        assert (told.microphone.label, told.microphone.dbfs) == ("USB", -30)
        assert (told.loudspeaker.label, told.loudspeaker.dbfs) == ("not started", -96)
        assert (told.buffered_ms, told.concealed) == (42, 0.5)
        assert picture.state(Status("Ben"), Language.GERMAN).words.endswith(".")
        assert picture.state(Status("Ben"), Language.ENGLISH).concealed == 0
        assert picture.state(Status("Ben", is_studio=True), Language.ENGLISH).hand == "NEXT"

    def test_what_happened(self) -> None:
        fields = {"name": "muted", "said": "Muted.", "text": "MUTE is on.", "tone": None}
        notes = [
            Note(4, 10.0, "prompt", fields),
            Note(5, 11.0, "key", {"key": "hand", "down": True}),
        ]
        said, pressed = picture.news(notes, 10.5, Language.ENGLISH, "NEXT").lines
        assert (said.n, said.ago_ms, said.said, said.text, said.tone) == (
            4,
            500,
            "Muted.",
            "MUTE is on.",
            "",
        )
        assert (pressed.ago_ms, pressed.words, pressed.said) == (0, "NEXT pressed", "")
        tick = Note(6, 11.0, "prompt", {"said": "", "text": "A key is down.", "tone": "tick"})
        (answer,) = picture.news([tick], 11.0, Language.ENGLISH, "HAND").lines
        assert (answer.words, answer.text) == ("tells: A key is down. (tick tone)", "")

    @given(
        st.lists(
            st.builds(Step, st.sampled_from(Color), st.integers(50, 3000), st.floats(0, 1)),
            min_size=1,
            max_size=8,
        )
    )
    def test_any_rhythm_can_be_told(self, steps: list[Step]) -> None:
        told = picture.lamp(Pattern("own", Color.RED, tuple(steps)), 0.0, Language.ENGLISH)
        assert told.beat
        assert len(told.steps) == len(steps)
        assert encode(told)
