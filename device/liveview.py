"""What a person at a terminal sees of a simulated box. ``render`` is pure."""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Final

KEYS: Final = "space: TALK down/up   h: HAND   m: MUTE   q: quit"
# Fast enough for a meter, slow enough to read.
_REFRESH_S: Final = 0.2
_METER: Final = 24
_FLOOR_DBFS: Final = -60.0
_ANSI: Final = {
    "off": "90",
    "white": "97",
    "blue": "94",
    "green": "92",
    "amber": "93",
    "red": "91",
}
_WORDS: Final = {
    "offline": "No hub. Looking for it.",
    "no_space": "Connected, in no space.",
    "idle_free": "The floor is free: press TALK.",
    "idle_busy": "Somebody else is talking.",
    "asking": "Asking for the floor.",
    "queued": "Your hand is up.",
    "next": "You are next.",
    "offered": "It is your turn: press TALK.",
    "live": "You are on the air.",
    "held": "The host holds your microphone.",
    "cooldown": "Wait a moment before the next press.",
    "cut": "Your microphone is cut.",
}


@dataclass(slots=True)
class Status:
    """Everything the view shows; the box keeps it current."""

    name: str
    link: str = "searching"
    link_detail: str = ""
    space: str = ""
    floor: str = "offline"
    color: str = "off"
    pattern: str = ""
    talkers: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()
    microphone_dbfs: float = -120.0
    speaker_dbfs: float = -120.0
    delay_ms: float = 0.0
    lost: int = 0
    played: int = 0
    said: str = ""
    devices: dict[str, str] = field(default_factory=dict)


def render(status: Status, *, colored: bool = True) -> str:
    """Return the view as lines of text; without colours the words still say it all."""
    lamp = f"({status.color}, {status.pattern})" if status.pattern else f"({status.color})"
    bulb = f"\x1b[{_ANSI.get(status.color, '0')}m●\x1b[0m" if colored else "*"
    share = 100 * status.lost / status.played if status.played else 0.0
    lines = [
        f"{status.name}  {bulb} {lamp}",
        f"  {_WORDS.get(status.floor, status.floor)}",
        f"  hub      {status.link}  {status.link_detail}",
        f"  space    {status.space or '-'}",
        f"  talking  {', '.join(status.talkers) or '-'}",
        f"  waiting  {', '.join(status.queue) or '-'}",
        f"  mic      {meter(status.microphone_dbfs)}",
        f"  speaker  {meter(status.speaker_dbfs)}",
        f"  delay    {status.delay_ms:.0f} ms in the box, {share:.1f} % concealed",
        f"  said     {status.said or '-'}",
        *(f"  {kind:<8} {what}" for kind, what in status.devices.items()),
        KEYS,
    ]
    return "\n".join(lines)


def meter(dbfs: float) -> str:
    """Return a level from -60 to 0 dBFS as a bar and a figure."""
    share = min(1.0, max(0.0, 1 - dbfs / _FLOOR_DBFS))
    filled = round(share * _METER)
    figure = "silent" if dbfs <= -100 else f"{dbfs:.0f} dBFS"
    return f"[{'#' * filled}{'.' * (_METER - filled)}] {figure}"


async def watch(status: Status) -> None:
    """Draw the view over itself until cancelled."""
    height = 0
    while True:
        lines = render(status).splitlines()
        up = f"\x1b[{height}A" if height else ""
        sys.stdout.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        sys.stdout.flush()
        height = len(lines)
        await asyncio.sleep(_REFRESH_S)
