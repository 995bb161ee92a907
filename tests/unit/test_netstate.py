import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebox.netstate import (
    MOST_BYTES,
    NetworkState,
    NetworkStateError,
    NetworkStep,
    decode,
    encode,
    groups,
)


@given(
    st.builds(
        NetworkState,
        number=st.integers(0, 2**53 - 1),
        step=st.sampled_from(NetworkStep),
        detail=st.text(st.characters(exclude_categories=["Cs"]), max_size=64),
        line=st.integers(0, 99_999),
        secret=st.text("0123456789", max_size=64),
    )
)
def test_what_is_written_is_read_again_and_fits(state: NetworkState) -> None:
    data = encode(state)
    assert decode(data) == state
    assert len(data) <= MOST_BYTES


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"number": 1, "step": "hotpot"}',
        b'{"number": -1, "step": "quiet"}',
        b'{"number": 1, "step": "quiet", "more": 1}',
        b'{"number": 1, "step": "quiet"}' + b" " * MOST_BYTES,
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(NetworkStateError):
        decode(data)


def test_its_secret_is_not_shown() -> None:
    state = NetworkState(number=3, step=NetworkStep.HOTSPOT, detail="x", secret="123456789012")
    assert "1234" not in repr(state)
    assert "1234" not in f"{state}"


def test_a_key_is_read_in_groups() -> None:
    assert groups("123456789012") == "1 2 3 4, 5 6 7 8, 9 0 1 2"
    assert groups("") == ""
