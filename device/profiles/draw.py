"""The wiring of a box as a picture: the header seen from above, the parts, the wires.

SVG with a style sheet for light and dark, so the same file serves a page in either. It is as
wide as a phone is and its letters are large. A wire has a rim in the background's colour, so
that of two that cross the upper one is seen to; its colour comes again at both of its ends.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Final

from device.profiles.header import HEADERS, Wire
from device.profiles.layout import (
    BOTTOM,
    HEADER_X,
    NOTE,
    NOTE_LETTERS,
    PART_W,
    PART_X,
    PIN_X,
    PITCH,
    TOP,
    WIDTH,
    Box,
    Route,
    level,
    placed,
    routed,
)
from device.profiles.model import FittedConfig

# Colours that are told apart with every common kind of colour blindness (after Okabe and Ito),
# each for paper and for the dark, where the header always is.
_SIGNALS: Final = (
    ("#b26a00", "#f0b13c"),
    ("#0072b2", "#5fb7ea"),
    ("#00795c", "#35c79a"),
    ("#a3407f", "#e08cc0"),
    ("#6b4fbb", "#b39cf0"),
    ("#4f6d00", "#a9c64a"),
)
_OWN: Final = {
    "GND": ("#3b4252", "#b8c1cf"),
    "3V3": ("#c2410c", "#ff9a5c"),
    "5V": ("#c81e1e", "#ff7b7b"),
    "red": ("#d02020", "#ff6b6b"),
    "green": ("#17803d", "#4ade80"),
    "blue": ("#2257d6", "#7aa7ff"),
}
_STYLE: Final = """
text { font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1a202c; }
.page { fill: #ffffff; } .board { fill: #e6f2e8; stroke: #b9d5bf; }
.head { fill: #20262f; } .pin { fill: #4a5568; } .name { fill: #b4becd; font-size: 15px; }
.free { stroke: #ffffff; stroke-width: 2; }
.used { fill: #ffffff; font-weight: 700; }
.num { fill: #e2e8f0; font-size: 12px; } .dark { fill: #14181f; font-weight: 700; }
.part { fill: #f4f6f9; stroke: #8a94a6; stroke-width: 1.5; }
.title { font-size: 18px; font-weight: 700; } .end { font-size: 16px; }
.small { font-size: 15px; fill: #4a5568; } .big { font-size: 22px; font-weight: 700; }
.rim { stroke: #ffffff; } .over { stroke: #20262f; } .cable { stroke: #3b4252; }
"""
_DARK: Final = """
text { fill: #e8ecf2; } .page { fill: #14181f; } .board { fill: #1b2a20; stroke: #2f4a38; }
.name { fill: #b4becd; } .used { fill: #ffffff; } .num { fill: #e2e8f0; }
.dark { fill: #14181f; } .part { fill: #222936; stroke: #66728a; } .small { fill: #b4becd; }
.rim { stroke: #14181f; } .cable { stroke: #b8c1cf; }
"""
_SIZES: Final = {"big": 22, "title": 18, "end": 16, "small": 15}
# A letter of these families is so much of its height wide, on the average; a bold one more.
_LETTER: Final = 0.56
_BOLD: Final = 0.63
_ROUND: Final = 7.0  # the corners of a wire

_FROM_ABOVE: Final = {
    "pi": "The header from above: memory card at the top, USB sockets at the bottom.",
    "pico": "The Pico from above, with its USB socket at the top.",
}
_PIN_1: Final = {"pi": "at the end of the memory card", "pico": "beside the USB socket"}

Colours = Mapping[Wire, str]


def picture(config: FittedConfig) -> str:
    """Return the picture of a box's wiring as SVG."""
    boxes = placed(config)
    if not boxes:
        return _cable(config)
    routes = routed(boxes)
    colours = _colours(wire for box in boxes for wire in box.wires)
    dash = ' stroke-dasharray="6 5"' if _is_hat(config) else ""
    height = max([BOTTOM, *(box.top + box.height for box in boxes)]) + 44
    body = [
        *_heading(config),
        *(line for route in routes for line in _curve(route, colours, dash)),
        *_header(),
        *(line for route in routes if route.crosses for line in _bridge(route, colours, dash)),
        *_pins(config, {wire.pin: name for wire, name in colours.items()}),
        *(line for box in boxes for line in _part(box, colours)),
        _text(WIDTH / 2, height - 16, _below(config), "small", "middle", WIDTH - 30),
    ]
    label = f"{config.board.title}: which wire goes to which of the 40 pins"
    return _svg(height, label, _colour_style(colours), body)


def _is_hat(config: FittedConfig) -> bool:
    return config.board.form == "hat"


# --- colours ------------------------------------------------------------------------------


def _colours(found: Iterable[Wire]) -> dict[Wire, str]:
    """Return the colour of each wire: a supply and a lamp have their own, signals take turns."""
    turns: dict[int, str] = {}
    colours: dict[Wire, str] = {}
    for wire in found:
        own = wire.what if wire.what in _OWN else wire.end
        turn = f"s{len(turns) % len(_SIGNALS)}"
        colours[wire] = own if own in _OWN else turns.setdefault(wire.pin, turn)
    return colours


def _colour_style(colours: Colours) -> tuple[str, str]:
    """Return the rules for the colours in use, for light and for dark."""
    tones = {f"s{index}": pair for index, pair in enumerate(_SIGNALS)} | _OWN
    used = sorted(set(colours.values()))
    on_header = "".join(
        f".h-{name} {{ fill: {tones[name][1]}; }} .b-{name} {{ stroke: {tones[name][1]}; }}\n"
        for name in used
    )
    light, dark = (
        "".join(
            f".w-{name} {{ stroke: {tones[name][tone]}; }} "
            f".f-{name} {{ fill: {tones[name][tone]}; }}\n"
            for name in used
        )
        for tone in (0, 1)
    )
    return light + on_header, dark


# --- wires --------------------------------------------------------------------------------


def _curve(route: Route, colours: Colours, dash: str) -> Iterator[str]:
    """Yield the way of a wire from the header to its part."""
    name = colours[route.wire]
    yield from _line(_path(route), f"w-{name}", "rim", dash)


def _path(route: Route) -> str:
    edge, lane = HEADER_X[route.side], route.lane_x
    if lane is None:
        return f"M{edge:g} {route.start:g} L{route.end_x:g} {route.stop:g}"
    out = 1 if route.side else -1  # away from the header
    down = 1 if route.stop > route.start else -1
    bend = min(_ROUND, abs(route.stop - route.start) / 2)
    return (
        f"M{edge:g} {route.start:g} H{lane - out * bend:g} "
        f"Q{lane:g} {route.start:g} {lane:g} {route.start + down * bend:g} "
        f"V{route.stop - down * bend:g} "
        f"Q{lane:g} {route.stop:g} {lane + out * bend:g} {route.stop:g} H{route.end_x:g}"
    )


def _bridge(route: Route, colours: Colours, dash: str) -> Iterator[str]:
    """Yield what goes over the header to its other row, between two pins of the near one."""
    far = PIN_X[route.wire.side]
    path = f"M{HEADER_X[route.side]} {route.start:g} H{far} V{level(route.wire):g}"
    yield from _line(path, f"b-{colours[route.wire]}", "over", dash)


def _line(path: str, colour: str, rim: str, dash: str) -> Iterator[str]:
    yield f'<path class="{rim}" d="{path}" fill="none" stroke-width="7"/>'
    yield f'<path class="{colour}" d="{path}" fill="none" stroke-width="3"{dash}/>'


# --- the header and the parts -------------------------------------------------------------


def _heading(config: FittedConfig) -> Iterator[str]:
    yield _text(WIDTH / 2, 30, config.board.title, "big", "middle", fit=WIDTH - 40)
    words = _FROM_ABOVE[config.board.header]
    yield _text(WIDTH / 2, 58, words, "small", "middle")
    height = BOTTOM - TOP + 32
    yield f'<rect class="board" x="244" y="{TOP - 32}" width="232" height="{height}" rx="14"/>'


def _header() -> Iterator[str]:
    left, right = HEADER_X
    shape = f'x="{left}" y="{TOP - 18}" width="{right - left}" height="{BOTTOM - TOP + 4}"'
    yield f'<rect class="head" {shape} rx="7"/>'


def _pins(config: FittedConfig, used: Mapping[int, str]) -> Iterator[str]:
    header = HEADERS[config.board.header]
    free = {header.all_of(str(pin))[0] for pin in config.board.spare}
    for number in range(1, len(header.pins) + 1):
        where, in_use = header.side(number), number in used
        x, y = PIN_X[where], TOP + header.row(number) * PITCH
        shape = f'x="{x - 11}" y="{y - 11:g}" width="22" height="22"'
        fill = f"h-{used[number]}" if in_use else "pin free" if number in free else "pin"
        yield f'<rect class="{fill}" {shape} rx="{3 if number == 1 else 11}"/>'
        yield _text(x, y + 4.5, str(number), "num dark" if in_use else "num", "middle")
        at, anchor = (x - 18, "end") if where == 0 else (x + 18, "start")
        kind = "name used" if in_use else "name"
        yield _text(at, y + 5.5, header.name(number), kind, anchor)


def _part(box: Box, colours: Colours) -> Iterator[str]:
    x, middle = PART_X[box.side], PART_X[box.side] + PART_W / 2
    shape = f'x="{x}" y="{box.top:g}" width="{PART_W}" height="{box.height:g}"'
    yield f'<rect class="part" {shape} rx="9"/>'
    yield _text(middle, box.top + 23, box.title, "title", "middle", fit=PART_W - 14)
    at, anchor = (box.edge - 14, "end") if box.side == 0 else (box.edge + 14, "start")
    for index, wire in enumerate(box.wires):
        y = box.end_y(index)
        yield f'<circle class="f-{colours[wire]}" cx="{box.edge:g}" cy="{y:g}" r="6.5"/>'
        words = f"{wire.end} · pin {wire.pin}" if wire.end else f"pin {wire.pin}"
        yield _text(at, y + 5.5, words, "end", anchor, fit=PART_W - 24)
    below = box.end_y(len(box.wires)) + 1
    for index, words in enumerate(box.note):
        yield _text(middle, below + NOTE * index, words, "small", "middle", fit=PART_W - 14)


def _below(config: FittedConfig) -> str:
    if _is_hat(config):
        free = " With a ring: free for keys." if config.board.spare else ""
        return f"Nothing to wire, the HAT sits on all pins. Dashed: what it uses.{free}"
    return f"Pin 1 is the square one, {_PIN_1[config.board.header]}. Wire with the power off."


# --- a box with nothing on its header -----------------------------------------------------


def _cable(config: FittedConfig) -> str:
    name = config.board.title
    keys = textwrap.wrap(config.board.button, NOTE_LETTERS)
    body = [
        _text(WIDTH / 2, 34, name, "big", "middle"),
        *_small_board(),
        '<rect class="part" x="476" y="86" width="216" height="150" rx="60"/>',
        _text(584, 150, name, "title", "middle", 190),
        *(
            _text(584, 178 + NOTE * index, words, "small", "middle", 190)
            for index, words in enumerate(keys)
        ),
    ]
    return _svg(270, f"A {name} on a USB cable", ("", ""), body)


def _small_board() -> Iterator[str]:
    """Yield a Raspberry Pi on its side, and a cable out of its USB socket."""
    yield '<rect class="board" x="40" y="76" width="250" height="170" rx="14"/>'
    yield '<rect class="head" x="62" y="92" width="200" height="22" rx="5"/>'
    for column in range(20):
        for y in (98, 108):
            yield f'<circle class="pin" cx="{70 + 9.7 * column:g}" cy="{y}" r="3"/>'
    yield _text(165, 166, "Raspberry Pi", "title", "middle")
    yield _text(165, 192, "nothing on its header", "small", "middle")
    curve = "M312 158 C380 158 370 206 420 206 S440 161 476 161"
    yield f'<path class="cable" d="{curve}" fill="none" stroke-width="6"/>'
    yield '<rect class="part" x="266" y="138" width="48" height="40" rx="4"/>'
    yield _text(290, 163, "USB", "small", "middle")


# --- SVG ----------------------------------------------------------------------------------


def _text(x: float, y: float, words: str, kind: str, anchor: str, fit: float = 0) -> str:
    """Return a line of text; ``fit``: its letters are smaller if it would be wider."""
    size = _SIZES.get(kind, 15)
    letter = _BOLD if kind in {"title", "big"} else _LETTER
    room = fit / (len(words) * letter) if fit and words else size
    smaller = f' style="font-size: {room:.1f}px"' if room < size else ""
    return (
        f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}"{smaller}>'
        f"{escape(words)}</text>"
    )


def _svg(height: float, label: str, style: tuple[str, str], body: Iterable[str]) -> str:
    light, dark = style
    sheet = f"<style>{_STYLE}{light}@media (prefers-color-scheme: dark) {{{_DARK}{dark}}}</style>"
    frame = f'viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}"'
    page = f'<rect class="page" width="{WIDTH}" height="{height:g}" rx="12"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>'
    return "\n".join([head, sheet, page, *body, "</svg>\n"])
