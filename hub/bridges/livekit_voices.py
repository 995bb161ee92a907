"""The voices in a LiveKit room as the library has them, and our own."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from livekit import rtc

from hub.bridges.livekit_mail import Heard
from hub.bridges.livekit_sound import Ears
from stagebox.media.frames import SAMPLE_RATE, Pcm

# The library's queue of our voice: its own second would be a second of delay.
QUEUE_MS: Final = 100
# Frames of a voice that wait for their turn: 160 ms. More is a program that is stuck.
_WAITING: Final = 8


class Source:
    """LiveKit's end of our voice."""

    def __init__(self) -> None:
        self.source = rtc.AudioSource(SAMPLE_RATE, 1, QUEUE_MS)

    async def capture(self, pcm: Pcm) -> None:
        """See ``Sink``."""
        frame = rtc.AudioFrame(pcm.tobytes(), SAMPLE_RATE, 1, pcm.size)
        await self.source.capture_frame(frame)


class Voices:
    """All voices in a room, as many as can be mixed. ``tell`` gets them as one."""

    def __init__(self, room: rtc.Room, tell: Callable[[Heard], None]) -> None:
        self._room = room
        self._ears = Ears(tell)
        self._wanted: set[str] = set()
        self._listening: dict[str, asyncio.Task[None]] = {}

    def follow(self) -> None:
        """Listen to whoever begins to speak, from now on."""
        self._room.on("track_published", lambda publication, _: self.subscribe([publication]))
        self._room.on("track_subscribed", lambda track, *_: self._listen(track))
        self._room.on("track_unsubscribed", lambda track, *_: self._forget(track.sid))
        self._room.on("track_unpublished", lambda publication, _: self._forget(publication.sid))

    def subscribe(self, publications: Iterable[rtc.RemoteTrackPublication]) -> None:
        """Ask for those that are voices, as long as there is room for them."""
        for each in publications:
            if is_voice(each) and self._ears.mix.has_room and each.sid not in self._wanted:
                self._wanted.add(each.sid)
                self._ears.mix.join(each.sid)
                each.set_subscribed(True)

    def close(self) -> None:
        """Listen no more."""
        for task in self._listening.values():
            task.cancel()

    def _listen(self, track: rtc.Track) -> None:
        if track.sid in self._wanted and track.sid not in self._listening:
            self._listening[track.sid] = asyncio.create_task(self._hear(track))

    def _forget(self, sid: str) -> None:
        self._wanted.discard(sid)
        self._ears.mix.leave(sid)
        task = self._listening.pop(sid, None)
        if task is not None:
            task.cancel()
        for each in self._room.remote_participants.values():  # there is room for another one now
            self.subscribe(one for one in each.track_publications.values() if one.sid != sid)

    async def _hear(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(
            track, capacity=_WAITING, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=20
        )
        async for event in stream:
            self._ears.heard(track.sid, event.frame.data, event.frame.sample_rate)


def is_voice(publication: rtc.RemoteTrackPublication) -> bool:
    """Say whether it is sound."""
    return publication.kind == rtc.TrackKind.KIND_AUDIO
