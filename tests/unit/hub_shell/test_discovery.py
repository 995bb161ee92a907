"""Which names and addresses are announced."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.discovery import MAX_ADDRESSES, MAX_LINKS, Link, instance_name, to_announce

HUB = "0123456789abcdef" * 2
LOOPBACK = Link(1, ("127.0.0.1", "::1"))
CABLE = Link(2, ("192.0.2.7", "fe80::1%2", "2001:db8::7", "192.0.2.7"))
RADIO = Link(3, ("198.51.100.7", "fe80::2%3"))
MACHINE = [LOOPBACK, CABLE, RADIO]


def test_each_network_is_told_the_addresses_that_are_there() -> None:
    assert to_announce(MACHINE, ["::", "0.0.0.0"]) == (
        Link(2, ("192.0.2.7", "2001:db8::7", "fe80::1")),
        Link(3, ("198.51.100.7", "fe80::2")),
    )


def test_only_what_the_hub_listens_on() -> None:
    found = to_announce(MACHINE, ["0.0.0.0"])
    assert found == (Link(2, ("192.0.2.7",)), Link(3, ("198.51.100.7",)))
    assert to_announce(MACHINE, ["fe80::1%eth0"]) == (Link(2, ("fe80::1",)),)
    assert to_announce(MACHINE, ["203.0.113.1"]) == ()


def test_loopback_where_there_is_nothing_else() -> None:
    assert to_announce([LOOPBACK], ["::", "0.0.0.0"]) == (LOOPBACK,)
    assert to_announce(MACHINE, ["127.0.0.1"]) == (Link(1, ("127.0.0.1",)),)


def test_what_is_announced_is_bounded() -> None:
    many = [Link(2, tuple(f"10.0.{n}.1" for n in range(100)))]
    assert len(to_announce(many, ["0.0.0.0"])[0].addresses) == MAX_ADDRESSES
    bridges = [Link(n, (f"10.0.{n}.1",)) for n in range(100)]
    assert len(to_announce(bridges, ["0.0.0.0"])) == MAX_LINKS


@settings(deadline=None)  # the machine may be busy
@given(st.text(min_size=1, max_size=40))
def test_any_name_makes_a_label(name: str) -> None:
    label = instance_name(name.encode(errors="ignore").decode(), HUB)
    assert len(label.encode()) <= 63
    assert "." not in label
    assert label.endswith(" 01234567")
