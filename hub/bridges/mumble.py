"""A channel of a Mumble server: the hub comes in as one person, and hears each of the others.

Mumble sends everybody's voice as it was coded and never one's own, so nobody hears an echo.
Who is there, who is muted and who talks is told. The hub wears its mark as its comment, and
the sign that Mumble has for it while the space is recorded.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from hub.bridges.janus import Guard
from hub.bridges.mumble_link import Link
from hub.bridges.mumble_room import (
    Effect,
    Errand,
    Joined,
    Keys,
    MumbleRoom,
    Nonce,
    Note,
    People,
    Speaks,
    Tell,
)
from hub.bridges.mumble_sound import Sound
from hub.bridges.mumble_terms import address_of, authenticate, version
from hub.bridges.mumble_trust import MumbleTrust
from hub.bridges.mumble_voice import Voice
from hub.bridges.mumble_wire import Kind, message
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError
from stagebox import __version__

# A server with thousands of people tells them all before it lets us in.
ANSWER_S: Final = 5.0
# So often the server is asked whether it is there, and so many times it may say nothing: who
# is cut off is told so within 2 s. TCP needs 1 s for a lost segment across an ocean. Counted
# in our own turns: a hub that stood still itself has asked only once meanwhile.
PING_S: Final = 0.4
PATIENCE: Final = 3


@dataclass(frozen=True, slots=True)
class Channel:
    """Where to. ``tokens``: Mumble's access tokens. ``known``: the server's certificate.

    ``bridge``: under which id the server's certificate is kept.
    """

    url: str
    space: str
    name: str
    bridge: str
    password: str = ""
    tokens: tuple[str, ...] = ()
    known: str = ""


class MumbleFar:
    """Implements ``Far`` by a channel of a Mumble server."""

    can = Abilities(roster=True, mute=True, talker=True, recording=True)

    def __init__(self, channel: Channel, guard: Guard, trust: MumbleTrust) -> None:
        self._channel = channel
        self._guard = guard
        self._trust = trust
        self._address = address_of(channel.url)
        self._room = MumbleRoom(Errand(self._address.channel, self._comment, self._is_loop))
        self._recording = False
        self._muted = False
        self._ear: Ear | None = None
        self._link: Link | None = None
        self._sound: Sound | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        self._ear = ear
        self._sound = Sound(ear.heard, self._spoke)
        self._link = link = Link(self._take, self._sound.heard)
        certificate = await link.open(self._address, self._trust.context())
        self._trust.check(self._channel.bridge, certificate, self._channel.known)
        link.tell(Kind.VERSION, version(f"Stagebox {__version__}"))
        own = self._channel
        link.tell(Kind.AUTHENTICATE, authenticate(own.name, own.password, own.tokens))
        try:
            async with asyncio.timeout(ANSWER_S):
                await asyncio.wait((self._joined, link.over), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise FarError(Cause.NO_ANSWER, "The Mumble server does not let us in.") from None
        if link.over.done():
            raise link.over.result()
        self._keeper = asyncio.create_task(self._keep(link, self._sound))

    async def stay(self) -> None:
        """See ``Far``."""
        if self._link is None:
            raise FarError(Cause.FAILED, "It was never joined.")
        raise await asyncio.shield(self._link.over)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:  # noqa: ARG002 - the port's
        """See ``Far``."""
        link, sound = self._link, self._sound
        if link is None or sound is None or not self._room.is_joined or self._muted:
            return False
        return sound.send(payload, timestamp, link)

    def show(self, name: str) -> None:
        """See ``Far``: a name stays what it is in Mumble, but there is a sign for recordings."""
        self._recording = name != self._channel.name
        if self._room.is_joined:
            self._do(self._room.recording(on=self._recording))

    async def leave(self) -> None:
        """See ``Far``."""
        link, self._link = self._link, None
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        if self._sound is not None:
            self._sound.close()
        if link is not None:
            await link.aclose()

    # --- private --------------------------------------------------------------

    def _comment(self, room: str) -> str:
        return self._guard.marks.put_on("", self._channel.space, self._place(room)).strip()

    def _is_loop(self, shown: str, room: str) -> bool:
        others = self._guard.spaces - {self._channel.space}
        return self._guard.marks.is_ours(shown, others, self._place(room))

    def _place(self, room: str) -> str:
        # By number: servers have many names, and so have channels.
        return f"mumble {room}"

    def _take(self, kind: int, payload: bytes) -> None:
        if self._link is None:
            return
        for effect in self._room.take(kind, payload):
            self._do(effect)

    def _do(self, effect: Effect) -> None:
        link, sound, ear = self._link, self._sound, self._ear
        if link is None or sound is None or ear is None:
            return
        match effect:
            case Tell(kind, payload):
                link.tell(kind, payload)
            case Keys() | Nonce() | Speaks():
                sound.set_up(effect, link)
            case Joined():
                self._arrived()
            case People():
                ear.people(self._room.people)
            case Note(text):
                self._muted = bool(text)
                ear.note(text)

    def _arrived(self) -> None:
        if not self._joined.done():
            self._joined.set_result(None)
        if self._recording:
            self._do(self._room.recording(on=True))

    def _spoke(self, voice: Voice, now: float) -> None:
        if self._room.spoke(voice.session, now, last=voice.last):
            self._do(People())

    async def _keep(self, link: Link, sound: Sound) -> None:
        """See again and again whether the server is there, and by which way it is heard."""
        loop = asyncio.get_running_loop()
        silent, heard_at = 0, 0.0
        while True:
            now = loop.time()
            silent = silent + 1 if link.heard_at == heard_at else 0
            heard_at = link.heard_at
            if silent > PATIENCE:
                why = "The Mumble server says nothing any more."
                link.end(FarError(Cause.LOST, why))
            link.tell(Kind.PING, message((1, int(now * 1_000)), *sound.stats()))
            await sound.look(link)
            sound.ask_nonce(link)
            if self._room.quiet(now):
                self._do(People())
            await asyncio.sleep(PING_S)
