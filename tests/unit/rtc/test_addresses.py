import pytest
from aioice import ice

from stagebox.rtc import addresses
from stagebox.rtc.addresses import AddressError, gathering_on, usable


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (None, None),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("192.168.1.7", "192.168.1.7"),
        ("169.254.1.7", "169.254.1.7"),
        ("FD00::1", "fd00::1"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("fe80::1%eth0", None),
        ("fe80::1", None),
        ("0.0.0.0", None),
        ("::", None),
    ],
)
def test_which_addresses_are_gathered_on(given: str | None, chosen: str | None) -> None:
    assert usable(given) == chosen


def test_refuses_what_is_no_address() -> None:
    with pytest.raises(AddressError, match=r"'hub\.local' is not an IP address"):
        usable("hub.local")


def test_the_choice_ends_with_the_block() -> None:
    addresses.install()
    addresses.install()
    ordinary = ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    with gathering_on("127.0.0.1"):
        assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["127.0.0.1"]
        with gathering_on(None):
            assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ordinary
    assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ordinary
    assert "127.0.0.1" not in ordinary
