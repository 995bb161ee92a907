"""A recording and two boxes: who has not agreed with a finger is not on the air, and hears why.

Hub and boxes are the real programs. The host is a studio's end of the wire, since a box has
no key for recording; boxes are pressed at their terminals and looked at from outside.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from stagebox.wire.acts import RecordSet
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import (
    Done,
    FloorDenied,
    FloorRequest,
    HubMessage,
    MemberMessage,
    Snapshot,
)
from stagebox.wire.space import FloorChanged, MemberChanged
from stagebox.wire.terms import Role
from tests.loopback.hub.crew import Guest
from tests.support.crew import START_S, Box, Hub, free_port, running
from tests.support.hands import FOUND_S, HandBox
from tests.support.judge import faults
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SETTINGS = """
[web]
secure_port = 0

[recording]
min_free_mb = 10

[[space]]
id = "main"
name = "Main"
mode = "open"
"""
SOON_S = 20.0


class Address:
    """Where a hub is, as guests want to know it."""

    def __init__(self, hub: Hub) -> None:
        self._http = hub.http

    def url(self, path: str, _host: str = "") -> str:
        return self._http + path


class Witness(Guest):
    """A member that stays awake, and remembers all that it was told."""

    async def come(self, hub: Hub) -> Snapshot:
        """Join, and stay."""
        snapshot = await self.enter(Address(hub))  # type: ignore[arg-type]
        self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._stay())]
        return snapshot

    async def ask(self, message: MemberMessage) -> HubMessage:
        """Send something and return the answer that names it."""
        await self.send(message)
        async with asyncio.timeout(SOON_S):
            while True:
                for each in self.seen:
                    if getattr(each, "req", None) == message.req:  # type: ignore[union-attr]
                        return each
                await asyncio.sleep(0.02)

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await self.aclose()

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while True:
                await self.next()

    async def _stay(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while True:
                await self.ping()
                await asyncio.sleep(0.5)

    def talkers(self) -> set[str]:
        """Everybody who ever had the floor."""
        floors = [each.floor for each in self.seen if isinstance(each, FloorChanged)]
        return {talker for floor in floors for talker in floor.talkers}


@contextlib.asynccontextmanager
async def house(folder: Path) -> AsyncIterator[tuple[Witness, HandBox, HandBox, Hub]]:
    (folder / "hub.toml").write_text(SETTINGS)
    hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
    host = Witness("Studio", number=90, role=Role.STUDIO)
    with running(hub):
        await asyncio.to_thread(hub.wait_up)
        await host.come(hub)
        ana, ben = (HandBox(folder, name, hub.url, mic=voice(120, 3)) for name in ("Ana", "Ben"))
        with running(ana, ben):
            try:
                for box in (ana, ben):
                    await step(box.wait_started)
                    await step(box.wait_joined)
                    await step(box.wait_for, media_up, FOUND_S, "its sound arrives")
                yield host, ana, ben, hub
            finally:
                await host.leave()


async def step(act: Callable[..., object], *arguments: object) -> None:
    """Wait for a box without keeping the host from its heartbeat."""
    await asyncio.to_thread(act, *arguments)


def media_up(box: Box) -> bool:
    return box.last_state("media") == "up"


def said(box: HandBox) -> list[str]:
    return [str(each["name"]) for each in box.events("prompt")]


async def asks(box: HandBox) -> None:
    """See to it that the box tells of the recording and waits for a word."""
    await step(
        box.wait_for, lambda each: each.last_state("floor") == "consent", SOON_S, "asks for consent"
    )
    assert {"recording_on", "consent"} <= set(said(box)), said(box)
    assert box.events("recording")[-1]["on"] is True
    # A TALK key that is held adds "refused" to the rhythm.
    assert box.lamp in {("amber", "consent"), ("amber", "refused+consent")}


async def test_who_agrees_talks_and_who_does_not_is_never_on_the_air(tmp_path: Path) -> None:
    async with house(tmp_path) as (host, ana, ben, hub):
        assert isinstance(await host.ask(RecordSet(req="on", on=True)), Done)
        await asks(ana)
        await asks(ben)
        # Nobody is heard by pressing alone, and each is told what to do.
        for box in (ana, ben):
            await step(box.press, "talk")
            await step(
                box.wait_for,
                lambda each: each.told("prompt", name="deny", cause="consent_needed"),
                SOON_S,
                "is told why",
            )
            await step(box.press, "talk")
            assert box.frames() == 0
        # The word of a finger.
        await step(ana.press, "hand")
        await step(ana.wait_for, lambda each: "agreed" in said(each), SOON_S, "has agreed")
        await step(
            ana.wait_for, lambda each: each.last_state("floor") == "idle_free", SOON_S, "is free"
        )
        await step(ana.press, "talk")
        await step(ana.wait_for, lambda each: each.frames() > 25, SOON_S, "is on the air")
        assert ana.lamp[0] == "red"
        await step(ana.press, "talk")
        await step(ben.press, "talk")
        await step(
            ben.wait_for, lambda each: said(each).count("deny") == 2, SOON_S, "is told again"
        )
        await step(ben.press, "talk")
        assert ben.frames() == 0
        assert ben.red() == []
        # The hub keeps to it as well, whatever a member asks of it.
        stranger = Witness("Stranger", number=91)
        snapshot = await stranger.come(hub)
        assert snapshot.space.recording is not None
        answer = await stranger.ask(FloorRequest(req="press"))
        assert isinstance(answer, FloorDenied)
        assert answer.cause is DenyCause.CONSENT_NEEDED
        await stranger.leave()
        names = {each.id: each.name for each in snapshot.members}
        assert {names[talker] for talker in host.talkers()} == {"Ana"}
        agreed = [each.member for each in host.seen if isinstance(each, MemberChanged)]
        assert {each.name for each in agreed if each.agreed} == {"Ana"}


async def test_a_recording_that_begins_closes_who_talks_and_hand_held_is_no(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as (host, ana, ben, _hub):
        await step(ben.press, "talk")
        await step(ben.wait_for, lambda each: each.frames() > 25, SOON_S, "is on the air")
        assert isinstance(await host.ask(RecordSet(req="on", on=True)), Done)
        await asks(ben)
        assert ben.red()[-1][1] < float("inf")
        frames = ben.frames()
        # The finger is still down: it opens nothing when the recording is over, either.
        assert isinstance(await host.ask(RecordSet(req="off", on=False)), Done)
        await step(
            ben.wait_for, lambda each: "recording_off" in said(each), SOON_S, "hears of the end"
        )
        await asyncio.sleep(1.0)
        assert ben.frames() == frames
        assert ben.events("recording")[-1]["on"] is False
        await step(ben.press, "talk")
        # A second recording: holding HAND is no, and leads out without a sound to others.
        assert isinstance(await host.ask(RecordSet(req="again", on=True)), Done)
        await step(ben.wait_for, lambda each: said(each).count("consent") == 2, SOON_S, "asks anew")
        await step(ben.press, "hand_held")
        await step(ben.wait_for, lambda each: "space_left" in said(each), SOON_S, "has left")
        await step(ben.press, "hand_held")
        await step(
            ben.wait_for, lambda each: each.last_state("media") == "down", SOON_S, "has no sound"
        )
        assert ben.last_state("link") == "up"
        assert ben.last_state("floor") == "no_space"
        # TALK comes back in, opens nothing, and the newcomer is told.
        await step(ben.press, "talk")
        await step(ben.press, "talk")
        await step(ben.wait_for, lambda each: "recorded" in said(each), START_S, "is told")
        await step(
            ben.wait_for, lambda each: each.last_state("floor") == "consent", SOON_S, "is asked"
        )
        assert ben.frames() == frames
        await asks(ana)
    assert faults(ana.events()) == []
    assert faults(ben.events()) == []
