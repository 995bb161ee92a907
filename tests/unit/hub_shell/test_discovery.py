"""Which names and addresses are announced."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.discovery import MAX_ADDRESSES, instance_name, to_announce

HUB = "0123456789abcdef" * 2
MACHINE = ["127.0.0.1", "::1", "192.0.2.7", "fe80::1%eth0", "2001:db8::7", "192.0.2.7"]


def test_all_addresses_but_loopback_for_a_hub_on_all() -> None:
    found = to_announce(MACHINE, ["::", "0.0.0.0"])
    assert found == ["192.0.2.7", "2001:db8::7", "fe80::1"]


def test_only_what_the_hub_listens_on() -> None:
    assert to_announce(MACHINE, ["0.0.0.0"]) == ["192.0.2.7"]
    assert to_announce(MACHINE, ["fe80::1%eth0"]) == ["fe80::1"]
    assert to_announce(MACHINE, ["198.51.100.1"]) == []


def test_loopback_where_there_is_nothing_else() -> None:
    assert to_announce(["127.0.0.1", "::1"], ["::", "0.0.0.0"]) == ["127.0.0.1", "::1"]
    assert to_announce(MACHINE, ["127.0.0.1"]) == ["127.0.0.1"]


def test_the_list_is_bounded() -> None:
    many = [f"10.0.{n}.1" for n in range(100)]
    assert len(to_announce(many, ["0.0.0.0"])) == MAX_ADDRESSES


@settings(deadline=None)  # the machine may be busy
@given(st.text(min_size=1, max_size=40))
def test_any_name_makes_a_label(name: str) -> None:
    label = instance_name(name.encode(errors="ignore").decode(), HUB)
    assert len(label.encode()) <= 63
    assert "." not in label
    assert label.endswith(" 01234567")
