"""Carries out what the participant decides: messages, sounds, lights, and the microphone."""

import asyncio
from collections.abc import Callable, Iterable

from device.air import in_order
from device.floor.model import (
    CutBurst,
    Effect,
    EndBurst,
    Enrol,
    Hush,
    Meant,
    Out,
    Say,
    Send,
    Show,
    Sparkle,
    StartBurst,
    Taught,
    Teach,
    Volume,
)
from device.parts import Parts
from stagebox.wire.messages import MemberMessage


class Deeds:
    """``send``, ``leave`` and ``enrol`` are whom it asks; they are given when there is a hub."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.send: Callable[[MemberMessage], object] = lambda _message: None
        self.leave: Callable[[], None] = lambda: None
        self.enrol: Callable[[], None] = lambda: None

    def do(self, effects: Iterable[Effect]) -> None:
        """Carry out what comes of one event, in this order; the floor's state is known first."""
        parts = self._parts
        parts.duplex.claim(parts.floor.state)
        parts.teller.settle()
        parts.air.look()
        for effect in in_order(effects):
            self._do_one(effect)
        parts.tally.asks(parts.floor.asks)

    def _do_one(self, effect: Effect) -> None:
        match effect:
            case Send(message):
                self.send(message)
            case Say():
                self._parts.teller.tell(effect)
                self._parts.tally.said(effect.prompt, _now())
            case Out():
                self.leave()
            case Enrol():
                self.enrol()
            case StartBurst() | EndBurst() | CutBurst():
                self._parts.air.drive(effect, _now())
            case _:
                self._tell(effect)

    def _tell(self, effect: Show | Sparkle | Volume | Meant | Hush | Teach | Taught) -> None:
        """Let what concerns no microphone be seen and heard."""
        parts = self._parts
        match effect:
            case Show():
                parts.tally.show(effect)
            case Sparkle():
                parts.tally.sparkle(_now())
            case Volume(steps):
                parts.knob.turn(steps, _now())
                parts.events.emit("volume", percent=parts.knob.percent)
            case Meant(gesture, act, words):
                parts.events.emit("gesture", gesture=gesture, act=act, words=words)
            case Hush():
                parts.teller.hush()
            case Teach(lamp):
                parts.tally.teach(lamp)
            case Taught():
                parts.lessons.learnt()


def _now() -> float:
    return asyncio.get_running_loop().time()
