"""A whole box in pure time: contacts, floor, gate, sender and lamp, with a hub that means ill.

Everything that decides is the real thing; the world only keeps its clock, and its own books of
contacts, frames and lamps, by which it judges. Nothing in the books is asked of the box.
"""

import random
from dataclasses import dataclass, field
from math import inf
from typing import Final

import numpy as np

from device.air import Air, in_order
from device.audio.gate import BLOCK_S, STALL_S, MicGate
from device.audio.ports import BLOCK_SAMPLES
from device.buttons.debounce import Debounce
from device.buttons.lamps import Color, Pattern
from device.buttons.ports import Key, KeyEvent
from device.buttons.script import ScriptPanel
from device.events import EventLog
from device.floor.conduct import Conduct
from device.floor.manner import Manner
from device.floor.model import (
    BurstOver,
    CutBurst,
    Effect,
    EndBurst,
    Event,
    KeyDown,
    KeyUp,
    Levels,
    MicrophoneOk,
    PingDue,
    Received,
    Say,
    Send,
    Show,
    Sparkle,
    StartBurst,
    Teach,
)
from device.floor.participant import Participant
from device.floor.space import is_audience, must_agree
from device.tally import Tally
from device.transmitter import Transmitter
from device.view.status import Status
from stagebox.media.opus import END_OF_BURST, Encoder
from stagebox.wire.messages import FloorGranted, FloorRequest, HubMessage, MemberMessage, Ping
from stagebox.wire.terms import Role, SpaceState

LEVELS_S: Final = 0.15
MUTE_S: Final = 0.020
# From the instant at which a contact opened to the last frame of what was captured by then:
# bounce, hang time, the drain, and a loop that looks every 150 ms.
DRAIN_S: Final = 0.100
SLACK: Final = 1e-6
QUIET: Final = bytes(2 * BLOCK_SAMPLES)
LOUD: Final = np.full(BLOCK_SAMPLES, 6_000, np.int16).tobytes()


@dataclass(frozen=True)
class Kind:
    """What kind of box it is."""

    role: Role = Role.GUEST
    keys: frozenset[Key] = frozenset(Key)
    latches: bool = False
    pre_roll_s: float = 0.24
    hang_s: float = 0.15
    duplex_s: float = 0.0  # how long the loudspeaker rings on after a press


@dataclass
class World:
    """The box, its clock and the books."""

    kind: Kind
    dice: random.Random
    now: float = 1_000.0
    asked: list[str] = field(default_factory=list)  # the box's requests for TALK
    pings: list[int] = field(default_factory=list)
    outbox: list[MemberMessage] = field(default_factory=list)
    contacts: set[Key] = field(default_factory=set)
    muted_at: float | None = None
    opened_at: float = -1e9  # when the contact of TALK opened last
    closed_at: float = -1e9  # and closed last
    frames: int = 0
    bursts: int = 0
    last_frame: float = -1e9
    lamp: Color = Color.OFF
    may_latch: bool = False  # a tap may have left the microphone open
    cause: str = "start"
    grants: str | None = None  # the request that the message of this moment grants
    stalls: bool = False
    line_full: bool = False

    def __post_init__(self) -> None:
        kind = self.kind
        self.floor = Participant("w-", max_talk_s=30.0, hang_s=kind.hang_s, latches=kind.latches)
        self.box = Conduct(self.floor, Manner(role=kind.role, keys=kind.keys))
        panel = ScriptPanel("", self._show)
        self.tally = Tally(panel, EventLog(None), Status("World"), lambda _on: None)
        self.transmitter = Transmitter(
            gate=MicGate(kind.pre_roll_s),
            encoder=_encoder(),
            observer=self.tally,
            sequence=0,
            timestamp=0,
        )
        self.transmitter.connect(self._send)
        self.air = Air(self.transmitter, lambda: self.closed_at + kind.duplex_s)
        self.debounce = Debounce()
        self.next_block = self.now
        self.next_levels = self.now
        self.next_tick = self.next_contact = inf
        self.is_stale = True
        self.spoiled = True
        self.tally.show(Show(self.box.state))

    # --- the books ----------------------------------------------------------------------

    def _show(self, pattern: Pattern) -> None:
        self.lamp = pattern.color

    def _send(self, payload: bytes, _sequence: int, _timestamp: int, _marker: bool) -> bool:
        assert self.lamp is Color.RED, "a packet left while the lamp was not red"
        if self.line_full:
            return False
        if payload != END_OF_BURST:
            self._judge_frame()
        return True

    def _judge_frame(self) -> None:
        self.frames += 1
        self.last_frame = self.now
        if self.muted_at is not None:
            assert self.now <= self.muted_at + MUTE_S, "heard through MUTE"
        assert self.kind.role is not Role.SPEAKER, "a listening speaker was heard"
        if Key.TALK not in self.contacts and not self.may_latch:
            late = self.now - self.opened_at
            assert late <= 0.02 + self.kind.hang_s + DRAIN_S + LEVELS_S, "heard without a finger"
        view = self.box.view
        assert view is not None, "heard outside a space"
        assert not must_agree(view), "recorded without a word"
        assert view.space.state is not SpaceState.FROZEN, "heard in a frozen space"
        assert not is_audience(view), "heard from the audience"

    def judge(self) -> None:
        """Check what must hold at any time."""
        is_red = self.lamp is Color.RED
        assert is_red == self.transmitter.is_on_air, "the lamp and the sender differ"
        if is_red:
            # A frame every 20 ms, or a microphone that was missed in time.
            assert self.now - self.last_frame <= STALL_S + LEVELS_S + 3 * BLOCK_S, "red for nothing"

    def _judge_opening(self) -> None:
        """A burst begins: by the finger that is down, or by the one that coughed."""
        self.bursts += 1
        assert not self.spoiled, f"opened after {self.cause}"
        if self.cause == "hub":
            assert Key.TALK in self.floor.down, "the hub opened a microphone"
            assert self.grants == self.asked[-1], "another press's grant"
        else:
            assert self.cause == "up", f"opened by {self.cause}"
            assert self.kind.latches, "a burst without a finger"
        assert self.muted_at is None or self.now <= self.muted_at, "opened with MUTE on"

    # --- the shell, as device.box ---------------------------------------------------------

    def feed(self, event: Event, cause: str) -> None:
        self.cause = cause
        self.is_stale = True
        self._apply(self.box.handle(event, self.now))
        self._settle()
        self.judge()

    def _settle(self) -> None:
        if self.air.is_over():
            self.feed(BurstOver(), "drained")

    def _apply(self, effects: list[Effect]) -> None:
        self.air.look()
        for effect in in_order(effects):
            match effect:
                case StartBurst():
                    self._judge_opening()
                    self.air.drive(effect, self.now)
                case EndBurst() | CutBurst():
                    self.air.drive(effect, self.now)
                case Show():
                    self.tally.show(effect)
                case Say(prompt=prompt):
                    self.tally.said(prompt, self.now)
                case Sparkle():
                    self.tally.sparkle(self.now)
                case Teach(lamp=lamp):
                    self.tally.overlay(lamp)
                case Send(message=message):
                    self._note_sent(message)
        self.tally.asks(self.box.asks)
        self.judge()

    def _note_sent(self, message: MemberMessage) -> None:
        self.outbox.append(message)
        match message:
            case FloorRequest(req=req, via="talk") if req not in self.asked:
                assert not self.spoiled, "asked without a fresh finger"
                self.asked.append(req)
            case Ping(n=n):
                self.pings.append(n)

    def _finger(self, edges: list[KeyEvent]) -> None:
        for edge in edges:
            if edge.key is Key.MUTE:
                self.spoiled = True
            if edge.key is Key.TALK:
                self._press(down=edge.down)
            kind = KeyDown if edge.down else KeyUp
            self.feed(kind(edge.key, edge.at), "down" if edge.down else "up")
            if edge.key is Key.TALK and not edge.down and not self.floor.is_latched:
                self.spoiled = True

    def _press(self, *, down: bool) -> None:
        if down and not self.floor.is_latched:
            self.spoiled = False
        self.may_latch = self.kind.latches

    # --- what happens -----------------------------------------------------------------------

    def contact(self, key: Key, *, down: bool) -> None:
        """Move a contact; one that is there already makes no edge."""
        if (key in self.contacts) == down:
            return
        (self.contacts.add if down else self.contacts.discard)(key)
        if key is Key.TALK:
            if down:
                self.closed_at = self.now
            else:
                self.opened_at = self.now
        if key is Key.MUTE:
            self.muted_at = self.now if down else None
        self.is_stale = True
        self._finger(self.debounce.edge(KeyEvent(key, down, self.now)))

    def lost_edge(self, key: Key) -> None:
        """Move a contact whose edge nobody hears."""
        down = key not in self.contacts
        (self.contacts.add if down else self.contacts.discard)(key)
        if key is Key.TALK:
            self.opened_at = self.now + 2 * LEVELS_S  # found by the levels, read twice
            self.may_latch = self.kind.latches
        if key is Key.MUTE:
            self.muted_at = self.now + LEVELS_S if down else None

    def hear(self, message: HubMessage, grants: str | None = None) -> None:
        self.grants = grants
        self.feed(Received(message), "hub")
        self.grants = None

    def grant(self, req: str, duration_s: float | None) -> None:
        self.hear(FloorGranted(req=req, duration_s=duration_s), req)

    def spoil(self, event: Event, cause: str) -> None:
        """Let something happen after which the press that is down may open nothing."""
        self.spoiled = True
        self.feed(event, cause)

    def microphone(self, ok: bool) -> None:
        if ok:
            self.feed(MicrophoneOk(True), "microphone")
        else:
            self.spoil(MicrophoneOk(False), "microphone")

    def media(self, up: bool) -> None:
        """Let the sound session come or go."""
        self.tally.media(up)
        self.transmitter.connect(self._send if up else None)
        self.judge()
        self.microphone(up)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while True:
            if self.is_stale:
                self.is_stale = False
                self.next_tick = _or_never(self.box.deadline)
                self.next_contact = _or_never(self.debounce.deadline)
            block = self.next_block + BLOCK_S
            due = min(block, self.next_levels, self.next_contact, self.next_tick)
            if due > end:
                break
            self.now = max(self.now, due)
            if due == block:
                self._block()
            elif due == self.next_levels:
                self._levels()
            elif due == self.next_contact:
                self._settled()
            else:
                self._tick()
            self.judge()
        self.now = end

    def _settled(self) -> None:
        self.is_stale = True
        self._finger(self.debounce.tick(self.now))

    def _tick(self) -> None:
        self.cause, self.is_stale = "time", True
        self._apply(self.box.tick(self.now))
        self._settle()

    def _block(self) -> None:
        start, self.next_block = self.next_block, self.next_block + BLOCK_S
        if self.stalls or self.kind.role is Role.SPEAKER:
            return
        self.transmitter.capture(LOUD if self.dice.random() < 0.7 else QUIET, start)
        self._settle()

    def _levels(self) -> None:
        self.next_levels = self.now + LEVELS_S
        self.transmitter.check(self.now)
        was = self.floor.down
        down = frozenset(self.contacts)
        self.feed(Levels(down), "levels")
        if (Key.TALK in was) != (Key.TALK in self.floor.down) or (
            Key.MUTE in was ^ self.floor.down
        ):
            self.spoiled = True
        self.debounce.correct(self.floor.down)
        self.is_stale = True

    def ping(self) -> None:
        self.feed(PingDue(), "ping")


def _or_never(time: float | None) -> float:
    return inf if time is None else time


_ENCODERS: list[Encoder] = []


def _encoder() -> Encoder:
    """Return the one encoder of all worlds, in its cheapest setting: it is reset at each burst."""
    if not _ENCODERS:
        _ENCODERS.append(Encoder(bitrate=12_000, complexity=0, fec=False))
    return _ENCODERS[0]
