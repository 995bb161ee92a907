"""The box: carries what happens to the participant, and what it decides to the hardware.

No decisions are made here. Keys, hub messages, timers and devices become events of
``device.floor.participant``; its effects become packets, sounds and messages. The lamp is shown
by ``device.tally``, which listens to the sender and not to the hub.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from device.audio.health import DeviceState, DeviceStatus
from device.buttons.debounce import Debounce
from device.buttons.panellink import Trouble
from device.buttons.ports import Key, KeyEvent, PanelError
from device.deeds import Deeds
from device.floor.model import (
    BurstOver,
    CutBurst,
    Effect,
    Event,
    FloorState,
    KeyDown,
    KeyUp,
    Learn,
    Levels,
    LinkDown,
    LinkUp,
    MicrophoneOk,
    NoHub,
    PingDue,
    Received,
    Say,
    Show,
)
from device.floor.prompts import Prompt
from device.link.signalling import LinkState, Signalling
from device.parts import Parts
from device.sitting import Sitting
from device.trust.errand import Tell
from device.trust.wiping import Wiper
from device.view.facts import REPORT_S
from device.view.monitor import Monitor
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Peer
from stagebox.wire.messages import (
    Error,
    HubMessage,
    Snapshot,
)

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
        self._deeds = Deeds(parts)
        self._sitting = Sitting()
        self._wiper: Wiper | None = None
        self._has_panel = False
        self._signalling: Signalling | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._microphone_ok = False
        self._contacts = Debounce()
        self._peer: Peer | None = None
        self.ready = asyncio.Event()  # that, and its sound arrives

    def attach(
        self,
        signalling: Signalling,
        sitting: Sitting,
        count_xruns: Callable[[], int],
        fetch: Callable[[], None],
        enrol: Callable[[], None],
    ) -> None:
        """Give the box its line to the hub, its sound with it, and who counts its xruns.

        ``fetch`` has the microphone hand over what waits: before anything that may open it.
        ``enrol`` looks for a hub of its own.
        """
        self._signalling = signalling
        self._sitting = sitting
        deeds = self._deeds
        deeds.send, deeds.leave, deeds.enrol = signalling.send, sitting.leave, enrol
        self._count_xruns = count_xruns
        self._fetch = fetch

    @property
    def parts(self) -> Parts:
        """What it is made of."""
        return self._parts

    def feels(self) -> bool:
        """Whether what is pressed arrives: the sign of life of the thread behind the keys."""
        return not self._contacts.hangs

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
            await self._sitting.stop()

    def start_panel(self) -> None:
        """Begin to take keys. Without its panel a box still plays, and says what is wrong."""
        try:
            self._parts.panel.start(self.on_key)
        except PanelError as error:
            self._parts.complaints.problem("panel", str(error))
        self._parts.tally.relight()
        down = self._down()
        self._has_panel = True
        self._mind_reset(down)
        self._feed(Levels(down))
        self._contacts.begin(self._parts.floor.down)
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
        if self._sitting.take(message):
            return
        if isinstance(message, Error):
            self._parts.events.emit("error", code=message.code, detail=message.detail)
            self._sitting.refuse(message.req, message.detail)
        self._feed(Received(message))
        if isinstance(message, Snapshot):
            self._sitting.sits(message.space.id)
        self._sitting.mind(self._parts.floor.hears)

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
            self._sitting.joined.clear()
            self._feed(LinkDown())

    def tell(self, what: Tell) -> None:
        """Tell whoever stands before the box how it goes with its enrolment."""
        self._apply([Say(what.prompt, what.number, name=what.name)])

    def say(self, said: list[Say]) -> None:
        """Tell whoever stands before the box what nobody asked for."""
        self._apply([*said])

    def show_enrolling(self, on: bool) -> None:
        """Take whether the box waits to be joined to a hub."""
        self._parts.tally.overlay("pairing" if on else None)

    def on_device(self, kind: str, state: DeviceState) -> None:
        """Take a change of the microphone or the loudspeaker."""
        self._parts.complaints.device(kind, state)
        if kind == "microphone":
            self._microphone_ok = state.status is DeviceStatus.READY
            self._feed_microphone()

    def on_started(self, event: str, at: float) -> None:
        """Take the instant of the first sample of a sound device."""
        if event == self._first_sound:
            self.sounding.set()
        self._parts.events.emit(event, at=at)

    def on_panel(self, trouble: str, kind: Trouble | None) -> None:
        """Take how the panel on a cable does: what is wrong in a sentence; empty: nothing."""
        self.say(self._parts.complaints.panel(trouble, kind))

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
        self._deeds.do(effects)
        self._monitor.show(self._parts.floor.state, self._parts.floor.view)

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
