"""Makes what a box has to do with its hub: finding it, belonging to it, talking with it."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from device import hardware
from device.box import Box
from device.config import BoxConfig
from device.events import EventLog
from device.link.candidates import HubChoice
from device.link.dial import Facts
from device.link.hubs import KnownHubs
from device.link.reconnect import Reconnect
from device.link.signalling import Signalling
from device.media import MediaSession
from device.netwatch import NetWatch
from device.parts import Ground
from device.sitting import Sitting
from device.tally import Tally
from device.trust.belonging import Belonging
from device.trust.hold import ResetHold
from device.trust.kept import Kept
from device.trust.office import Desk, Office
from device.trust.wiping import Wiper
from stagebox.identity import Identity
from stagebox.installed import software
from stagebox.wire.terms import Kind


@dataclass(frozen=True, slots=True)
class Line:
    """What has to do with the hub and the way to it."""

    signalling: Signalling
    browse: Callable[[], Coroutine[Any, Any, None]]
    office: Office
    netwatch: NetWatch
    kept: Kept


def make_line(ground: Ground, box: Box) -> Line:
    """Return what looks for a hub, belongs to one, and talks with it."""
    config, kept_in, tally = ground.config, ground.kept_in, box.parts.tally
    problem = box.parts.complaints.problem
    identity = Identity.load_or_create(kept_in)
    kept, hubs = _hubs(config, kept_in)
    signalling = Signalling(
        identity,
        Facts(config.name, Kind.BOX, config.role, software()),
        hubs,
        box.on_message,
        box.on_link,
        partial(problem, "other_hub"),
    )
    reveal = _reveal(ground.events, ground.simulation)
    desk = Desk(box.tell, box.show_enrolling, reveal, signalling.reopen)
    office = Office(identity, config.name, config.role, kept, hubs, desk)
    netwatch = NetWatch(box.say, tally.network)
    over = _after(ground.stop)
    box.wipes(Wiper(kept_in, box.tell, partial(_ask, tally), netwatch.forget, over, ResetHold()))
    browse = partial(hubs.run, signalling.kick, partial(problem, "discovery"))
    return Line(signalling, browse, office, netwatch, kept)


def make_media(
    box: Box, sitting: Sitting, signalling: Signalling, *, listens_only: bool
) -> MediaSession:
    return MediaSession(
        direction="recvonly" if listens_only else "sendrecv",
        local_address=lambda: signalling.local_address,
        send_offer=sitting.offer,
        on_packet=box.on_packet,
        on_peer=box.on_peer,
        reconnect=Reconnect(random.random),
    )


def _hubs(config: BoxConfig, kept_in: Path) -> tuple[Kept, KnownHubs]:
    """Return what the box keeps of its hub, and where it looks for it."""
    kept = Kept(kept_in)
    kept.age()
    choice = HubChoice(config.hub, config.hub_id, config.any_hub)
    return kept, KnownHubs(choice, kept_in, Belonging(kept, config.hub_pin))


def _ask(tally: Tally, on: bool) -> None:
    tally.overlay("confirm" if on else None)


def _after(stop: asyncio.Event) -> Callable[[float], None]:
    """Return what ends the box after so many seconds."""

    def end(seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, stop.set)

    return end


def _reveal(events: EventLog, simulation: hardware.Simulation | None) -> Callable[[str], None]:
    """Return who is told the code in figures: a simulator's user, whose box may have no voice."""
    if simulation is None:
        return lambda _code: None
    return lambda code: events.emit("enrol_code", code=code)
