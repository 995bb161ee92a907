"""The volume keys: steps, bounds, and what is kept and when."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.earcons import Earcon, seconds
from device.audio.ports import SAMPLE_RATE
from device.knob import FILE_NAME, VolumeKnob
from device.lessons import FILE_NAME as EXPLAINED
from device.lessons import Lessons
from device.loudness import FULL, QUIET_S, SILENT_DB, STEP, Loudness, parse
from stagebox.media.frames import Pcm


def test_half_of_the_scale_is_about_half_as_loud_and_nothing_is_silent() -> None:
    assert Loudness(100).db == 0
    assert Loudness(50).db == pytest.approx(-12.04, abs=0.01)
    assert Loudness(0).db == SILENT_DB
    assert Loudness(900).percent == 100
    assert Loudness(-5).percent == 0


def test_it_is_kept_once_the_fingers_rest() -> None:
    loudness = Loudness(50)
    assert loudness.deadline is None
    assert loudness.turn(1, 10.0)
    assert loudness.due(10.0 + QUIET_S - 0.01) is None
    assert loudness.turn(1, 12.0)
    assert loudness.deadline == 12.0 + QUIET_S
    assert loudness.due(12.0 + QUIET_S) == 60
    assert loudness.deadline is None
    assert loudness.due(99.0) is None


def test_what_comes_back_to_where_it_was_is_not_written() -> None:
    loudness = Loudness(50)
    loudness.turn(1, 0.0)
    loudness.turn(-1, 0.1)
    assert loudness.due(10.0) is None


@given(st.integers(0, 100), st.lists(st.sampled_from([-3, -1, 1, 3]), max_size=80))
def test_it_stays_between_silence_and_full_and_writes_at_most_once_a_rest(
    start: int, turns: list[int]
) -> None:
    loudness, wanted, written = Loudness(start), start, 0
    for n, steps in enumerate(turns):
        has_room = loudness.turn(steps, float(n))
        assert has_room == (0 <= wanted + steps * STEP <= FULL)
        wanted = min(FULL, max(0, wanted + steps * STEP))
        assert loudness.percent == wanted
        written += loudness.due(float(n)) is not None
    assert written == 0
    kept = loudness.due(len(turns) + QUIET_S)
    assert kept in (None, wanted)
    assert (kept is None) == (wanted == start or not turns)


@pytest.mark.parametrize(
    ("data", "percent"),
    [(b"45\n", 45), (b"0", 0), (b"100", 100), (b"101", None), (b"", None), (b"-3", None)],
)
def test_what_was_kept_is_read(data: bytes, percent: int | None) -> None:
    assert parse(data) == percent


class Rig:
    """A knob with what it sets, and what it lets be heard."""

    def __init__(self, folder: Path, percent: int = 50) -> None:
        self.db: list[float] = []
        self.heard: list[Pcm] = []
        self.knob = VolumeKnob(percent, folder, self.db.append, self.heard.append)


def test_a_turn_is_heard_as_loud_as_the_programme_will_be(tmp_path: Path) -> None:
    async def scene() -> None:
        rig = Rig(tmp_path)
        assert rig.db == [pytest.approx(-12.04, abs=0.01)]
        rig.knob.turn(1, asyncio.get_running_loop().time())
        rig.knob.turn(-2, asyncio.get_running_loop().time())
        louder, softer = (int(abs(pcm).max()) for pcm in rig.heard)
        assert louder > softer > 0
        assert len(rig.heard[0]) == round(seconds(Earcon.TICK) * SAMPLE_RATE)
        rig.knob.close()

    asyncio.run(scene())


def test_at_either_end_there_are_two_ticks(tmp_path: Path) -> None:
    async def scene() -> None:
        rig = Rig(tmp_path, 100)
        rig.knob.turn(1, asyncio.get_running_loop().time())
        assert len(rig.heard) == 2
        rig.knob.close()

    asyncio.run(scene())


def test_the_next_start_is_where_the_keys_left_it(tmp_path: Path) -> None:
    async def scene() -> None:
        rig = Rig(tmp_path / "state")
        rig.knob.turn(2, asyncio.get_running_loop().time())
        rig.knob.close()
        rig.knob.close()
        assert Rig(tmp_path / "state").knob.percent == 60

    asyncio.run(scene())
    assert (tmp_path / "state" / FILE_NAME).read_text() == "60\n"


def test_it_is_written_by_itself_when_the_fingers_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.loudness.QUIET_S", 0.05)

    async def scene() -> None:
        rig = Rig(tmp_path)
        for _ in range(3):
            rig.knob.turn(1, asyncio.get_running_loop().time())
        async with asyncio.timeout(20):
            while not (tmp_path / FILE_NAME).exists():  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.01)
        rig.knob.turn(-3, asyncio.get_running_loop().time())
        async with asyncio.timeout(20):
            while (tmp_path / FILE_NAME).read_text() != "50\n":  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    asyncio.run(scene())


def test_a_place_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "state"

    async def scene() -> None:
        rig = Rig(folder)
        rig.knob.turn(1, asyncio.get_running_loop().time())
        rig.knob.close()
        assert rig.knob.percent == 55

    asyncio.run(scene())
    lessons = Lessons(folder, wanted=True)
    lessons.learnt()
    assert not lessons.are_due


def test_what_was_explained_once_is_not_explained_again(tmp_path: Path) -> None:
    lessons = Lessons(tmp_path / "state", wanted=True)
    assert lessons.are_due
    lessons.learnt()
    lessons.learnt()
    assert not lessons.are_due
    assert not Lessons(tmp_path / "state", wanted=True).are_due
    (tmp_path / "state" / EXPLAINED).unlink()
    assert Lessons(tmp_path / "state", wanted=True).are_due
    assert not Lessons(tmp_path / "state", wanted=False).are_due
