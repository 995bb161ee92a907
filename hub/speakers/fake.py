"""Speakers that are none: in this process, for tests and for trying things out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.speakers.port import Ear
from hub.speakers.terms import Announced, Cause, Found, Kind, Sound, SpeakerError, Told


@dataclass(eq=False)
class FakeSpeaker:
    """One speaker, and what happens to it."""

    found: Found
    is_on: bool = True
    level: float = 0.5
    sound: Sound | None = None
    refuses: SpeakerError | None = None
    plays: int = 0
    player: "FakePlayer | None" = None

    def end(self, cause: Cause) -> None:
        """Play no longer, for a reason."""
        self.sound = None
        if self.player is not None:
            self.player.end(SpeakerError(cause, f"It plays no longer ({cause})."))

    def turn(self, level: float) -> None:
        """Turn its knob."""
        self.level = level
        if self.player is not None:
            self.player.told(Told(level))


@dataclass(eq=False)
class FakeHouse:
    """An ``Adapter``: its speakers come and go as a test likes."""

    kind: Kind = Kind.DLNA
    services: tuple[str, ...] = ()
    speakers: dict[str, FakeSpeaker] = field(default_factory=dict)
    heard_of: list[Announced] = field(default_factory=list)
    _ear: Ear | None = None

    def put(self, name: str) -> FakeSpeaker:
        """Have a speaker of this name, which is its id, too."""
        found = Found(self.kind, name, name, f"{name}.local", "127.0.0.1")
        speaker = self.speakers[name] = FakeSpeaker(found)
        self.show(name)
        return speaker

    def show(self, name: str) -> None:
        """Have it be found."""
        if self._ear is not None:
            self._ear.found(self.speakers[name].found)

    def hide(self, name: str) -> None:
        """Have it be gone."""
        self.speakers[name].is_on = False
        if self._ear is not None:
            self._ear.gone(name)

    async def run(self, ear: Ear) -> None:
        """See ``Adapter``."""
        self._ear = ear
        try:
            for name in tuple(self.speakers):
                self.show(name)
            await asyncio.Event().wait()
        finally:
            self._ear = None

    def announced(self, service: Announced) -> None:
        """See ``Adapter``."""
        self.heard_of.append(service)

    def withdrawn(self, service: str, name: str) -> None:
        """See ``Adapter``."""
        self.heard_of = [e for e in self.heard_of if (e.service, e.name) != (service, name)]

    def player(self, speaker: Found) -> "FakePlayer":
        """See ``Adapter``."""
        return FakePlayer(self.speakers.get(speaker.id))


class FakePlayer:
    """Implements ``Player`` by a ``FakeSpeaker``; None: there is nothing at that address."""

    def __init__(self, speaker: FakeSpeaker | None) -> None:
        self.told: Callable[[Told], None] = lambda _told: None
        self._speaker = speaker
        self._over: asyncio.Future[SpeakerError] = asyncio.get_running_loop().create_future()

    async def play(self, sound: Sound, told: Callable[[Told], None]) -> None:
        """See ``Player``."""
        await asyncio.sleep(0)
        speaker = self._speaker
        if speaker is None or not speaker.is_on:
            raise SpeakerError(Cause.UNREACHABLE, "Nothing answers there.")
        if speaker.refuses is not None:
            raise speaker.refuses
        self.told = told
        speaker.player, speaker.sound = self, sound
        speaker.plays += 1
        told(Told(speaker.level))

    async def stay(self) -> None:
        """See ``Player``."""
        raise await asyncio.shield(self._over)

    async def set_volume(self, level: float) -> None:
        """See ``Player``."""
        if self._speaker is None or self._speaker.player is not self:
            raise SpeakerError(Cause.LOST, "It does not play.")
        self._speaker.turn(level)

    async def stop(self) -> None:
        """See ``Player``."""
        if self._speaker is not None and self._speaker.player is self:
            self._speaker.player = self._speaker.sound = None

    def end(self, error: SpeakerError) -> None:
        """Be over, for a reason."""
        if not self._over.done():
            self._over.set_result(error)
