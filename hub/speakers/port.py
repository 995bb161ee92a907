"""The port of speakers: what an adapter of one kind of speaker implements.

An adapter finds speakers and makes players of them. Which speaker is to play which space,
and when it is tried again, is decided on this side of the port, once for all kinds.
``tests.support.speaker_contract`` is what every adapter has to pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hub.speakers.terms import Announced, Found, Kind, Sound, Told


@dataclass(frozen=True, slots=True)
class Ear:
    """What an adapter calls, on the event loop, when it learns of a speaker; neither fails.

    ``found(speaker)``: it is there, or has another name or address now; may be repeated.
    ``gone(id)``: it said goodbye or was not seen for long. One that plays may stay unheard.
    """

    found: Callable[[Found], None]
    gone: Callable[[str], None]


class Adapter(Protocol):
    """One kind of speaker. Made with what it needs to look; used from ``run`` on."""

    @property
    def kind(self) -> Kind:
        """The kind of all that it finds."""

    @property
    def services(self) -> tuple[str, ...]:
        """The mDNS types it wants to hear of, such as ``_googlecast._tcp.local.``; may be none."""

    async def run(self, ear: Ear) -> None:
        """Look for speakers until cancelled, through any trouble; leave nothing behind then."""

    def announced(self, service: Announced) -> None:
        """Know of a service that mDNS announces, or of its new address. Never waits or fails.

        May come before ``run``; may come for something that is no speaker at all.
        """

    def withdrawn(self, service: str, name: str) -> None:
        """Know that mDNS does not announce it any more. Never waits or fails."""

    def player(self, speaker: Found) -> "Player":
        """Return what plays on a speaker, for one try."""


class Player(Protocol):
    """One try to play on one speaker. It is used once: played, then stopped."""

    async def play(self, sound: Sound, told: Callable[[Told], None]) -> None:
        """Play until ``stop``; return once the speaker says that it does. ``told`` never fails.

        It has deadlines of its own, 10 s in all at most.

        Raises:
            SpeakerError: it does not play, and why.
        """

    async def stay(self) -> None:
        """Wait until it plays no longer. May be cancelled and called again.

        Raises:
            SpeakerError: always, in the end: why it does not. ``STOPPED_THERE`` or ``TAKEN`` only
                if a person did it; what broke is ``LOST``.
        """

    async def set_volume(self, level: float) -> None:
        """Set the speaker's own volume, 0 to 1. Only between ``play`` and ``stop``; ``told`` of it.

        Raises:
            SpeakerError: it does not take it.
        """

    async def stop(self) -> None:
        """Be silent and gone within 3 s, whatever the speaker does.

        May be called at any time, twice, and by a hub that ends. Something else that a
        person plays there meanwhile is left alone.
        """
