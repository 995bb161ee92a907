"""The port of bridges: what an adapter of a far system implements, and nothing else it knows.

An adapter joins one room of one server, brings packets both ways and tells who is there.
When to join, where to sit, when to ask for the floor and when to try again is decided on
this side of the port, once for all systems. ``tests.support.bridge_contract`` is what
every adapter has to pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hub.bridges.terms import Abilities, Person
from stagebox.media.rtp import AudioPacket
from stagebox.wire.terms import Mark


@dataclass(frozen=True, slots=True)
class Ear:
    """What an adapter calls, on the event loop; neither waits or fails.

    ``heard(packet, now)``: Opus that came from the far side at ``now`` (monotonic seconds).
    ``people(roster)``: who is there, whenever that changes; the hub's own bridge left out.
    ``reacted(mark)``: somebody over there shows a mark.
    ``note(sentence)``: what people should know of it while it is joined; empty: nothing.
    """

    heard: Callable[[AudioPacket, float], None]
    people: Callable[[tuple[Person, ...]], None]
    note: Callable[[str], None] = lambda _sentence: None
    reacted: Callable[[Mark], None] = lambda _mark: None


class Far(Protocol):
    """One way to one room of a far system. It is used once: joined, then left."""

    @property
    def can(self) -> Abilities:
        """What the far system has of what a space has."""

    async def join(self, ear: Ear) -> None:
        """Be in the room, with sound both ways as far as the system has it, or fail.

        It has deadlines of its own.

        Raises:
            FarError: it could not be joined, and why.
        """

    async def stay(self) -> None:
        """Wait until it is over.

        Raises:
            FarError: always, in the end: why it is.
        """

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """Send one packet of Opus now; False: it could not be. Never waits, never fails."""

    def show(self, name: str) -> None:
        """Be called so over there from now on, if that can be changed. Never waits."""

    async def leave(self) -> None:
        """Be gone within 3 s, whatever the far side does; may be called at any time, twice."""


@runtime_checkable
class Moderates(Protocol):
    """What a ``Far`` can do, too, where the far side lets people give others the right to speak."""

    def permit(self, identity: str, *, speaks: bool) -> None:
        """Let somebody there speak from now on, or no longer. Never waits; the roster tells."""


@runtime_checkable
class Reacts(Protocol):
    """What a ``Far`` can do, too, where reactions can be shown over there."""

    def react(self, mark: Mark) -> None:
        """Show over there that somebody here shows a mark. Never waits, never fails."""
