"""The settings of a box. Every key has a default, and the defaults fit a bare Raspberry Pi.

Read with ``device.profiles.shelf.load_settings``. One box, one file, a handful of tables, over
those of its board.
"""

import socket
from enum import StrEnum
from math import log10
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from stagebox.config import WrongKeyError
from stagebox.configtypes import HubIdInWords, NameInWords, SpaceIdInWords
from stagebox.phrases import Language
from stagebox.wire.terms import Role

STATE_DIR: Final = "/var/lib/stagebox"  # what systemd's StateDirectory gives the unit
FALLBACK_NAME: Final = "Stagebox"
SILENT_DB: Final = -120.0  # under the last bit of a sample

# Header pins by BCM number. 0 and 1 read the identity of a HAT at boot, so 0 can mean "none".
NOT_FITTED: Final = 0
Pin = Annotated[
    int, Meta(ge=0, le=27, description="a BCM pin number, 2 to 27, or 0 for not fitted")
]
HubUrl = Annotated[
    str,
    Meta(max_length=200, description='a WebSocket address such as "ws://192.168.1.10:8080"'),
]
HubPin = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}\Z",
        description="64 lower-case hexadecimal digits, as the hub's console shows them",
    ),
]
Match = Annotated[
    str, Meta(max_length=80, description="a part of the sound card's name, or empty for any")
]


MixerName = Annotated[str, Meta(min_length=1, max_length=44)]
MixerValue = Annotated[
    str, Meta(min_length=1, max_length=40, description='what amixer takes, such as "80%" or "on"')
]
Night = Annotated[
    str,
    Meta(
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$",
        description='two times of the day such as "22:00-07:00", or empty for never',
    ),
]


class LampKind(StrEnum):
    """How the lamp is driven."""

    LED = "led"  # one LED or a red-green-blue one, on pins of their own
    DOTSTAR = "dotstar"  # APA102 pixels on a clock and a data pin
    KTD2027 = "ktd2027"  # the driver chip of the AIY Voice Bonnet, on I2C
    NONE = "none"


class Duplex(StrEnum):
    """Whether the loudspeaker plays while the microphone is open."""

    HALF = "half"  # it does not
    FULL = "full"  # it does, and its echo is cancelled
    HEADSET = "headset"  # it does, and the microphone cannot hear it


class VoiceChoice(StrEnum):
    """Whether the box speaks."""

    AUTO = "auto"  # it does, unless its loudspeaker is a file
    ON = "on"
    OFF = "off"  # tones and lamp only


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables."""


class SoundConfig(_Table, frozen=True, kw_only=True):
    """[sound]: which cards, and how loud."""

    microphone: Match = ""
    loudspeaker: Match = ""
    # A loudspeaker beside an open microphone howls without an echo canceller.
    duplex: Duplex = Duplex.HALF
    volume: Annotated[int, Meta(ge=0, le=100, description="a percentage, 0 to 100")] = 100
    # Of the box's own words and tones, apart from the programme's.
    prompt_volume: Annotated[int, Meta(ge=0, le=100, description="a percentage, 0 to 100")] = 100
    # What the mixer is set to at each open: a control's name, and what amixer would be given.
    mixer: Annotated[dict[MixerName, MixerValue], Meta(max_length=32)] = field(default_factory=dict)
    voice: VoiceChoice = VoiceChoice.AUTO
    # A folder of recorded phrases that are played instead of the synthesiser's; empty: none.
    prompts: Annotated[str, Meta(max_length=200)] = ""
    language: Language = Language.ENGLISH

    @property
    def volume_db(self) -> float:
        """The volume in dB: half of the scale is about half as loud, 0 is silent."""
        return _db(self.volume)

    @property
    def prompts_db(self) -> float:
        """The same of the box's own words and tones."""
        return _db(self.prompt_volume)


class PanelConfig(_Table, frozen=True, kw_only=True):
    """[panel]: what is wired to the header. The defaults leave I2C, I2S and the UART free."""

    kind: Literal["gpio", "none"] = "gpio"
    talk: Pin = 17  # where the common sound HATs have their button
    hand: Pin = 27
    mute: Pin = 22
    volume_up: Pin = NOT_FITTED
    volume_down: Pin = NOT_FITTED
    status: Pin = NOT_FITTED
    lamp: LampKind = LampKind.LED
    lamp_red: Pin = 23
    lamp_green: Pin = 24
    lamp_blue: Pin = 25
    lamp_rec: Pin = 16
    # False for lamps with a common anode, which light when the pin is low.
    lamp_active_high: bool = True
    lamp_data: Pin = NOT_FITTED
    lamp_clock: Pin = NOT_FITTED
    lamp_pixels: Annotated[int, Meta(ge=1, le=64)] = 3
    # A relay for a light at the door: on while this box is on the air.
    door: Pin = NOT_FITTED
    door_active_high: bool = True  # False for relay boards that close when the pin is low
    brightness: Annotated[int, Meta(ge=5, le=100, description="a percentage, 5 to 100")] = 100
    night: Night = ""  # when the lamp is dimmed, by the clock on the wall
    night_brightness: Annotated[int, Meta(ge=5, le=100)] = 25
    # The mute and hook keys and the lamps of a USB speakerphone; a part of its name, "any" or "".
    speakerphone: Match = ""
    # A panel on a USB cable: "auto", the path of its serial line, or empty for none.
    pico: Annotated[str, Meta(max_length=200)] = ""

    def __post_init__(self) -> None:
        """Refuse the pins of the HAT's identity and two uses of one pin."""
        seen: dict[int, str] = {}
        for name, pin in self.pins.items():
            if pin == 1:
                raise WrongKeyError(name, "pin 1 belongs to the HAT's identity; use 2 to 27.")
            if pin in seen:
                rival = WrongKeyError(seen[pin], _taken(pin, name))
                raise WrongKeyError(name, _taken(pin, seen[pin]), rival)
            if pin in self.bus:
                raise WrongKeyError(name, _taken(pin, f"{self.bus[pin]} for the lamp"))
            seen[pin] = name

    @property
    def pins(self) -> dict[str, int]:
        """The keys of this table that name a pin in use, with their pins."""
        names = [*_KEY_PINS, *_LAMP_PINS[self.lamp], "lamp_rec", "door"]
        pins = {name: int(getattr(self, name)) for name in names}
        return {name: pin for name, pin in pins.items() if pin != NOT_FITTED}

    @property
    def bus(self) -> dict[int, str]:
        """The pins that driving this lamp takes besides those that are named, and for what."""
        if self.lamp is LampKind.KTD2027:
            return dict.fromkeys(I2C_PINS, "I2C")
        on_spi = (self.lamp_data, self.lamp_clock) == SPI_LAMP_PINS
        if self.lamp is LampKind.DOTSTAR and on_spi:
            return dict.fromkeys(SPI_OTHER_PINS, "SPI")
        return {}


def _taken(pin: int, holder: str) -> str:
    return f"pin {pin} is taken by {holder} already; every part needs its own pin."


_KEY_PINS: Final = ("talk", "hand", "mute", "volume_up", "volume_down", "status")
_LAMP_PINS: Final = {
    LampKind.LED: ("lamp_red", "lamp_green", "lamp_blue"),
    LampKind.DOTSTAR: ("lamp_data", "lamp_clock"),
    LampKind.KTD2027: (),
    LampKind.NONE: (),
}
# The first I2C bus, and the first SPI bus: data and clock, and what its driver claims too.
I2C_PINS: Final = (2, 3)
SPI_LAMP_PINS: Final = (10, 11)
SPI_OTHER_PINS: Final = (7, 8, 9)


class GestureConfig(_Table, frozen=True, kw_only=True):
    """[gestures]: what fingers mean on this box, for hands that are slower or cannot hold."""

    # A tap of TALK keeps the microphone open until the next one.
    latch: bool = False
    # The second of two taps comes within this.
    double_ms: Annotated[int, Meta(ge=200, le=800)] = 300
    # How long a key is held to mean more than a tap; the chair's priority has its own time.
    hold_ms: Annotated[int, Meta(ge=800, le=5000)] = 2000


class TalkConfig(_Table, frozen=True, kw_only=True):
    """[talk]: what happens around a talk burst."""

    # People start to speak up to a quarter of a second before the button is down.
    pre_roll_ms: Annotated[int, Meta(ge=0, le=500)] = 240
    # They let go during the last syllable.
    hang_ms: Annotated[int, Meta(ge=0, le=500)] = 150
    # A stuck button may hold the floor no longer than this, whatever the hub allows.
    max_talk_s: Annotated[int, Meta(ge=5, le=3600)] = 120
    bitrate: Annotated[int, Meta(ge=6_000, le=128_000)] = 32_000
    # Opus's own scale. PESQ-WB gains 0.15 from 5 to 8, clean and at 10 % loss, and nothing
    # above; the encoder then takes 0.4 ms a frame on a PC, some 2 ms on a Pi 4.
    complexity: Annotated[int, Meta(ge=0, le=10)] = 8


def _db(percent: int) -> float:
    return 40 * log10(percent / 100) if percent else SILENT_DB


def host_name() -> str:
    """Return what this machine is called, made fit to be a member's name."""
    name = "".join(letter for letter in socket.gethostname() if letter.isprintable())
    return name[:40] or FALLBACK_NAME


class BoxConfig(_Table, frozen=True, kw_only=True):
    """Everything a box can be told.

    ``hub`` is needed only where multicast does not pass. ``hub_id`` ties the box to
    one hub; without it the box stays with the first hub it used, unless ``any_hub``.
    ``hub_pin``: the certificate of the hub that a box which is not enrolled asks to let it in.
    ``profile`` names the board that it is built on, whose settings these keys go over.
    ``tutorial``: at its first start it explains its keys. ``hidden``: it listens counted and
    unnamed. ``captions``: what is said into it may be written down. ``return_home``: when a
    space ends it goes back to its own by itself.
    """

    name: NameInWords = field(default_factory=host_name)
    profile: Annotated[str, Meta(max_length=200)] = "bare"
    role: Role = Role.GUEST
    tutorial: bool = True
    hub: HubUrl | None = None
    hub_id: HubIdInWords | None = None
    any_hub: bool = False
    hub_pin: HubPin | None = None
    space: SpaceIdInWords | None = None
    hidden: bool = False
    captions: bool = False
    return_home: bool = False
    state_dir: Annotated[str, Meta(min_length=1)] = STATE_DIR
    sound: SoundConfig = field(default_factory=SoundConfig)
    panel: PanelConfig = field(default_factory=PanelConfig)
    gestures: GestureConfig = field(default_factory=GestureConfig)
    talk: TalkConfig = field(default_factory=TalkConfig)

    def __post_init__(self) -> None:
        """Refuse an address that no WebSocket can be opened to, and contradictions."""
        if self.hub is not None:
            wrong = _wrong_with(self.hub)
            if wrong:
                raise WrongKeyError("hub", f"{wrong}; write ws://ADDRESS:PORT.")
        if self.any_hub and self.hub_id is not None:
            raise WrongKeyError("any_hub", "hub_id names one hub; use one of the two keys.")


def hub_url(text: str | None) -> str | None:
    """Return an address from the command line, where people write http for ws."""
    web, _, rest = (text or "").partition("://")
    return {"http": f"ws://{rest}", "https": f"wss://{rest}"}.get(web.lower(), text)


def _wrong_with(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return "this is not an address"
    if parts.scheme not in {"ws", "wss"}:
        return "the address must start with ws:// or wss://"
    if not host or any(not letter.isprintable() or letter.isspace() for letter in url):
        return "the address has no host name"
    if port == 0 or parts.username is not None or parts.query or parts.fragment:
        return "only a host, a port and a path belong here"
    return None
