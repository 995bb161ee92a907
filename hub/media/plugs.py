"""The main process's part of the sound when media processes carry the rest: plugged-in members.

Bridges live in the main process, which knows of floors and rosters; a space's trunk lives
in a media process. So here is one more ``HubMedia`` that is never a space's home: what is
said at a bridge goes to the home as from any other process, and what the space hears comes
back by the home's line.
"""

from collections.abc import Callable, Iterable
from typing import Final

from hub.media.fan import Send
from hub.media.mail import Gate, Home, Order, Sound, Voice, encode
from hub.media.placing import MAIN, Letter, Placing
from hub.media.plane import HubMedia, Outlets
from hub.media.report import MediaReport
from stagebox.media.rtp import AudioPacket

# What becomes of letters: ``post(letters)``; and of sound for one process, which may be lost.
Post = Callable[[Iterable[Letter]], None]
Offer = Callable[[int, bytes], None]

_HERE: Final = MAIN


class Plugs:
    """The members that are plugged in. ``spoke`` is called as ``MediaPlane.on_audio`` has it."""

    def __init__(self, placing: Placing, post: Post, offer: Offer) -> None:
        self._placing = placing
        self._post = post
        self._offer = offer
        self._media = HubMedia(Outlets(self._voice, self._hears))

    def on_audio(self, callback: Callable[[str], None]) -> None:
        """See ``MediaPlane``."""
        self._media.on_audio(callback)

    def plug(self, space_id: str, member_id: str, send: Send) -> None:
        """See ``MediaPlane``."""
        self._post(self._placing.plug(space_id, member_id))
        self._media.plug(space_id, member_id, send)

    def unplug(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self._media.unplug(space_id, member_id)
        self._placing.unplug(member_id)

    def say(self, space_id: str, member_id: str, packet: AudioPacket, now: float) -> None:
        """See ``MediaPlane``."""
        self._media.say(space_id, member_id, packet, now)

    def take(self, mail: Order | Sound) -> None:
        """Do what mail for this process says."""
        match mail:
            case Sound():
                self._media.sound(mail)
            case Home(space, process, epoch):
                self._media.follow(space, process, epoch)
            case Gate(space, member, is_open):
                act = self._media.open_gate if is_open else self._media.close_gate
                act(space, member)
            case _:
                pass  # what else there is concerns trunks and sessions, of which it has none

    def report(self) -> MediaReport:
        """See ``MediaPlane``."""
        return self._media.report()

    async def aclose(self) -> None:
        """See ``MediaPlane``."""
        await self._media.aclose()

    def _voice(self, processes: tuple[int, ...], mail: Voice | Sound) -> None:
        data = encode(mail)
        for process in processes:
            self._offer(process, data)

    def _hears(self, space_id: str, member_id: str, on: bool) -> None:
        self._post(self._placing.hears(_HERE, space_id, member_id, on=on))
