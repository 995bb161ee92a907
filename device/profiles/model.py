"""What a profile says: the settings of a box, and the board that they fit.

A profile is the same TOML as a box's own settings, with one more table, ``[board]``, for
people and for the doctor. The files are read in ``device.profiles.shelf``.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from device.config import NOT_FITTED, BoxConfig, Pin
from stagebox.configtext import WrongKeyError

Line = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=600)]
Short = Annotated[str, Meta(min_length=1, max_length=60)]
# Where a wire of a module ends: a pin of the header by BCM number, or one of its supplies.
Supply = Literal["3V3", "5V", "GND"]
End = Annotated[
    Annotated[int, Meta(ge=0, le=28)] | Supply,
    Meta(description='the number of a pin, or one of "3V3", "5V", "GND"'),
]
# What the pins with a number are: BCM's on a Raspberry Pi, GP's on a Pico.
NUMBERED: Final = {
    "pi": frozenset(range(2, 28)),
    "pico": frozenset({*range(23), 26, 27, 28}),
}
# Seven bits less the reserved addresses at both ends (I2C-bus specification, 3.1.12).
Address = Annotated[int, Meta(ge=0x08, le=0x77, description="an I2C address, 0x08 to 0x77")]
# What ALSA allows as an id: letters, digits and underscores, 15 at most.
CardId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,15}$", description="the id of a card")]


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables."""


class Part(_Table, frozen=True, kw_only=True):
    """One line of the bill of materials."""

    name: Line
    count: Annotated[int, Meta(ge=1, le=99)] = 1
    note: Annotated[str, Meta(max_length=200)] = ""


class Module(_Table, frozen=True, kw_only=True):
    """A small board with wires of its own: each of its pins and where the wire ends."""

    name: Short
    pins: Annotated[dict[Short, End], Meta(min_length=1, max_length=12)]
    note: Annotated[str, Meta(max_length=200)] = ""


class Board(_Table, frozen=True, kw_only=True):
    """What the box is built on. ``when``: in which case to buy it.

    ``form``: a "hat" covers the header, "wires" go to single pins, "usb" leaves it free.
    ``config_txt``: lines for /boot/firmware/config.txt. ``i2c``: addresses that answer on it
    and tell it from others. ``product``: what the identity memory of the HAT calls it.
    ``cards``: ids under which ALSA may know its sound card. ``holds``: pins that the board
    itself uses, by what for. ``spare``: pins that can be reached although it is a HAT.
    ``header``: whose pins the modules name. ``before``: what to do before it is put together.
    """

    title: Short
    what: Text
    when: Line
    form: Literal["hat", "wires", "usb"]
    header: Literal["pi", "pico"] = "pi"
    button: Annotated[str, Meta(max_length=60)] = ""
    sound: Short
    config_txt: tuple[Line, ...] = ()
    i2c: tuple[Address, ...] = ()
    product: tuple[Short, ...] = ()
    cards: tuple[CardId, ...] = ()
    holds: dict[Short, tuple[Pin, ...]] = field(default_factory=dict)
    spare: tuple[Pin, ...] = ()
    modules: tuple[Module, ...] = ()
    before: tuple[Text, ...] = ()
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    notes: tuple[Text, ...] = ()

    @property
    def held(self) -> dict[int, str]:
        """The pins that the board itself uses, and what for."""
        return {pin: use for use, pins in self.holds.items() for pin in pins}


BARE: Final = "bare"


class FittedConfig(BoxConfig, frozen=True, kw_only=True):
    """A box's settings together with the board that they are for."""

    board: Board

    def __post_init__(self) -> None:
        """Refuse what BoxConfig refuses, and pins that the board uses itself."""
        super().__post_init__()
        held = self.board.held
        wanted = self.panel.pins if self.panel.kind == "gpio" else {}
        for name, pin in wanted.items():
            if pin in held:
                why = f"pin {pin} is used by the {self.board.title} itself ({held[pin]})"
                raise WrongKeyError(f"panel.{name}", f"{why}; {self._hint()}.")
        self._refuse_modules()

    def _refuse_modules(self) -> None:
        for module in self.board.modules:
            for end, where in module.pins.items():
                if isinstance(where, int) and where not in NUMBERED[self.board.header]:
                    why = f"{end} of the {module.name} is to go to pin {where}, which is not there."
                    raise WrongKeyError("board.modules", why)

    def _hint(self) -> str:
        if self.board.spare:
            return f"its free pins are {', '.join(map(str, self.board.spare))}"
        if self.board.form == "hat":
            return "it leaves no pin free"
        taken = {*self.board.held, *self.panel.pins.values(), *self.panel.bus}
        free = [str(pin) for pin in range(4, 28) if pin not in taken]
        return f"free pins are {', '.join(free)}"


def key_names(config: BoxConfig) -> tuple[str, ...]:
    """Return the keys that are wired to the header."""
    if config.panel.kind == "none":
        return ()
    names = ("talk", "hand", "mute", "volume_up", "volume_down", "status")
    return tuple(name for name in names if getattr(config.panel, name) != NOT_FITTED)
