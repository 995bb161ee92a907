"""Where those are who speak in a Space: a room of Janus's VideoRoom, reached with a pass.

The hub is there as one account, without a mark: names are those of accounts. So it knows
itself by the account's id, and one account is one of this hub's spaces.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from hub.bridges.janus import PORTS, Guard, Room
from hub.bridges.janus_terms import Body, answer_of, data_of
from hub.bridges.janus_video import JanusVideo
from hub.bridges.janus_video_terms import PLUGIN, VideoRoster
from hub.bridges.janus_wire import Wire
from hub.bridges.line import Line, way_to
from hub.bridges.mark import Marks
from hub.bridges.port import Ear
from hub.bridges.terms import Cause, FarError
from hub.bridges.x_answers import Gateway

_NOBODY: Final = Marks(b"", "")
# Everybody there sends one stream, and that is its name.
_SOUND: Final = "0"
# Somebody there may have put us out: to ask again at once would be rude. Far away, and polled.
_WORD_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class Entry:
    """As whom one comes in. ``wish``: the id by which that was granted."""

    gateway: Gateway
    space: str
    user: str
    wish: str = field(repr=False)
    stream: str = ""  # the name of the broadcast; empty: that of the Space


class Podium(JanusVideo):
    """Implements ``Far`` by the room of those who speak. People are called by their ids there."""

    def __init__(self, entry: Entry) -> None:
        room = Room(entry.gateway.url, entry.space, "", entry.user)
        super().__init__(room, Guard(_NOBODY, frozenset()))
        self._who = VideoRoster(mid=_SOUND)
        self._entry = entry

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        entry, self._ear = self._entry, ear
        parts = urlsplit(entry.gateway.url)
        port = parts.port or PORTS.get(parts.scheme, 0)
        self._address = await way_to(parts.hostname or "", port)
        self._wire = wire = Wire(entry.gateway.url, credential=entry.gateway.jwt)
        self._line = line = Line("sendonly", self._address, ear)
        await wire.open()
        self._handle = await wire.attach(PLUGIN)
        await self._prepare()
        body = {"request": "join", "ptype": "publisher", **self._room_of, "display": entry.user}
        joined = data_of(await self._ask(body))
        self._refuse_twin(joined)
        self._who.joined(joined)
        jsep = {"type": "offer", "sdp": await line.offer(), "trickle": False}
        answer = await self._ask({"request": "configure", **self._room_of, **self._pass}, jsep=jsep)
        await line.accept(answer_of(answer))
        ear.people(self._who.people)
        self._follow()

    async def stay(self) -> None:
        """See ``Far``."""
        try:
            await super().stay()
        except FarError as error:
            if error.cause is Cause.LOST:
                await self._told_why()
            raise

    @property
    def gateway(self) -> str:
        """Where it is."""
        return self._entry.gateway.url

    def show(self, name: str) -> None:
        """See ``Far``: an account has the name that it has."""

    # --- private --------------------------------------------------------------

    @property
    def _room_of(self) -> dict[str, object]:
        return {"room": self._entry.space, "periscope_user_id": self._entry.user}

    @property
    def _pass(self) -> dict[str, object]:
        entry = self._entry
        return {
            "session_uuid": entry.wish,
            "stream_name": entry.stream or entry.space,
            "vidman_token": entry.gateway.jwt,
        }

    async def _told_why(self) -> None:
        """Wait a moment for Janus's word, which comes by another way than the end of the sound.

        Raises:
            FarError: we were put out, or the room is closed.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WORD_S):
                while self._wire is not None and self._ear is not None:
                    message = await self._wire.next()
                    if self._is_ours(message):
                        self._take(message, self._ear)

    async def _prepare(self) -> None:
        """Do what has to be done before one comes in: a guest finds everything there."""

    def _refuse_twin(self, joined: Body) -> None:
        """Refuse a room in which this account is already: both would hear each other."""
        there = joined.get("publishers")
        there = there if isinstance(there, list) else []
        names = [each.get("display") for each in there if isinstance(each, dict)]
        if self._entry.user in names:
            why = "This account speaks in this Space already, here or elsewhere."
            raise FarError(Cause.ALREADY_BRIDGED, why)
