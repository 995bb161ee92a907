"""The seam between the hub's control plane and its sound."""

from collections.abc import Callable
from typing import Protocol

from hub.media.fan import Send
from hub.media.mail import Tape
from hub.media.report import MediaReport
from stagebox.media.rtp import AudioPacket

__all__ = ["BadOfferError", "MediaError", "MediaPlane", "Tape"]


class MediaError(Exception):
    """A media session could not be set up; the text says what to do."""


class BadOfferError(MediaError):
    """It is the offer that is at fault: sending it again will not help."""


class MediaPlane(Protocol):
    """Carries the sound of all spaces. Every call is made on the event loop's thread."""

    def on_audio(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(member_id)`` for a member's audio, at most 5 times a second each."""

    def on_lost(self, callback: Callable[[str, float], None]) -> None:
        """Call ``callback(member_id, spread_s)`` for a session that the hub lost.

        The member is to offer again, at a moment of its own within ``spread_s``.
        """

    async def connect(
        self, member_id: str, space_id: str, sdp: str, local_address: str | None
    ) -> str:
        """Answer a member's offer and let it hear ``space_id``; replaces its older session.

        ``local_address`` is the hub's end of the member's control connection: the one
        address both sides are known to reach, and so the only ICE candidate needed.

        Raises:
            BadOfferError: the offer is refused.
            MediaError: it could not be answered, or the set-up deadline passed.
        """

    def open_gate(self, space_id: str, member_id: str) -> None:
        """From now on this member's audio is heard in the space."""

    def close_gate(self, space_id: str, member_id: str) -> None:
        """From now on it is not; late packets are dropped and counted."""

    def set_volume(self, space_id: str, member_id: str, percent: int) -> None:
        """From now on this member is so loud for everybody; 100 is as it came.

        It is mixed then, even if nobody else talks. A change is spread over one frame.
        """

    def tape(self, space_id: str, on: bool) -> None:
        """From now on, or no longer, copies of what is said and heard go to ``on_tape``.

        Wishes are counted: what was turned on twice is to be turned off twice.
        """

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        """Call ``callback`` for each packet of an open microphone, then for what it became.

        For every taped space. It must not wait. Copies for which there is no room on
        their way are dropped and counted.
        """

    def plug(self, space_id: str, member_id: str, send: Send) -> None:
        """Let a member hear ``space_id`` by ``send``, which neither waits nor fails.

        It has no session: who plugs it in carries its sound, and says what it says by
        ``say``. Otherwise it is like all members.
        """

    def unplug(self, space_id: str, member_id: str) -> None:
        """Send it no more. Unknown members are no error."""

    def say(self, space_id: str, member_id: str, packet: AudioPacket, now: float) -> None:
        """Take a packet of a plugged-in member, which came at ``now``."""

    async def disconnect(self, member_id: str) -> None:
        """End the member's media session. Unknown members are no error."""

    def report(self) -> MediaReport:
        """Return what was counted so far, for /metrics."""

    async def aclose(self) -> None:
        """End all sessions."""
