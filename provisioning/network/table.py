"""Which event counts in which phase, and what takes it: the machine's table, as data. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from provisioning.network import terms as t
from provisioning.network.terms import Cause, Event, Phase, Timer
from stagebox.netstate import NetworkStep

# An event's type, and which timer it was, if it was one.
Kind = type[Event] | Timer


def kind_of(event: Event) -> Kind:
    """Return what the table knows an event by."""
    return event.timer if isinstance(event, t.Expired) else type(event)


# These count in each phase.
ALWAYS: Final[Mapping[Kind, str]] = MappingProxyType(
    {t.Started: "on_started", t.ManagerGone: "on_manager_gone", t.Wiped: "on_wiped"}
)
_FILE: Final[Mapping[Kind, str]] = {t.FileChanged: "on_file"}
_ASK: Final[Mapping[Kind, str]] = {t.Asked: "on_asked"}
_FREE: Final[Mapping[Kind, str]] = {**_FILE, **_ASK}
_TRYING: Final[Mapping[Kind, str]] = {
    **_FREE,
    Timer.JOIN: "on_silence",
    Timer.WINDOW: "on_window_over_meanwhile",
}
_ROWS: Final[Mapping[Phase, Mapping[Kind, str]]] = {
    Phase.IDLE: {**_FREE, t.Wired: "on_cable", t.Up: "on_up"},
    Phase.LISTENING: {
        **_FREE,
        t.Wired: "on_cable",
        t.Up: "on_up",
        Timer.CABLE: "on_nobody",
    },
    Phase.CABLE: {**_FREE, t.Wired: "on_cable_pulled", t.Up: "on_up"},
    Phase.JOINING: {**_TRYING, t.Up: "on_joined", t.Down: "on_failed"},
    Phase.PROBING: {**_TRYING, t.Probed: "on_probed", t.Down: "on_failed"},
    Phase.RETRY: {**_FREE, Timer.RETRY: "on_retry", t.Up: "on_other_network"},
    Phase.ONLINE: {**_FREE, t.Down: "on_gone"},
    Phase.AWAY: {
        **_FREE,
        t.Up: "on_up",
        t.Down: "on_gone_why",
        t.Wired: "on_cable",
        Timer.GRACE: "on_still_gone",
        Timer.LOOK: "on_look",
        Timer.RETRY: "on_reconnect",
    },
    # Who has opened the hotspot is at it with a phone: a file can wait for the next start.
    Phase.SCANNING: {
        t.Scanned: "on_scanned",
        Timer.SCAN: "on_nothing_seen",
        t.Wired: "on_cable",
    },
    Phase.RAISING: {
        t.Up: "on_hotspot_up",
        t.Down: "on_hotspot_down",
        Timer.RAISE: "on_hotspot_failed",
        Timer.WINDOW: "on_window_over",
        t.Wired: "on_cable",
    },
    Phase.HOTSPOT: {
        t.Submitted: "on_submitted",
        t.Asked: "on_asked_again",
        t.Down: "on_hotspot_down",
        Timer.RAISE: "on_hotspot_failed",  # up, and its page cannot be served
        Timer.WINDOW: "on_window_over",
        t.Wired: "on_cable",
    },
    Phase.NO_MANAGER: {Timer.MANAGER: "on_no_manager"},
}
TABLE: Final[Mapping[tuple[Phase, Kind], str]] = MappingProxyType(
    {(phase, kind): act for phase, row in _ROWS.items() for kind, act in row.items()}
)
# What is told of a network that was not joined.
STEPS: Final = MappingProxyType(
    {
        Cause.WRONG_KEY: NetworkStep.WRONG_KEY,
        Cause.NO_ADDRESS: NetworkStep.NO_ADDRESS,
        Cause.NOT_FOUND: NetworkStep.NOT_FOUND,
        Cause.NO_ROUTE: NetworkStep.NO_ROUTE,
        Cause.FAILED: NetworkStep.JOIN_FAILED,
        Cause.GONE: NetworkStep.JOIN_FAILED,
    }
)
# What is worth a word of a network that is waited for: the rest is "it is gone".
TELLING: Final = frozenset({Cause.WRONG_KEY, Cause.NO_ADDRESS})
