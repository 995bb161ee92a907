"""Pages on the boards, made from the profiles: one for each, and one on which to buy."""

from collections.abc import Iterable, Mapping
from typing import Final

from device.profiles.draw import picture
from device.profiles.header import RESISTOR, wires
from device.profiles.model import FittedConfig
from device.profiles.words import buttons, lamp

MADE: Final = "<!-- Made from device/profiles by `stagebox profiles --write`: do not edit. -->\n"
_CHOICE: Final = """# Which board to build a box on

A box is a Raspberry Pi with a microphone, a loudspeaker, a key to talk with and a lamp. A
*profile* says what all of these are wired to and how the sound card is to be set. Choose a
board, build it by its page, and name its profile in the settings of the box:

```toml
profile = "{example}"
```

"""
_ADVICE: Final = """
A Raspberry Pi Zero 2 W is enough for every one of them; the first Zero and the Pi 1 are too
slow. `stagebox profiles` shows this list on the box itself, `stagebox profiles NAME` one board
with its wires, and `stagebox doctor` says whether what is on the header is what the settings
are for.

## What goes over what

The defaults of Stagebox, then the profile, then the settings of the box, then the command
line: whatever is said later counts, key by key. So a HAT with one button gets a second one by
two lines:

```toml
profile = "respeaker-2mic-v2"

[panel]
hand = 12        # the Grove socket
```

A pin that the board needs itself (for the sound, for the lamp, for its identity) is refused, and
so are two uses of one pin, with the file and the line.

## Which sound card

A card is named by its *id*, which is the same after every start and on every socket, as its
number is not. `cat /proc/asound/cards` shows the ids in brackets:

```toml
[sound]
microphone = "CARD=Zero"          # the card with exactly this id
loudspeaker = "USB"               # or any whose name has this in it
```

Many cards start with their ways closed or turned far down. A profile therefore has the levels
of the card's mixer; they are set each time the card is opened, after it was plugged in anew,
too. Your own go over them, control by control, in the words of `amixer`:

```toml
[sound.mixer]
"Speaker" = "70%"
```

## A board of your own

Copy the file of the profile that is nearest
({link}), change it, and name it by its path:

```toml
profile = "/etc/stagebox/my-board.toml"
```

A path that does not begin with a slash starts at the folder of the settings. Every key is
checked, and what is wrong is named with its line.
"""


def pages(profiles: Mapping[str, FittedConfig]) -> dict[str, str]:
    """Return every file of docs/hardware by its name."""
    made = {"README.md": choice(profiles)}
    for name, config in profiles.items():
        made[f"{name}.svg"] = picture(config)
        made[f"{name}.md"] = page(name, config)
    return made


def choice(profiles: Mapping[str, FittedConfig]) -> str:
    """Return the page on which board to buy."""
    head = ("Board", "Keys", "Lamp", "Sound", "Buy it when")
    rows = (
        (
            f"[{config.board.title}]({name}.md)",
            *(buttons(config), lamp(config.panel), config.board.sound, config.board.when),
        )
        for name, config in profiles.items()
    )
    example = [*profiles][-1]
    link = "[device/profiles](../../device/profiles)"
    return (
        MADE
        + _CHOICE.replace("{example}", example)
        + _table(head, rows)
        + (_ADVICE.replace("{link}", link))
    )


def page(name: str, config: FittedConfig) -> str:
    """Return the page on one board."""
    board = config.board
    alt = f"{board.title}: what goes to which pin of the header"
    sections = (
        ("Set it up", _steps(name, config)),
        ("Parts", _parts(config)),
        ("Wires", _wires(config)),
        ("Sound", _sound(config)),
        ("Good to know", _items(board.notes)),
    )
    body = "".join(f"\n## {title}\n\n{text}" for title, text in sections if text)
    file = f"[{name}.toml](../../device/profiles/{name}.toml)"
    return (
        f"{MADE}# {_upper(board.title)}\n\n{board.what}\n\nBuy it when {board.when}.\n\n"
        f"![{alt}]({name}.svg)\n{body}\n"
        f"The profile itself: {file}. All boards: [README](README.md).\n"
    )


def _steps(name: str, config: FittedConfig) -> str:
    """Return what to do, in order."""
    place = {
        "hat": "With the power off, press the HAT onto all 40 pins.",
        "wires": "With the power off, wire it as the picture shows.",
        "usb": "Plug it into a USB socket of the Raspberry Pi.",
    }[config.board.form]
    steps = [*config.board.before, place]
    if config.board.config_txt:
        lines = "\n".join(f"   {line}" for line in config.board.config_txt)
        steps.append(
            "Add to /boot/firmware/config.txt, and start the Pi anew:\n\n"
            f"   ```ini\n{lines}\n   ```\n"
        )
    steps.append(
        f'Write in the settings of the box:\n\n   ```toml\n   profile = "{name}"\n   ```\n'
    )
    steps.append("Run `stagebox doctor`: it says what is missing, and how to mend it.")
    return "".join(f"{number}. {step}\n" for number, step in enumerate(steps, 1))


def _parts(config: FittedConfig) -> str:
    rows = ((str(part.count), part.name, _upper(part.note)) for part in config.board.parts)
    return _table(("Number", "Part", "Note"), rows)


def _wires(config: FittedConfig) -> str:
    rows = [
        (
            str(wire.pin),
            wire.name,
            f"{wire.part}{f', {wire.end}' if wire.end else ''}",
            wire.note.replace(RESISTOR, "through 330 Ω"),
        )
        for wire in wires(config)
    ]
    return _table(("Pin", "Name", "Goes to", "Note"), rows) if rows else ""


def _sound(config: FittedConfig) -> str:
    lines = [f"{config.board.sound[:1].upper()}{config.board.sound[1:]}."]
    if config.board.cards:
        ids = " or ".join(f"`{card}`" for card in config.board.cards)
        lines.append(f"ALSA knows the card by the id {ids}.")
    text = " ".join(lines) + "\n"
    if not config.sound.mixer:
        return text
    head = "\nThe levels of its mixer, set whenever the box opens the card:\n\n"
    rows = ((control, value) for control, value in config.sound.mixer.items())
    return text + head + _table(("Control", "Level"), rows)


def _items(texts: Iterable[str]) -> str:
    return "".join(f"- {text}\n" for text in texts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell or ' ' for cell in line)} |\n" for line in lines)


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
