"""Commands by MQTT, good and bad."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.home.entities import Places
from hub.home.orders import Fault, HoldAll, NextHand, Order, OrderError, SetVolume, read

PLACES = Places("0123456789abcdef", "homeassistant", commands=True)
BOX = "b" * 32
HOLD = PLACES.command("space", "main", "hold")
NEXT = PLACES.command("space", "main", "next")
VOLUME = PLACES.command("box", BOX, "volume")


@pytest.mark.parametrize(
    ("topic", "payload", "order"),
    [
        (HOLD, b"ON", HoldAll("main", True)),
        (HOLD, b"OFF", HoldAll("main", False)),
        (NEXT, b"PRESS", NextHand("main")),
        (VOLUME, b"0", SetVolume(BOX, 0)),
        (VOLUME, b"85.0", SetVolume(BOX, 85)),
        (VOLUME, b"200", SetVolume(BOX, 200)),
    ],
)
def test_what_home_assistant_sends_is_read(topic: str, payload: bytes, order: Order) -> None:
    assert read(PLACES, topic, payload, retained=False) == order


@pytest.mark.parametrize(
    ("topic", "payload", "fault"),
    [
        (HOLD, b"", Fault.BAD_VALUE),
        (HOLD, b"on", Fault.BAD_VALUE),
        (HOLD, b"\xff\x00", Fault.BAD_VALUE),
        (HOLD, b"ON" * 9, Fault.TOO_LONG),
        (NEXT, b"ON", Fault.BAD_VALUE),
        (VOLUME, b"201", Fault.BAD_VALUE),
        (VOLUME, b"-1", Fault.BAD_VALUE),
        (VOLUME, b"1e2", Fault.BAD_VALUE),
        (VOLUME, b"nan", Fault.BAD_VALUE),
        (VOLUME, "٣".encode(), Fault.BAD_VALUE),
        (PLACES.command("space", "../main", "hold"), b"ON", Fault.UNKNOWN),
        (PLACES.command("space", "main\n", "hold"), b"ON", Fault.UNKNOWN),
        (PLACES.command("space", "main\n", "next"), b"PRESS", Fault.UNKNOWN),
        (PLACES.command("box", "main", "volume"), b"5", Fault.UNKNOWN),
        (PLACES.command("space", "main", "end"), b"PRESS", Fault.UNKNOWN),
        ("elsewhere/space/main/hold/set", b"ON", Fault.UNKNOWN),
    ],
)
def test_what_cannot_be_done_says_why(topic: str, payload: bytes, fault: Fault) -> None:
    with pytest.raises(OrderError) as refused:
        read(PLACES, topic, payload, retained=False)
    assert refused.value.fault is fault
    assert str(refused.value)


def test_a_command_of_another_day_is_none() -> None:
    with pytest.raises(OrderError) as refused:
        read(PLACES, HOLD, b"ON", retained=True)
    assert refused.value.fault is Fault.RETAINED


@given(st.text(max_size=80), st.binary(max_size=40), st.booleans())
def test_anything_is_an_order_or_an_error(tail: str, payload: bytes, retained: bool) -> None:
    for topic in (tail, f"{PLACES.base}/{tail}"):
        try:
            order = read(PLACES, topic, payload, retained=retained)
        except OrderError as error:
            assert error.fault in Fault
        else:
            assert isinstance(order, HoldAll | NextHand | SetVolume)
