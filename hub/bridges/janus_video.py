"""A room of Janus's VideoRoom: the hub publishes one microphone, and hears each of the others.

The VideoRoom forwards what everybody sends, to everybody but themselves, so nobody hears an
echo and nothing is coded over there. Each person who publishes sound is a connection of its
own here, which brings sound alone; cameras and screens are not asked for.
"""

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from hub.bridges.chorus import Chorus
from hub.bridges.janus import PORTS, Guard, JanusFar, Room
from hub.bridges.janus_terms import Body, answer_of, check, data_of
from hub.bridges.janus_video_terms import PLUGIN, Feed, FeedId, VideoRoster
from hub.bridges.janus_wire import Wire
from hub.bridges.line import Line, way_to
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, FarError
from stagebox.media.rtp import AudioPacket

# Connections to people over there. Where more than a few publish, a room that mixes is the
# better one to bridge.
MAX_FEEDS: Final = 16
# Somebody whose sound does not come is tried again so many times, so far apart.
_TRIES: Final = 5
_AGAIN_S: Final = 1.0


class JanusVideo(JanusFar):
    """Implements ``Far`` by a room of the VideoRoom."""

    can = Abilities(roster=True, talker=True, recording=True)

    def __init__(self, room: Room, guard: Guard) -> None:
        super().__init__(room, guard)
        self._who = VideoRoster()
        self._chorus = Chorus(asyncio.get_running_loop().time())
        self._ears: dict[FeedId, asyncio.Task[None]] = {}
        self._address: str | None = None

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        room, self._ear = self._room, ear
        parts = urlsplit(room.url)
        port = parts.port or PORTS.get(parts.scheme, 0)
        self._address = await way_to(parts.hostname or "", port)
        self._wire = wire = Wire(room.url, secret=room.secret, token=room.token)
        self._line = line = Line("sendonly", self._address, ear)
        await wire.open()
        self._handle = await wire.attach(PLUGIN)
        there = data_of(await self._ask({"request": "listparticipants", "room": room.room}))
        self._refuse_loop(there)
        self._who.listed(there)
        body = {"request": "joinandconfigure", "ptype": "publisher", **self._room_of}
        jsep = {"type": "offer", "sdp": await line.offer(), "trickle": False}
        joined = await self._ask(body | {"display": self._display(self._name)}, jsep=jsep)
        self._who.joined(data_of(joined))
        await line.accept(answer_of(joined))
        ear.people(self._who.people)
        self._follow()

    async def leave(self) -> None:
        """See ``Far``."""
        ears, self._ears = list(self._ears.values()), {}
        for each in ears:
            each.cancel()
        await asyncio.gather(*ears, return_exceptions=True)
        await super().leave()

    # --- private --------------------------------------------------------------

    @property
    def _room_of(self) -> dict[str, object]:
        """How each request says which room."""
        pin: dict[str, object] = {"pin": self._room.pin} if self._room.pin else {}
        return pin | {"room": self._room.room}

    @property
    def _place(self) -> str:
        # A number is one room of the AudioBridge and another one of the VideoRoom.
        return f"video {self._room.room}"

    def _is_ours(self, message: Body) -> bool:
        # One person's sound has a handle of its own, and its line notices its end.
        return bool(message.get("sender", self._handle) == self._handle)

    def _take(self, message: Body, ear: Ear) -> None:
        data = data_of(message)
        if "error" not in data and self._who.take(check(message)):
            ear.people(self._who.people)
            self._follow()

    def _follow(self) -> None:
        """Listen to all who publish, and to nobody who does not any more."""
        feeds = self._who.feeds
        for gone in self._ears.keys() - feeds.keys():
            self._ears.pop(gone).cancel()
        room = MAX_FEEDS - len(self._ears)
        unheard = [key for key in feeds if key not in self._ears]
        for key in unheard[:room]:
            self._ears[key] = asyncio.create_task(self._hear(feeds[key]))
        if self._ear is not None:
            crowded = len(unheard) > room
            self._ear.note(f"Only {MAX_FEEDS} of those who speak there are heard." * crowded)

    async def _hear(self, feed: Feed) -> None:
        """Hear one person for as long as they publish."""
        for _ in range(_TRIES):
            with contextlib.suppress(FarError):
                await self._hear_once(feed)
            await asyncio.sleep(_AGAIN_S)
            if self._who.feeds.get(feed.id) is None:
                return

    async def _hear_once(self, feed: Feed) -> None:
        wire, ear = self._wire, self._ear
        if wire is None or ear is None:
            return
        heard = replace(ear, heard=partial(self._said, feed.id))
        line = Line("recvonly", self._address, heard)
        handle: object = None
        try:
            handle = await wire.attach(PLUGIN)
            body: dict[str, object] = {"request": "join", "ptype": "subscriber", **self._room_of}
            body |= {"streams": [{"feed": feed.id, "mid": feed.mid}]}
            if self._who.private_id is not None:
                body["private_id"] = self._who.private_id
            offer = answer_of(await wire.request("message", handle_id=handle, body=body))
            jsep = {"type": "answer", "sdp": await line.answer(offer)}
            start = {"request": "start"}
            await wire.request("message", handle_id=handle, body=start, jsep=jsep)
            await line.connected()
            await line.stay()
        finally:
            self._says(self._chorus.leave(feed.id, asyncio.get_running_loop().time()), feed.id)
            if handle is not None:
                await wire.tell("detach", handle_id=handle)
            await line.aclose()

    def _said(self, feed: FeedId, packet: AudioPacket, now: float) -> None:
        self._says(self._chorus.take(feed, packet, now), feed, now)

    def _says(self, packets: list[AudioPacket], feed: FeedId, now: float | None = None) -> None:
        ear = self._ear
        if ear is None:
            return
        at = asyncio.get_running_loop().time() if now is None else now
        for each in packets:
            ear.heard(each, at)
        if self._who.talks(feed, talking=self._chorus.speaks(feed)):
            ear.people(self._who.people)
