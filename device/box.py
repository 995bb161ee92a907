"""The box: carries what happens to the participant, and what it decides to the hardware.

No decisions are made here. Keys, hub messages, timers and devices become events of
``device.floor.participant``; its effects become packets, sounds and messages. The lamp is shown
by ``device.tally``, which listens to the sender and not to the hub.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.air import Air
from device.audio.health import DeviceState, DeviceStatus
from device.audio.output import Output
from device.buttons.debounce import Debounce
from device.buttons.ports import Key, KeyEvent, Panel, PanelError
from device.duplex import HalfDuplex
from device.events import EventLog
from device.floor.conduct import Conduct
from device.floor.model import (
    BurstOver,
    CutBurst,
    Effect,
    EndBurst,
    Enrol,
    Event,
    FloorState,
    Hush,
    KeyDown,
    KeyUp,
    Learn,
    Levels,
    LinkDown,
    LinkUp,
    Meant,
    MicrophoneOk,
    NoHub,
    Out,
    PingDue,
    Received,
    Say,
    Send,
    Show,
    Sparkle,
    StartBurst,
    Taught,
    Teach,
    Volume,
)
from device.floor.prompts import Prompt
from device.knob import VolumeKnob
from device.lessons import Lessons
from device.link.signalling import LinkState, Signalling
from device.media import MediaSession
from device.tally import Tally
from device.teller import Teller
from device.transmitter import Transmitter
from device.trust.errand import Tell
from device.trust.wiping import Wiper
from device.view.facts import REPORT_S
from device.view.monitor import Monitor
from device.view.status import Status
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Peer
from stagebox.wire.messages import (
    Error,
    HubMessage,
    MediaAnswer,
    MediaLost,
    MediaOffer,
    Snapshot,
)
from stagebox.wire.terms import SpaceId

# Down when the box starts, these ask it to explain itself.
_ASKS: Final = frozenset({Key.HAND, Key.STATUS})
# A lost key-up is a stuck microphone: the levels are read again this often.
LEVELS_S: Final = 0.15

# What a finger that asks for the hub is told, where that is more than that it is away.
_NO_HUB: Final = {
    LinkState.NOT_ENROLLED: Prompt.NOT_ENROLLED,
    LinkState.NOT_KNOWN: Prompt.NOT_KNOWN,
    LinkState.WAITING: Prompt.NOT_LET_IN,
    LinkState.STRANGE_HUB: Prompt.STRANGE_HUB,
}
# Everything else about the line to the hub is a warning.
_LOUDNESS: Final = {LinkState.UP: logging.INFO, LinkState.CONNECTING: logging.INFO}

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Parts:
    """What a box is made of; made and closed by ``device.app``."""

    floor: Conduct
    panel: Panel
    output: Output
    transmitter: Transmitter
    tally: Tally
    duplex: HalfDuplex
    events: EventLog
    status: Status
    teller: Teller
    knob: VolumeKnob
    lessons: Lessons
    air: Air


class Box:
    """Owns the participant. Everything here runs on the event loop."""

    def __init__(self, parts: Parts, *, first_sound: str) -> None:
        """``first_sound``: the ``on_started`` event after which ``sounding`` is set."""
        self._first_sound = first_sound
        self.sounding = asyncio.Event()
        self._parts = parts
        self._monitor = Monitor(parts.output, parts.events, parts.status)
        self._count_xruns: Callable[[], int] = lambda: 0
        self._fetch: Callable[[], None] = lambda: None
        self._enrol: Callable[[], None] = lambda: None
        self._wiper: Wiper | None = None
        self._has_panel = False
        self._signalling: Signalling | None = None
        self._media: MediaSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._microphone_ok = False
        self._contacts = Debounce()
        self._broken: set[str] = set()
        self._peer: Peer | None = None
        self._media_req = ""
        self._media_of: tuple[str | None, SpaceId] | None = None
        self._media_task: asyncio.Task[None] | None = None
        self._media_old: asyncio.Task[None] | None = None  # ending, or ended
        self.joined = asyncio.Event()  # in a space whose sound is for this box
        self.ready = asyncio.Event()  # that, and its sound arrives

    def attach(
        self,
        signalling: Signalling,
        media: MediaSession,
        count_xruns: Callable[[], int],
        fetch: Callable[[], None],
        enrol: Callable[[], None],
    ) -> None:
        """Give the box its line to the hub, its media session, and who counts its xruns.

        ``fetch`` has the microphone hand over what waits: before anything that may open it.
        ``enrol`` looks for a hub of its own.
        """
        self._enrol = enrol
        self._signalling = signalling
        self._media = media
        self._count_xruns = count_xruns
        self._fetch = fetch

    def wipes(self, wiper: Wiper) -> None:
        """Tell ``wiper`` of the key that wipes the box, from power-on on."""
        self._wiper = wiper

    async def run(self) -> None:
        """Beat, watch the levels and report, until cancelled."""
        self._parts.tally.show(Show(self._parts.floor.state))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat())
                group.create_task(self._watch())
                group.create_task(self._monitor.run())
                group.create_task(self._report())
                if self._parts.teller.voice is not None:
                    group.create_task(self._parts.teller.voice.run())
        finally:
            self._apply([CutBurst()])
            if self._timer is not None:
                self._timer.cancel()
            await self._stop_media()

    def start_panel(self) -> None:
        """Begin to take keys. Without its panel a box still plays, and says what is wrong."""
        try:
            self._parts.panel.start(self.on_key)
        except PanelError as error:
            self.on_problem("panel", str(error))
        self._parts.tally.relight()
        down = self._down()
        self._has_panel = True
        self._mind_reset(down)
        self._feed(Levels(down))
        if self._parts.teller.voice is not None and (self._parts.lessons.are_due or down & _ASKS):
            self._feed(Learn())

    # --- what happens -----------------------------------------------------------

    def on_key(self, event: KeyEvent) -> None:
        """Take an edge from the panel."""
        self._fetch()
        self._finger(self._contacts.edge(event))
        self._arm()

    def on_message(self, message: HubMessage) -> None:
        """Take a message from the hub."""
        self._fetch()
        match message:
            case MediaAnswer(req=req, sdp=sdp) if self._media is not None:
                if req == self._media_req:
                    self._media.answer(sdp)
            case MediaLost(spread_s=spread_s):
                if self._media is not None:
                    self._media.lost(spread_s)
            case Error(req=req, code=code, detail=detail):
                self._parts.events.emit("error", code=code, detail=detail)
                if self._media is not None and req is not None and req == self._media_req:
                    self._media.refuse(detail)
                self._feed(Received(message))
            case _:
                self._feed(Received(message))
        if isinstance(message, Snapshot):
            self._joined(message.space.id)
        self._mind_the_door()

    def on_link(self, state: LinkState, detail: str) -> None:
        """Take a change of the line to the hub."""
        status = self._parts.status
        status.link, status.link_detail = state, detail
        self._feed(NoHub(_NO_HUB.get(state, Prompt.LINK_LOST)))
        self._parts.events.emit("link", state=state, detail=detail)
        _log.log(_LOUDNESS.get(state, logging.WARNING), "hub: %s. %s", state, detail)
        if state is LinkState.UP and self._signalling is not None:
            self._feed(LinkUp())
            if self._signalling.welcome is not None:
                self._feed(Received(self._signalling.welcome))
        elif self._parts.floor.state is not FloorState.OFFLINE:
            self.joined.clear()
            self._feed(LinkDown())

    def tell(self, what: Tell) -> None:
        """Tell whoever stands before the box how it goes with its enrolment."""
        self._apply([Say(what.prompt, what.number, name=what.name)])

    def say(self, said: list[Say]) -> None:
        """Tell whoever stands before the box what is new of its network."""
        self._apply([*said])

    def show_enrolling(self, on: bool) -> None:
        """Take whether the box waits to be joined to a hub."""
        self._parts.tally.overlay("pairing" if on else None)

    def on_device(self, kind: str, state: DeviceState) -> None:
        """Take a change of the microphone or the loudspeaker."""
        self._parts.events.emit(
            "device", kind=kind, state=state.status, label=state.label, detail=state.detail
        )
        trouble = f"{state.status}. {state.detail}"
        ready = state.status is DeviceStatus.READY
        self._parts.status.devices[kind] = state.label if ready else trouble
        (self._broken.discard if ready else self._broken.add)(kind)
        self._parts.tally.sound(not self._broken)
        if kind == "microphone":
            self._microphone_ok = ready
            self._feed_microphone()

    @property
    def has_sound(self) -> bool:
        """Whether the sound devices are there, after they were looked for."""
        return bool(self._parts.status.devices) and not self._broken

    def on_started(self, event: str, at: float) -> None:
        """Take the instant of the first sample of a sound device."""
        if event == self._first_sound:
            self.sounding.set()
        self._parts.events.emit(event, at=at)

    def on_problem(self, code: str, detail: str | None) -> None:
        """Take something that is wrong and that the box itself cannot mend; None: it is over."""
        if detail is None:
            _log.info("%s: all right again", code)
            self._parts.events.emit("mended", code=code)
            return
        _log.warning("%s: %s", code, detail)
        self._parts.events.emit("error", code=code, detail=detail)

    def on_block(self, pcm: bytes, start: float) -> None:
        """Take a block of 10 ms from the microphone."""
        self._monitor.hear(pcm)
        self._parts.transmitter.capture(pcm, start)
        self._settle()

    def on_packet(self, packet: AudioPacket, now: float) -> None:
        """Take a packet of the programme."""
        self._parts.output.put(packet, now)

    def on_peer(self, peer: Peer | None) -> None:
        """Take the media session that is connected now, or that there is none."""
        self._peer = peer
        self._parts.events.emit("media", state="up" if peer is not None else "down")
        self._parts.tally.media(peer is not None)
        self._parts.transmitter.connect(peer.send if peer is not None else None)
        if peer is not None:
            self.ready.set()
        self._feed_microphone()

    def offer(self, sdp: str) -> None:
        """Send an offer to the hub.

        Raises:
            ConnectionError: there is no line to the hub now.
        """
        self._media_req = _name("media")
        message = MediaOffer(req=self._media_req, sdp=sdp)
        if self._signalling is None or not self.joined.is_set():
            raise ConnectionError("not in a space")
        if not self._signalling.send(message):
            raise ConnectionError("no line to the hub")

    # --- private ----------------------------------------------------------------

    def _feed_microphone(self) -> None:
        # Without a media session a press could only hold the floor in silence.
        self._feed(MicrophoneOk(self._microphone_ok and self._peer is not None))

    def _finger(self, edges: list[KeyEvent]) -> None:
        for edge in edges:
            self._parts.events.emit("key", at=edge.at, key=edge.key, down=edge.down)
            kind = KeyDown if edge.down else KeyUp
            self._feed(kind(edge.key, edge.at))

    def _feed(self, event: Event) -> None:
        self._apply(self._parts.floor.handle(event, asyncio.get_running_loop().time()))
        self._arm()
        self._settle()

    def _settle(self) -> None:
        """Tell the participant, once, that the burst which it ended has left."""
        if self._parts.air.is_over():
            self._feed(BurstOver())

    def _tick(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        self._finger(self._contacts.tick(now))
        self._apply(self._parts.floor.tick(now))
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = (self._parts.floor.deadline, self._contacts.deadline)
        deadline = min((time for time in times if time is not None), default=None)
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._tick)

    def _apply(self, effects: list[Effect]) -> None:
        self._parts.duplex.claim(self._parts.floor.state)
        self._parts.teller.settle()
        for effect in effects:
            self._apply_one(effect)
        self._parts.tally.asks(self._parts.floor.asks)
        self._monitor.show(self._parts.floor.state, self._parts.floor.view)

    def _apply_one(self, effect: Effect) -> None:
        match effect:
            case Send(message):
                if self._signalling is not None:
                    self._signalling.send(message)
            case Say():
                self._parts.teller.tell(effect)
                self._parts.tally.said(effect.prompt, asyncio.get_running_loop().time())
            case Out():
                self._leave()
            case Enrol():
                self._enrol()
            case StartBurst() | EndBurst() | CutBurst():
                self._parts.air.drive(effect, asyncio.get_running_loop().time())
            case _:
                self._tell(effect)

    def _tell(self, effect: Show | Sparkle | Volume | Meant | Hush | Teach | Taught) -> None:
        """Let what concerns no microphone be seen and heard."""
        match effect:
            case Show():
                self._parts.tally.show(effect)
            case Sparkle():
                self._parts.tally.sparkle(asyncio.get_running_loop().time())
            case Volume(steps):
                self._turn(steps)
            case Meant(gesture, act, words):
                self._parts.events.emit("gesture", gesture=gesture, act=act, words=words)
            case Hush():
                self._parts.teller.hush()
            case Teach(lamp):
                self._parts.tally.teach(lamp)
            case Taught():
                self._parts.lessons.learnt()

    def _turn(self, steps: int) -> None:
        knob = self._parts.knob
        knob.turn(steps, asyncio.get_running_loop().time())
        self._parts.events.emit("volume", percent=knob.percent)

    def _joined(self, space: SpaceId) -> None:
        """Once in a space: media stays through a short break of the line alone.

        Another space has other media, and so has a hub that was started anew.
        """
        boot = self._signalling.boot if self._signalling is not None else None
        if self._media_task is not None and (boot, space) == self._media_of:
            return
        self._media_of = boot, space
        self._end_media()
        if self._media is not None:
            self._media_task = asyncio.create_task(self._carry(self._media, self._media_old))

    async def _carry(self, media: MediaSession, old: "asyncio.Task[None] | None") -> None:
        """Keep media up; two sessions at once would be taken for each other."""
        if old is not None:
            await asyncio.wait([old])
        await media.run(self.joined)

    def _end_media(self) -> None:
        if self._media_task is not None:
            self._media_task.cancel()
            self._media_old, self._media_task = self._media_task, None

    def _mind_the_door(self) -> None:
        """Offer media only where there is sound for this box."""
        (self.joined.set if self._parts.floor.hears else self.joined.clear)()

    def _leave(self) -> None:
        """End the media session, and offer none: the box is in no space."""
        self.joined.clear()
        self._end_media()

    async def _stop_media(self) -> None:
        self._end_media()
        if self._media_old is not None:
            await asyncio.wait([self._media_old])

    def _mind_reset(self, down: frozenset[Key]) -> None:
        if self._wiper is not None and self._has_panel:
            self._wiper.look(down=Key.TALK in down, now=asyncio.get_running_loop().time())

    def _down(self) -> frozenset[Key]:
        return frozenset(key for key in Key if self._parts.panel.is_down(key))

    async def _beat(self) -> None:
        while True:
            self._feed(PingDue())
            await asyncio.sleep(self._parts.floor.heartbeat_s)

    async def _report(self) -> None:
        """Tell the hub how the box is doing."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        facts = self._monitor.facts
        while True:
            await asyncio.sleep(REPORT_S)
            facts.answered(self._parts.floor.round_trip_s)
            health = facts.take(
                xruns=self._count_xruns(),
                uptime_s=loop.time() - started,
                media=self._peer is not None,
            )
            if self._signalling is not None:
                self._signalling.send(health)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LEVELS_S)
            self._parts.transmitter.check(loop.time())
            down = self._down()
            self._parts.status.down = tuple(sorted(down))
            self._parts.tally.down(down)
            self._mind_reset(down)
            self._feed(Levels(down))
            self._contacts.correct(self._parts.floor.down)


def _name(what: str) -> str:
    """Return a new name for a request."""
    return f"{what}-{secrets.token_hex(6)}"
