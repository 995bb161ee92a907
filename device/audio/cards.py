"""Sound devices as data: which one is meant, and in which format to ask for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.audio.ports import SAMPLE_RATE

# Before ids of cards: exactly these, where a name alone would also fit a part of another's.
BY_ID: Final = "CARD="
# How PortAudio calls a device that no sound server stands before: "USB Audio: - (hw:2,0)".
_HW: Final = "(hw:"
# A card asked for a rate that it has not got refuses; these are what cards have.
_OTHER_RATES: Final = (44_100, 32_000, 16_000)


class Direction(StrEnum):
    """Which way a stream flows, in a person's words."""

    INPUT = "microphone"
    OUTPUT = "loudspeaker"


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """One device as PortAudio lists it. ``card`` is ALSA's id, the stable name."""

    index: int
    name: str
    card: str | None
    inputs: int  # channels
    outputs: int
    rate: int  # Hz, the device's own choice

    def channels(self, direction: Direction) -> int:
        """How many channels flow that way; 0 when it cannot."""
        return self.inputs if direction is Direction.INPUT else self.outputs


def choose(match: str, devices: Iterable[SoundDevice]) -> SoundDevice | None:
    """Pick the device that ``match`` means.

    ``CARD=one,other`` means the card with the first of these ids that is there, and no other
    card. Else a whole name or card id wins over a part of one, so that a card called "ana"
    is not taken for "banana". Case does not matter.
    """
    ids = card_ids(match)
    if ids:
        return _by_id(ids, devices)
    wanted = match.casefold()
    partly = None
    for device in devices:
        names = [text.casefold() for text in (device.name, device.card) if text]
        if wanted in names:
            return device
        if partly is None and any(wanted in text for text in names):
            partly = device
    return partly


def card_ids(match: str) -> tuple[str, ...]:
    """Return the ids after ``CARD=``; none where ``match`` is a name."""
    if not match.upper().startswith(BY_ID):
        return ()
    return tuple(part.strip() for part in match[len(BY_ID) :].split(",") if part.strip())


def is_kernels(match: str) -> bool:
    """Whether ``match`` means a card of the kernel's: among the cards whenever it is there."""
    return bool(card_ids(match)) or _HW in match.casefold()


def meant(match: str) -> str:
    """Return what a device has that ``match`` means, for the middle of a sentence."""
    ids = card_ids(match)
    return f"has the card id {' or '.join(ids)}" if ids else f"is called {match!r}"


def _by_id(ids: Iterable[str], devices: Iterable[SoundDevice]) -> SoundDevice | None:
    found = {device.card.casefold(): device for device in reversed([*devices]) if device.card}
    return next((found[each.casefold()] for each in ids if each.casefold() in found), None)


def formats(device: SoundDevice, direction: Direction) -> Iterator[tuple[int, int]]:
    """Yield (rate, channels) to try, best first.

    Mono written to a card that is stereo only comes out of one side, so
    loudspeakers are asked for two channels first; of a microphone the first
    channel is the one with something plugged in.
    """
    most = device.channels(direction)
    wide = direction is Direction.OUTPUT
    layouts = [n for n in ((2, 1) if wide else (1, 2)) if n <= most]
    for rate in dict.fromkeys((SAMPLE_RATE, device.rate, *_OTHER_RATES)):
        yield from ((rate, channels) for channels in layouts)
