"""Sound with the hub: one media session for as long as the box sits in a space that has sound."""

import asyncio
import secrets

from device.link.signalling import Signalling
from device.media import MediaSession
from stagebox.wire.messages import HubMessage, MediaAnswer, MediaLost, MediaOffer
from stagebox.wire.terms import SpaceId


class Sitting:
    """Begins and ends media sessions, and passes on to them what the hub says of their offers.

    ``joined``: in a space whose sound is for this box.
    """

    def __init__(self) -> None:
        self.joined = asyncio.Event()
        self._signalling: Signalling | None = None
        self._media: MediaSession | None = None
        self._req = ""
        self._of: tuple[str | None, SpaceId] | None = None
        self._task: asyncio.Task[None] | None = None
        self._old: asyncio.Task[None] | None = None  # ending, or ended

    def attach(self, signalling: Signalling, media: MediaSession) -> None:
        """Give it the line to the hub, and what carries the sound."""
        self._signalling = signalling
        self._media = media

    def offer(self, sdp: str) -> None:
        """Send an offer to the hub.

        Raises:
            ConnectionError: there is no line to the hub now.
        """
        self._req = f"media-{secrets.token_hex(6)}"
        message = MediaOffer(req=self._req, sdp=sdp)
        if self._signalling is None or not self.joined.is_set():
            raise ConnectionError("not in a space")
        if not self._signalling.send(message):
            raise ConnectionError("no line to the hub")

    def take(self, message: HubMessage) -> bool:
        """Take what concerns the session alone; return whether the message did."""
        match message:
            case MediaAnswer(req=req, sdp=sdp):
                if self._media is not None and req == self._req:
                    self._media.answer(sdp)
            case MediaLost(spread_s=spread_s):
                if self._media is not None:
                    self._media.lost(spread_s)
            case _:
                return False
        return True

    def refuse(self, req: str | None, detail: str) -> None:
        """Take that the hub refused a request; the offer in flight may be that."""
        if self._media is not None and req is not None and req == self._req:
            self._media.refuse(detail)

    def sits(self, space: SpaceId) -> None:
        """Be in this space: media stays through a short break of the line alone.

        Another space has other media, and so has a hub that was started anew.
        """
        boot = self._signalling.boot if self._signalling is not None else None
        if self._task is not None and (boot, space) == self._of:
            return
        self._of = boot, space
        self._end()
        if self._media is not None:
            self._task = asyncio.create_task(self._carry(self._media, self._old))

    def mind(self, hears: bool) -> None:
        """Offer media only where there is sound for this box."""
        (self.joined.set if hears else self.joined.clear)()

    def leave(self) -> None:
        """End the media session, and offer none: the box is in no space."""
        self.joined.clear()
        self._end()

    async def stop(self) -> None:
        """End the session, and wait until it has."""
        self._end()
        if self._old is not None:
            await asyncio.wait([self._old])

    async def _carry(self, media: MediaSession, old: "asyncio.Task[None] | None") -> None:
        """Keep media up; two sessions at once would be taken for each other."""
        if old is not None:
            await asyncio.wait([old])
        await media.run(self.joined)

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._old, self._task = self._task, None
