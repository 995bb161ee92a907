import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.network.wifi import MOST_SEEN, Seen, Wifi, WifiError, checked_country, in_reach


@pytest.mark.parametrize("ssid", ["", "a\nb", "ä" * 17, "x" * 33, "\ud800" * 11])
def test_names_of_no_network(ssid: str) -> None:
    with pytest.raises(WifiError) as caught:
        Wifi(ssid, "12345678")
    assert caught.value.part == "ssid"


@pytest.mark.parametrize("key", ["1234567", "x" * 64, "äöüäöüäö", "g" * 64, "1234567\n8"])
def test_keys_of_no_network(key: str) -> None:
    with pytest.raises(WifiError) as caught:
        Wifi("home", key)
    assert caught.value.part == "key"
    assert key not in str(caught.value)


def test_keys_of_networks() -> None:
    for key in ("", "12345678", "x" * 63, "0aF1" * 16):
        assert Wifi("home", key).key == key


def test_countries() -> None:
    assert checked_country("DE") == "DE"
    for text in ("de", "Germany", "", "D1", "DEU"):
        with pytest.raises(WifiError):
            checked_country(text)


def test_what_is_in_reach_is_listed_once_and_strongest_first() -> None:
    found = [
        (b"far", 10, True),
        (b"home", 40, True),
        (b"home", 70, True),
        (b"home", 60, True),
        (b"", 99, True),
        (b"\xff\xfe", 99, True),
        (b"a\x07", 99, False),
        (b"cafe", 70, False),
    ]
    expected = (Seen("cafe", 70, is_secured=False), Seen("home", 70, is_secured=True))
    assert in_reach(found) == (*expected, Seen("far", 10, is_secured=True))


@given(st.lists(st.tuples(st.binary(max_size=32), st.integers(0, 100), st.booleans())))
def test_however_many_there_are(found: list[tuple[bytes, int, bool]]) -> None:
    seen = in_reach(found)
    assert len(seen) <= MOST_SEEN
    assert len({each.ssid for each in seen}) == len(seen)


def test_more_than_a_page_takes() -> None:
    found = [(f"net{i}".encode(), i, True) for i in range(MOST_SEEN + 5)]
    assert len(in_reach(found)) == MOST_SEEN
