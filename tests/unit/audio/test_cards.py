from pathlib import Path

import pytest

from device.audio.alsa import card_id
from device.audio.cards import Direction, SoundDevice, card_ids, choose, formats, is_kernels, meant


def device(
    index: int,
    name: str,
    card: str | None = None,
    *,
    inputs: int = 2,
    outputs: int = 2,
    rate: int = 48_000,
) -> SoundDevice:
    return SoundDevice(index, name, card, inputs, outputs, rate)


CARDS = [
    device(0, "banana: - (hw:0,0)", "banana"),
    device(1, "USB Audio Device: - (hw:1,0)", "Device"),
    device(2, "ana"),
    device(3, "Jabra SPEAK 510 USB: Audio (hw:3,0)", "USB"),
]


@pytest.mark.parametrize(
    ("match", "index"),
    [("ana", 2), ("ANA", 2), ("nana", 0), ("Device", 1), ("usb", 3), ("jabra", 3), ("hw:1", 1)],
)
def test_a_whole_name_or_id_wins_over_a_part(match: str, index: int) -> None:
    chosen = choose(match, CARDS)
    assert chosen is not None
    assert chosen.index == index


@pytest.mark.parametrize(
    ("match", "index"),
    [
        ("CARD=banana", 0),
        ("card=DEVICE", 1),
        ("CARD=USB", 3),
        ("CARD=nana", None),  # a part of an id is another card's
        ("CARD=ana", None),  # a name is no id
        ("CARD=Zero,Device", 1),
        ("CARD=Device, banana", 1),  # the first of them that is there
        ("CARD=", None),  # no id, and a part of no name
    ],
)
def test_a_card_is_meant_by_exactly_its_id(match: str, index: int | None) -> None:
    chosen = choose(match, CARDS)
    assert (None if chosen is None else chosen.index) == index


def test_the_ids_after_card() -> None:
    assert card_ids("CARD=Zero, IQaudIOCODEC,") == ("Zero", "IQaudIOCODEC")
    assert card_ids("USB") == card_ids("") == card_ids("CARD=") == ()


def test_what_is_meant_in_words() -> None:
    assert meant("USB") == "is called 'USB'"
    assert meant("CARD=Zero,IQaudIOCODEC") == "has the card id Zero or IQaudIOCODEC"


def test_nothing_matches() -> None:
    assert choose("xyz", CARDS) is None
    assert choose("xyz", []) is None


def test_a_loudspeaker_is_asked_for_stereo_first_and_a_microphone_for_mono() -> None:
    both = device(0, "both", rate=44_100)
    assert list(formats(both, Direction.OUTPUT))[:4] == [
        (48_000, 2),
        (48_000, 1),
        (44_100, 2),
        (44_100, 1),
    ]
    assert list(formats(both, Direction.INPUT))[:4] == [
        (48_000, 1),
        (48_000, 2),
        (44_100, 1),
        (44_100, 2),
    ]


def test_no_format_is_tried_twice_nor_more_channels_than_there_are() -> None:
    mono = device(0, "mono", inputs=1, outputs=1)
    assert all(channels == 1 for _, channels in formats(mono, Direction.OUTPUT))
    every = list(formats(device(0, "x", rate=96_000), Direction.INPUT))
    assert len(every) == len(set(every)) == 10


def test_the_card_id_is_found_behind_a_portaudio_name(tmp_path: Path) -> None:
    (tmp_path / "card2").mkdir()
    (tmp_path / "card2" / "id").write_text("Device\n")
    assert card_id("USB Audio Device: - (hw:2,0)", tmp_path) == "Device"
    assert card_id("USB Audio Device: - (hw:3,0)", tmp_path) is None
    assert card_id("pulse", tmp_path) is None
    (tmp_path / "card2" / "id").write_text("\n")
    assert card_id("USB Audio Device: - (hw:2,0)", tmp_path) is None


@pytest.mark.parametrize(
    ("match", "kernels"),
    [("CARD=Device", True), ("(hw:0,1)", True), ("jabra", False), ("pulse", False), ("", False)],
)
def test_a_card_of_the_kernels_is_told_from_a_name(match: str, kernels: bool) -> None:
    assert is_kernels(match) is kernels
