"""Every file of the guide that is made from the code, or has parts that are."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from device.audio.earcons import EARCON_MEANINGS, SCORES
from device.buttons.lamps import LAMP_MEANINGS
from device.buttons.meanings import Meaning, Standing
from device.handbook import gestures, tables
from device.handbook.card import card
from device.handbook.gestures import Row
from device.handbook.melody import picture
from device.handbook.pages import filled
from device.handbook.settings import Setting
from device.handbook.strip import strip
from stagebox.phrases import Language

Made = Callable[[], str]


def _gestures(wanted: Callable[[Meaning], bool], hand: str, told: Iterable[Standing]) -> Made:
    return lambda: _table(gestures.rows(wanted, hand, tuple(told)))


def _table(rows: Iterable[Row]) -> str:
    found = list(rows)
    if not any(row.standing for row in found):
        cells = [[row.gesture, row.outcome] for row in found]
        return tables.table(["do this", "and this happens"], cells)
    cells = [[row.gesture, row.standing, row.outcome] for row in found]
    return tables.table(["do this", "where", "and this happens"], cells)


PARTS: Final[Mapping[str, Made]] = MappingProxyType(
    {
        "lamps": tables.lamp_table,
        "tones": tables.tone_table,
        "phrases": tables.phrase_tables,
        "gestures-everywhere": _gestures(gestures.everywhere, "HAND", ()),
        "gestures-guest": _gestures(gestures.for_guests, "HAND", gestures.GUESTS),
        "gestures-host": _gestures(gestures.for_hosts, "NEXT", gestures.CHAIRS),
        "gestures-latch": _gestures(gestures.for_latch, "HAND", tuple(Standing)),
        "gestures-one-key": _gestures(gestures.for_one_key, "HAND", tuple(Standing)),
        "gestures-speaker": _gestures(gestures.for_speakers, "HAND", ()),
    }
)


def pictures() -> dict[str, str]:
    """Return the pictures and the cards by their paths below the guide."""
    lamps = {f"{tables.LAMPS}/{name}.svg": strip(tables.pattern(name)) for name in LAMP_MEANINGS}
    tones = {
        f"{tables.TONE_PICTURES}/{tone}.svg": picture(score, EARCON_MEANINGS[tone])
        for tone, score in SCORES.items()
    }
    cards = {f"card-{language}.html": card(language) for language in Language}
    return {name: _ended(text) for name, text in {**lamps, **tones, **cards}.items()}


def pages(written: Mapping[str, str], settings: Iterable[Setting]) -> dict[str, str]:
    """Return pages with their made parts put in.

    Raises:
        KeyError: a page asks for a part that nobody makes.
    """
    parts = {name: make() for name, make in PARTS.items()}
    parts["settings"] = tables.settings_tables(settings)
    return {path: filled(text, parts) for path, text in written.items()}


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
