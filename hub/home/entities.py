"""What Home Assistant is shown of a hub, its spaces and its boxes, as MQTT messages. Pure.

Each is a device with one state, a JSON object, and a few entities that read it. Topics are
made of ids, never of names, so a new name leaves an entity what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from stagebox.wire.terms import SpaceState

# Home Assistant refuses a state that is longer.
MAX_STATE: Final = 255
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
_ON, _OFF = "ON", "OFF"
_MAKER: Final = "Stagebox"

Messages = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class HubView:
    """The hub itself. ``boxes``: how many are connected; ``software``: its version."""

    name: str
    software: str
    spaces: int
    boxes: int


@dataclass(frozen=True, slots=True)
class SpaceView:
    """A space. ``talkers``: the names of those who have the floor; ``hands``: how many wait."""

    id: str
    name: str
    state: SpaceState
    talkers: tuple[str, ...] = ()
    hands: int = 0
    people: int = 0
    recording: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class BoxView:
    """A box. ``muted`` and ``volume`` (percent) are None while it is in no space."""

    id: str
    name: str
    online: bool
    space: str = ""
    muted: bool | None = None
    volume: int | None = None


View = HubView | SpaceView | BoxView


@dataclass(frozen=True, slots=True)
class Places:
    """The topics of one hub. ``prefix``: Home Assistant's; ``commands``: whether it obeys."""

    hub: str
    prefix: str
    commands: bool

    @property
    def node(self) -> str:
        """The hub's name among all that Home Assistant knows."""
        return f"stagebox-{self.hub}"

    @property
    def base(self) -> str:
        """Below this is everything that is no discovery."""
        return f"stagebox/{self.hub}"

    @property
    def status(self) -> str:
        """Where it says whether the hub is there."""
        return f"{self.base}/status"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it has come up."""
        return f"{self.prefix}/status"

    @property
    def own(self) -> tuple[str, ...]:
        """The patterns of everything that this hub has ever left at the broker."""
        return f"{self.prefix}/+/{self.node}/+/config", f"{self.base}/+/+/state"

    @property
    def orders(self) -> str:
        """The pattern of commands."""
        return f"{self.base}/+/+/+/set"

    def state(self, kind: str, what: str) -> str:
        """Return the topic of a device's state."""
        return f"{self.base}/{kind}/{what}/state"

    def command(self, kind: str, what: str, key: str) -> str:
        """Return the topic at which a device's entity is commanded."""
        return f"{self.base}/{kind}/{what}/{key}/set"


@dataclass(frozen=True, slots=True)
class _Entity:
    """An entity: its sort in Home Assistant, the key of its state, and how it is shown."""

    sort: str
    key: str
    name: str
    more: Mapping[str, Any]
    commanded: bool = False


def messages(places: Places, view: View) -> dict[str, bytes]:
    """Return all messages of a device, each with its topic: what it is, and how it is now."""
    kind, what = key_of(view)
    state = places.state(kind, what)
    made: dict[str, bytes] = {}
    for entity in _entities(places, view):
        unique = f"{kind}-{what}-{entity.key}"
        config = {
            "name": entity.name,
            "unique_id": f"{places.node}-{unique}",
            "device": _device(places, view),
            "origin": {"name": _MAKER},
            "availability_topic": places.status,
            **entity.more,
        }
        if entity.sort != "button":
            config["state_topic"] = state
            config["value_template"] = f"{{{{ value_json.{entity.key} }}}}"
        if entity.commanded:
            config["command_topic"] = places.command(kind, what, entity.key)
        topic = f"{places.prefix}/{entity.sort}/{places.node}/{unique}/config"
        made[topic] = msgspec.json.encode(config)
    made[state] = msgspec.json.encode(_state(view))
    return made


def key_of(view: View) -> tuple[str, str]:
    """Return the kind of a device and its id, which together are its own."""
    if isinstance(view, HubView):
        return "hub", "self"
    return "space" if isinstance(view, SpaceView) else "box", view.id


def _device(places: Places, view: View) -> dict[str, Any]:
    kind, what = key_of(view)
    device: dict[str, Any] = {"manufacturer": _MAKER, "name": view.name}
    if isinstance(view, HubView):
        own = {"identifiers": [places.node], "model": "Hub", "sw_version": view.software}
        return device | own
    model = "Space" if isinstance(view, SpaceView) else "Box"
    own = {"identifiers": [f"{places.node}-{kind}-{what}"], "model": model}
    return device | own | {"via_device": places.node}


def _state(view: View) -> dict[str, Any]:
    if isinstance(view, HubView):
        return {"spaces": view.spaces, "boxes": view.boxes}
    if isinstance(view, SpaceView):
        return {
            "on_air": _switch(bool(view.talkers)),
            "talker": _line(view.talkers),
            "hands": view.hands,
            "people": view.people,
            "state": view.state.value,
            "recording": _switch(view.recording),
            "hold": _switch(view.held),
        }
    return {
        "online": _switch(view.online),
        "muted": None if view.muted is None else _switch(view.muted),
        "volume": view.volume,
        "space": view.space or None,
    }


def _entities(places: Places, view: View) -> tuple[_Entity, ...]:
    if isinstance(view, HubView):
        return _HUB
    if isinstance(view, SpaceView):
        return _SPACE + (_SPACE_OBEYS if places.commands else _SPACE_TELLS)
    return _BOX + (_BOX_OBEYS if places.commands else _BOX_TELLS)


def _switch(on: bool) -> str:
    return _ON if on else _OFF


def _line(names: tuple[str, ...]) -> str | None:
    """Return names as a state; None, which Home Assistant shows as unknown, for none."""
    text = ", ".join(names)
    return (text if len(text) <= MAX_STATE else f"{text[: MAX_STATE - 1]}…") or None


_COUNT: Final = {"state_class": "measurement"}
_STATES: Final = {"device_class": "enum", "options": [each.value for each in SpaceState]}
_LOUDNESS: Final = {"icon": "mdi:volume-high", "unit_of_measurement": "%"}
_RANGE: Final = {"min": 0, "max": 200, "step": 5, "mode": "slider"}
_AIR: Final = {"icon": "mdi:microphone"}
_HOLD: Final = {"icon": "mdi:microphone-off"}
_NEXT: Final = {"icon": "mdi:hand-back-right", "payload_press": "PRESS"}
_HUB: Final = (
    _Entity("sensor", "spaces", "Spaces", {"icon": "mdi:door-open", **_COUNT}),
    _Entity("sensor", "boxes", "Boxes", {"icon": "mdi:speaker-wireless", **_COUNT}),
)
_SPACE: Final = (
    _Entity("binary_sensor", "on_air", "On air", _AIR),
    _Entity("sensor", "talker", "Talker", {"icon": "mdi:account-voice"}),
    _Entity("sensor", "hands", "Hands", {"icon": "mdi:hand-back-right", **_COUNT}),
    _Entity("sensor", "people", "People", {"icon": "mdi:account-group", **_COUNT}),
    _Entity("sensor", "state", "State", _STATES),
    _Entity("binary_sensor", "recording", "Recording", {"icon": "mdi:record-rec"}),
)
_SPACE_TELLS: Final = (_Entity("binary_sensor", "hold", "Held", _HOLD),)
_SPACE_OBEYS: Final = (
    _Entity("switch", "hold", "Hold all", _HOLD, commanded=True),
    _Entity("button", "next", "Next", _NEXT, commanded=True),
)
_BOX: Final = (
    _Entity("binary_sensor", "online", "Online", {"device_class": "connectivity"}),
    _Entity("binary_sensor", "muted", "Muted", {"icon": "mdi:microphone-off"}),
    _Entity("sensor", "space", "Space", {"icon": "mdi:door-open"}),
)
_BOX_TELLS: Final = (_Entity("sensor", "volume", "Volume", _LOUDNESS),)
_BOX_OBEYS: Final = (_Entity("number", "volume", "Volume", {**_LOUDNESS, **_RANGE}, True),)
