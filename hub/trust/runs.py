"""One box that wants to be added: its connection, how far it is, what becomes of it."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from stagebox.wire.enrolment import EnrolFailure, EnrolledBox, HubEnrolment
from stagebox.wire.enrolment_messages import EnrolHello


class Wire(Protocol):
    """One WebSocket, as a run sees it."""

    async def send(self, text: str) -> None:
        """Send a text frame."""

    async def receive(self) -> str | bytes | None:
        """Return the next frame; None: it is closed."""


class Step(StrEnum):
    """How far a box is."""

    HELLO = "hello"
    CODE = "code"  # it waits for its code
    CHECKING = "checking"
    STORING = "storing"


class Outcome(StrEnum):
    """What became of a code."""

    ENROLLED = "enrolled"
    WRONG_CODE = "wrong_code"
    FAILED = "failed"
    CLOSED = "closed"


class CodeError(Exception):
    """A code was not tried, or not the right one."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


@dataclass(slots=True, eq=False)
class Run:
    """One box that wants to be added."""

    core: HubEnrolment
    wire: Wire
    address: str
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    done: asyncio.Future[EnrolledBox | EnrolFailure] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    step: Step = Step.HELLO
    deadline: asyncio.Timeout | None = None

    @property
    def hello(self) -> EnrolHello | None:
        """Who it says it is; nothing of it is proved."""
        return self.core.hello

    def end(self, result: EnrolledBox | EnrolFailure) -> None:
        """Say what became of it."""
        if not self.done.done():
            self.done.set_result(result)
