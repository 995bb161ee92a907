"""What a hub does with speakers, whatever their kind: wishes are kept, troubles contained."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from hub.speakers.fake import FakeHouse
from hub.speakers.kept import FILE
from hub.speakers.port import Ear
from hub.speakers.speakers import (
    MOST,
    Around,
    Key,
    Speakers,
    TooManyError,
    UnknownSpeakerError,
)
from hub.speakers.terms import MAX_SPEAKERS, Cause, Found, Kind, SpeakerError, State
from tests.loopback.hub.crew import until

KITCHEN: Key = (Kind.DLNA, "kitchen")


class House:
    """Speakers of one hub, and what the hub streams."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fake = FakeHouse()
        self.broke = 0.0
        self.streamed = {"main": "Main", "side": "Side"}
        self.played: list[Mapping[str, tuple[str, ...]]] = []

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Speakers]:
        around = Around(
            self.streamed.get, self._urls, lambda: self.broke, played=self.played.append
        )
        speakers = Speakers([self.fake], around, self.folder)
        speakers.start()
        await until(lambda: self.fake._ear is not None)
        try:
            yield speakers
        finally:
            await speakers.aclose()

    def _urls(self, space: str, host: str) -> Mapping[str, str]:
        return {"mp3": f"http://{host}/{space}"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def is_(speakers: Speakers, state: State, key: Key = KITCHEN) -> bool:
    return speakers.status(key).condition.state is state


async def test_a_wish_lasts_longer_than_the_hub(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        assert kitchen.sound is not None
        assert kitchen.sound.url("mp3").startswith("http://127.0.0.1/main?for=")
    assert kitchen.sound is None  # silent while the hub is away
    async with house.open() as speakers:
        await until(lambda: kitchen.sound is not None)
        speakers.stop(KITCHEN)
        await until(lambda: kitchen.sound is None)
    async with house.open() as speakers:
        await asyncio.sleep(0.05)
        assert is_(speakers, State.OFF)


async def test_what_was_stopped_there_stays_so_after_the_hub_starts_anew(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        kitchen.end(Cause.STOPPED_THERE)
        await until(lambda: is_(speakers, State.STOPPED))
        assert speakers.states()["stopped"] == 1
    async with house.open() as speakers:
        await asyncio.sleep(0.05)
        assert is_(speakers, State.OFF)
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))


async def test_it_is_told_which_space_is_played_where_as_long_as_it_is(house: House) -> None:
    kitchen, salon = house.fake.put("kitchen"), house.fake.put("salon")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        speakers.play((KITCHEN[0], "salon"), "main")
        both = {"main": (kitchen.found.name, salon.found.name)}
        await until(lambda: bool(house.played) and house.played[-1] == both)
        kitchen.end(Cause.STOPPED_THERE)
        await until(lambda: house.played[-1] == {"main": (salon.found.name,)})
        speakers.stop((KITCHEN[0], "salon"))
        await until(lambda: house.played[-1] == {})
        assert all(one != other for one, other in itertools.pairwise(house.played))


async def test_a_stream_that_broke_here_was_stopped_by_nobody(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        house.broke += 1
        kitchen.end(Cause.STOPPED_THERE)
        await until(lambda: kitchen.plays == 2)
        kitchen.end(Cause.STOPPED_THERE)
        await until(lambda: is_(speakers, State.STOPPED))


async def test_what_broke_is_tried_again_by_itself(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        kitchen.end(Cause.LOST)
        await until(lambda: kitchen.plays == 2)
        kitchen.refuses = SpeakerError(Cause.NOT_ALLOWED, "It wants a PIN.")
        kitchen.end(Cause.LOST)
        await until(lambda: is_(speakers, State.REFUSED))
        assert speakers.status(KITCHEN).condition.detail == "It wants a PIN."
        kitchen.refuses = None
        speakers.play(KITCHEN, "main")  # somebody who has typed it asks again
        await until(lambda: is_(speakers, State.PLAYING))


async def test_another_space_takes_over_at_once(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        speakers.play(KITCHEN, "side")
        await until(lambda: kitchen.sound is not None and kitchen.sound.space == "side")
        assert speakers.status(KITCHEN).space == "side"


async def test_a_space_that_is_not_streamed_is_waited_for(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        del house.streamed["main"]
        kitchen.end(Cause.STOPPED_THERE)  # as a renderer says when its stream ends
        await until(lambda: is_(speakers, State.HELD))
        await until(lambda: kitchen.sound is None)
        house.streamed["main"] = "Main"
        await until(lambda: is_(speakers, State.PLAYING))


async def test_a_speaker_that_comes_back_plays(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        house.fake.hide("kitchen")
        assert is_(speakers, State.PLAYING)  # it plays, whatever is announced
        kitchen.end(Cause.LOST)
        await until(lambda: is_(speakers, State.ABSENT))
        kitchen.is_on = True
        house.fake.show("kitchen")
        await until(lambda: is_(speakers, State.PLAYING))


async def test_volume_is_for_what_plays(house: House) -> None:
    kitchen = house.fake.put("kitchen")
    async with house.open() as speakers:
        with pytest.raises(SpeakerError, match="start it"):
            await speakers.set_volume(KITCHEN, 0.5)
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))
        assert (await speakers.set_volume(KITCHEN, 0.25)).level == 0.25
        assert kitchen.level == 0.25
        kitchen.turn(0.75)
        assert speakers.status(KITCHEN).level == 0.75
        speakers.stop(KITCHEN)
        with pytest.raises(SpeakerError, match="start it"):
            await speakers.set_volume(KITCHEN, 0.5)


async def test_who_is_away_may_be_forgotten(house: House) -> None:
    house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        house.fake.hide("kitchen")
        await speakers.forget(KITCHEN)
        with pytest.raises(UnknownSpeakerError):
            speakers.status(KITCHEN)
        with pytest.raises(UnknownSpeakerError):
            speakers.play(KITCHEN, "main")
    async with house.open() as speakers:
        assert [each.name for each in speakers.statuses()] == ["kitchen"]  # it is shown again
        assert is_(speakers, State.OFF)


async def test_a_flood_of_speakers_is_bounded(house: House) -> None:
    async with house.open() as speakers:
        for number in range(3 * MAX_SPEAKERS):
            house.fake.put(f"s{number}")
        assert len(speakers.statuses()) == MAX_SPEAKERS
        assert speakers.counts()["left_out"] == 2 * MAX_SPEAKERS
        for number in range(MOST):
            speakers.play((Kind.DLNA, f"s{number}"), "main")
        with pytest.raises(TooManyError):
            speakers.play((Kind.DLNA, f"s{MOST}"), "main")


async def test_lying_names_are_cleaned_and_wrong_ids_left_out(house: House) -> None:
    async with house.open() as speakers:
        assert house.fake._ear is not None
        lies = "\u202eevil\x00" + "x" * 5_000
        for id_ in ("good", "b\nd", "", "y" * 300):
            house.fake._ear.found(Found(Kind.DLNA, id_, lies, lies, "127.0.0.1"))
        (only,) = speakers.statuses()
        assert only.id == "good"
        assert only.name == "evil" + "x" * 36
        assert len(only.address) == 200


async def test_an_adapter_that_fails_takes_nothing_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hub.speakers.speakers.AGAIN_S", 0.01)
    runs = 0
    run = house.fake.run

    async def fails_first(ear: Ear) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("by surprise")
        await run(ear)

    monkeypatch.setattr(house.fake, "run", fails_first)
    house.fake.put("kitchen")
    async with house.open() as speakers:
        await until(lambda: len(speakers.statuses()) == 1)
    assert "looking for dlna speakers failed" in caplog.text


async def test_a_player_that_fails_is_tried_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    kitchen = house.fake.put("kitchen")
    kitchen.refuses = RuntimeError("by surprise")  # type: ignore[assignment]
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: speakers.status(KITCHEN).condition.cause is Cause.FAILED)
        assert "by surprise" in caplog.text
        kitchen.refuses = None
        await until(lambda: is_(speakers, State.PLAYING))


@pytest.mark.parametrize("written", [b"", b"{", b'[{"kind":"dlna"}]', b"\xff" * 100])
async def test_a_file_that_cannot_be_read_is_none(house: House, written: bytes) -> None:
    (house.folder / FILE).write_bytes(written)
    house.fake.put("kitchen")
    async with house.open() as speakers:
        speakers.play(KITCHEN, "main")
        await until(lambda: is_(speakers, State.PLAYING))


async def test_what_cannot_be_kept_changes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fake.put("kitchen")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    async with house.open() as speakers:
        monkeypatch.setattr("hub.speakers.kept.write_atomic", full)
        with pytest.raises(OSError, match="space left"):
            speakers.play(KITCHEN, "main")
        assert is_(speakers, State.OFF)
