"""Which requests a page of our own may have sent, and which names are ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web.trust import crowd, is_foreign, is_loopback, is_ours, names_of, same_host

NAMES = names_of("kitchen.example.org", "Grandma's hub", "0123456789abcdef" * 2, ["Radio.example"])


def test_the_names_of_a_hub_are_those_it_is_called_by() -> None:
    assert (
        frozenset(
            {
                "localhost",
                "kitchen.example.org",
                "kitchen",
                "kitchen.local",
                "grandma-s-hub.local",
                "stagebox-01234567.local",
                "radio.example",
            }
        )
        == NAMES
    )


def test_a_hub_whose_name_has_no_letters_has_no_empty_name() -> None:
    assert names_of("", "!!!", "0" * 32, []) == {"localhost", "stagebox-00000000.local"}


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:7300",
        "kitchen.local.",
        "stagebox-01234567.local:7443",
        "192.0.2.7",
        "192.0.2.7:7300",
        "[fd00::1]",
        "[fd00::1]:7300",
    ],
)
def test_addresses_and_own_names_are_ours(host: str) -> None:
    assert is_ours(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "attacker.example",
        "kitchen.local.attacker.example",
        "user@kitchen.local",
        "kitchen.local:port",
        "kitchen.local:7300:1",
        "kitchen.local/x",
        "[kitchen.local]",
        "[::g]",
        "fd00::1",
        "kitchen.local, attacker.example",
        "local",
        ".local",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not is_ours(host, NAMES)


def test_an_origin_must_be_the_host_itself() -> None:
    assert same_host("http://hub.local:7300", "HUB.local:7300")
    assert same_host("https://[fd00::1]:7300", "[fd00::1]:7300")
    for origin in ("null", "", "hub.local:7300", "http://hub.local", "ftp://hub.local:7300"):
        assert not same_host(origin, "hub.local:7300")
    assert not same_host("http://hub.local:7300.evil.example", "hub.local:7300")


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Origin": "http://hub.local"}, False),
        ({"Origin": "http://hub.local", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "null"}, True),
        ({"Origin": "http://hub.local:81"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "http://hub.local", "Sec-Fetch-Site": "same-site"}, True),
    ],
)
def test_what_a_foreign_page_sends_is_known_by_its_headers(
    headers: dict[str, str], foreign: bool
) -> None:
    assert is_foreign(headers, "hub.local") is foreign


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_one_house_is_one_crowd(address: str, counted: str) -> None:
    assert crowd(address) == counted


@given(st.ip_addresses())
def test_every_address_has_a_crowd(address: object) -> None:
    assert crowd(str(address)) == crowd(crowd(str(address)).partition("/")[0])


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False),
        ("fe80::1", False),
        ("", False),
    ],
)
def test_who_is_at_the_hub_itself(address: str, here: bool) -> None:
    assert is_loopback(address) is here
