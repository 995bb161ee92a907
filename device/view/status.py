"""What a person at a terminal sees of a simulated box, as text.

The lamp, the level and the state are each told in words, so that nothing hangs on
colour. Every line is cut to the width of the terminal: one that wrapped would break
the drawing of the next picture over this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from device.floor.model import Say
from device.floor.prompts import phrase_key
from stagebox.phrases import Language, shown

_METER: Final = 24
_METER_FLOOR_DBFS: Final = -60.0
# The least that 16 bits can tell from nothing is above this.
_SILENT_DBFS: Final = -96.0
_ANSI: Final[Mapping[str, str]] = MappingProxyType(
    {"off": "90", "white": "97", "blue": "94", "green": "92", "amber": "93", "red": "91"}
)


@dataclass(slots=True)
class Status:
    """Everything the view shows; the box keeps it current. Levels in dBFS."""

    name: str
    link: str = "searching"
    link_detail: str = ""
    space: str = ""
    members: int = 0
    is_studio: bool = False  # a host's box, wherever it is
    is_chair: bool = False  # host or co-host of the space that it is in
    floor: str = "offline"
    color: str = "off"
    pattern: str = ""
    talkers: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    microphone_dbfs: float = _SILENT_DBFS
    loudspeaker_dbfs: float = _SILENT_DBFS
    buffered_ms: float = 0.0
    concealed: int = 0
    played: int = 0
    said: str = ""
    recorded: bool = False
    devices: dict[str, str] = field(default_factory=dict)

    @property
    def hand(self) -> str:
        """What the second key is called here."""
        return "NEXT" if self.is_studio or self.is_chair else "HAND"


def render(
    status: Status, keys: str, *, columns: int = 80, rows: int = 24, colored: bool = True
) -> list[str]:
    """Return the picture as lines that fit; ``keys``, the last, stays however few the rows."""
    share = 100 * status.concealed / status.played if status.played else 0.0
    lines = [
        f"{status.name}  * {_lamp(status)}",
        f"  {shown(f'state.{status.floor}')}",
        "",
        _row("hub", f"{status.link}  {status.link_detail}"),
        _row("space", f"{status.space}  {'(recorded)' if status.recorded else ''}"),
        _row("on the air", ", ".join(status.talkers)),
        _row("waiting", ", ".join(status.queue)),
        _row("keys down", ", ".join(key.upper() for key in status.down)),
        _row("said", status.said),
        _row("microphone", status.devices.get("microphone", "not started")),
        _row("", meter(status.microphone_dbfs)),
        _row("loudspeaker", status.devices.get("loudspeaker", "not started")),
        _row("", meter(status.loudspeaker_dbfs)),
        _row("programme", f"{status.buffered_ms:.0f} ms buffered, {share:.1f} % concealed"),
    ]
    # One row stays free: the cursor rests below the picture.
    fitting = [*lines[: max(0, rows - 3)], "", keys][-max(1, rows - 1) :]
    cut = [_plain(line)[: max(1, columns - 1)] for line in fitting]
    return [_lit(cut[0], status), *cut[1:]] if colored and len(cut) > 2 else cut


def meter(dbfs: float) -> str:
    """Return a level from -60 to 0 dBFS as a bar and a figure."""
    share = min(1.0, max(0.0, 1 - dbfs / _METER_FLOOR_DBFS))
    filled = round(share * _METER)
    figure = "silent" if dbfs <= _SILENT_DBFS else f"{dbfs:.0f} dBFS"
    return f"[{'#' * filled}{'.' * (_METER - filled)}] {figure}"


def sentence(say: Say, language: Language = Language.ENGLISH) -> str:
    """Return a prompt in words."""
    key = phrase_key(say.prompt, say.cause)
    return shown(key, name=say.name, number=say.number, language=language)


def _lamp(status: Status) -> str:
    rhythm = status.pattern.replace("_", " ").replace("+", ", ")
    return f"{status.color} ({rhythm})" if rhythm not in {"", status.color} else status.color


def _row(what: str, value: str) -> str:
    return f"  {what:<13}{value.strip() or '-'}"


def _plain(line: str) -> str:
    """Take out what a terminal would obey: some of the words come from the network."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _lit(head: str, status: Status) -> str:
    """Put a lamp in its colour for the star after the name."""
    name, star, rest = head.partition(f"{status.name}  *")
    lamp = f"{star[:-1]}\x1b[{_ANSI.get(status.color, '0')}m●\x1b[0m"
    return f"{name}{lamp}{rest}" if star else head
