"""The words of setting up the network: what happens, and what is done about it. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from provisioning.network.wifi import Seen, Wifi
from stagebox.netstate import NetworkStep

# What the profiles are called in NetworkManager.
PROFILE: Final = "stagebox"
HOTSPOT_PROFILE: Final = "stagebox-setup"
CABLE_PROFILE: Final = "stagebox-cable"


class Phase(StrEnum):
    """Where the set-up stands."""

    START = "start"
    IDLE = "idle"  # nothing to try
    LISTENING = "listening"  # never set up: a cable may still come before the hotspot does
    CABLE = "cable"
    JOINING = "joining"
    PROBING = "probing"  # joined, and is the hub there?
    RETRY = "retry"  # the boot file's network did not work; later again
    ONLINE = "online"
    AWAY = "away"  # a stored network is waited for
    SCANNING = "scanning"
    RAISING = "raising"
    HOTSPOT = "hotspot"
    NO_MANAGER = "no_manager"


class Timer(StrEnum):
    """What is waited for, one of each at a time."""

    CABLE = "cable"
    JOIN = "join"
    RETRY = "retry"
    GRACE = "grace"
    LOOK = "look"
    SCAN = "scan"
    RAISE = "raise"
    WINDOW = "window"
    MANAGER = "manager"


class Cause(StrEnum):
    """Why a network is not there."""

    WRONG_KEY = "wrong_key"
    NO_ADDRESS = "no_address"
    NOT_FOUND = "not_found"
    NO_ROUTE = "no_route"
    FAILED = "failed"
    GONE = "gone"  # it was there


@dataclass(frozen=True, slots=True)
class Window:
    """The set-up hotspot's time: its key, what is in reach, and whether somebody asked for it."""

    key: str
    was_asked: bool
    networks: tuple[Seen, ...] = ()
    failure: Cause | None = None


class Event:
    """Something that happened."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A network to join, where the radio is, and the hub that should be there."""

    wifi: Wifi
    country: str | None
    hub: str | None = None
    from_file: bool = True


@dataclass(frozen=True, slots=True)
class FileFault:
    """A boot file that cannot be used: which key, and its line."""

    key: str
    line: int


@dataclass(frozen=True, slots=True)
class Started(Event):
    """NetworkManager answers. ``profile``: the name of a stored Wi-Fi network, or None.

    ``online``: the network that the radio is in already. ``country``: where it is, if known.
    """

    has_radio: bool
    profile: str | None
    is_wired: bool
    online: str | None = None
    country: str | None = None
    file: Target | FileFault | None = None


@dataclass(frozen=True, slots=True)
class FileChanged(Event):
    """The boot file is another one now."""

    file: Target | FileFault


@dataclass(frozen=True, slots=True)
class Wired(Event):
    """A cable has an address, or has it no longer."""

    is_up: bool


@dataclass(frozen=True, slots=True)
class Up(Event):
    """The radio has an address by ``profile``."""

    profile: str
    ssid: str
    has_gateway: bool


@dataclass(frozen=True, slots=True)
class Down(Event):
    """The radio has lost its network, or did not get into it."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Probed(Event):
    """Whether the hub answers."""

    is_there: bool


@dataclass(frozen=True, slots=True)
class Scanned(Event):
    """What is in reach."""

    networks: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Asked(Event):
    """Somebody holds the key for the set-up hotspot, whose fresh key this is."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wiped(Event):
    """The box has forgotten everything, and what it joined by is to be forgotten, too."""


@dataclass(frozen=True, slots=True)
class Submitted(Event):
    """The page was filled in."""

    target: Target


@dataclass(frozen=True, slots=True)
class Expired(Event):
    """A timer has run out. ``key``: a fresh one, for a hotspot that is due now."""

    timer: Timer
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ManagerGone(Event):
    """NetworkManager does not answer any more."""


class Effect:
    """Something to do."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Tell(Effect):
    """Publish a step for the box to say and show."""

    step: NetworkStep
    detail: str = ""
    line: int = 0
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SetCountry(Effect):
    """Tell the kernel where the radio is, before it is used."""

    country: str


@dataclass(frozen=True, slots=True)
class Join(Effect):
    """Make a checkpoint, store the network and join it."""

    wifi: Wifi


@dataclass(frozen=True, slots=True)
class Keep(Effect):
    """Drop the checkpoint, and the network that was stored before."""


@dataclass(frozen=True, slots=True)
class Undo(Effect):
    """Go back to the checkpoint."""


@dataclass(frozen=True, slots=True)
class Forget(Effect):
    """Remove each network that was set up here, then look how things stand."""


@dataclass(frozen=True, slots=True)
class Probe(Effect):
    """Ask whether the hub answers."""

    hub: str


@dataclass(frozen=True, slots=True)
class Scrub(Effect):
    """Remove the key from the boot file."""


@dataclass(frozen=True, slots=True)
class Look(Effect):
    """Look around, so that a network that is back is seen soon."""


@dataclass(frozen=True, slots=True)
class Reconnect(Effect):
    """Try the stored network again, which NetworkManager has given up."""


@dataclass(frozen=True, slots=True)
class Scan(Effect):
    """Look around, and report what is in reach."""


@dataclass(frozen=True, slots=True)
class Raise(Effect):
    """Open the hotspot, and its page once it is up."""

    key: str = field(repr=False)
    networks: tuple[Seen, ...] = ()
    failure: Cause | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Lower(Effect):
    """Close the page and the hotspot."""


@dataclass(frozen=True, slots=True)
class Arm(Effect):
    """Start a timer anew."""

    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class Disarm(Effect):
    """Stop a timer."""

    timer: Timer
