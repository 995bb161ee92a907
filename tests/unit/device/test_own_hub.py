"""A box that is enrolled asks its own hub and nobody else; one that is not, its own machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.link.candidates import (
    MAX_CANDIDATES,
    Candidate,
    HubChoice,
    LastHub,
    Plan,
    SeenHub,
    Source,
)
from device.link.own import Own, is_here, open_plan, own_plan, secure_url, targets
from device.trust.errand import Target

OWN, OTHER = "a" * 32, "b" * 32
ONE, TWO = "1" * 64, "2" * 64
KEY = "VVebVXiW0M4XZMR/7WRPmzX1i61iBnSvI/NW2A7QxQM="
MINE = Own((ONE,), OWN, KEY, "wss://10.0.0.1:7443/member/v1")
LAST = LastHub(url="wss://10.0.0.2:7443/member/v1", hub_id=OWN)


def hub(name: str, hub_id: str | None, *addresses: str, port: int = 7443) -> SeenHub:
    return SeenHub(name, addresses or ("10.0.0.9",), 7300, hub_id, secure_port=port)


def urls(plan: Plan) -> list[str]:
    return [each.url.split("/")[2] for each in plan.candidates]


def test_everything_leads_to_one_certificate_and_one_key() -> None:
    seen = [hub("A", OWN), hub("B", OTHER), hub("C", None, "10.0.0.7")]
    plan = own_plan(MINE, HubChoice("ws://10.0.0.3:7300"), LAST, seen)
    assert urls(plan) == [
        *("10.0.0.2:7443", "10.0.0.1:7443", "10.0.0.9:7443"),
        *("10.0.0.7:7443", "10.0.0.3:7443"),
    ]
    assert {(each.expect, each.pin, each.hub_key) for each in plan.candidates} == {(OWN, ONE, KEY)}
    assert [each.name for each in plan.others] == ["B"]
    assert not plan.lacks_hub
    sources = [each.source for each in plan.candidates]
    assert sources == [Source.LAST, Source.LAST, Source.FOUND, Source.FOUND, Source.CONFIGURED]


def test_the_next_certificate_is_asked_for_first() -> None:
    plan = own_plan(Own((TWO, ONE), OWN, KEY), HubChoice(), None, [hub("A", OWN)])
    assert [each.pin for each in plan.candidates] == [TWO, ONE]


def test_an_address_known_twice_is_tried_once_for_the_better_reason() -> None:
    plan = own_plan(MINE, HubChoice("wss://10.0.0.1:7443"), None, [hub("A", OWN, "10.0.0.1")])
    assert plan.candidates == (Candidate(MINE.url or "", Source.LAST, OWN, ONE, KEY),)


def test_what_was_used_without_tls_is_nothing_for_a_box_with_a_hub() -> None:
    plain = LastHub(url="ws://10.0.0.2:7300/member/v1", hub_id=OWN)
    assert urls(own_plan(Own((ONE,), OWN, KEY), HubChoice(), plain, [])) == []
    assert urls(own_plan(MINE, HubChoice(), None, [hub("A", OWN, port=0)])) == ["10.0.0.1:7443"]


def test_a_box_that_asks_to_be_let_in_knows_a_certificate_and_no_more() -> None:
    plan = own_plan(Own((ONE,)), HubChoice(), None, [hub("A", OTHER)])
    assert plan.candidates == (
        Candidate("wss://10.0.0.9:7443/member/v1", Source.FOUND, None, ONE, None),
    )


def test_settings_that_name_another_hub_keep_the_box_from_its_own() -> None:
    plan = own_plan(MINE, HubChoice(hub_id=OTHER), LAST, [hub("B", OTHER)])
    assert plan == Plan((), (hub("B", OTHER),))
    assert own_plan(MINE, HubChoice(hub_id=OWN), LAST, []).candidates


@given(st.lists(st.tuples(st.sampled_from([OWN, OTHER, None]), st.integers(0, 255))))
def test_a_flood_of_announcements_leaves_what_is_known_in_place(
    flood: list[tuple[str | None, int]],
) -> None:
    seen = [hub(f"H{n}", who, f"10.9.0.{n}") for who, n in flood]
    plan = own_plan(MINE, HubChoice("wss://10.0.0.3"), LAST, seen)
    assert len(plan.candidates) <= MAX_CANDIDATES
    assert {"10.0.0.1:7443", "10.0.0.2:7443", "10.0.0.3:7443"} <= set(urls(plan))
    assert all(each.url.startswith("wss://") and each.pin for each in plan.candidates)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("ws://127.0.0.1:7300/x", True),
        ("ws://[::1]:7300/x", True),
        ("ws://localhost/x", True),
        ("ws://10.0.0.1:7300/x", False),
        ("ws://localhost.example:7300/x", False),
        ("wss://127.0.0.1:7443/x", False),
        ("ws:///x", False),
    ],
)
def test_without_a_hub_only_this_machine(url: str, here: bool) -> None:
    assert is_here(url) is here
    plan = open_plan(Plan((Candidate(url, Source.CONFIGURED),), (hub("B", OTHER),)))
    assert bool(plan.candidates) is here
    assert plan.lacks_hub is not here
    assert plan.others


def test_hubs_that_wait_for_a_box() -> None:
    waits = SeenHub("A", ("10.0.0.9", "fd00::9", "10.0.0.8"), 7300, OWN, "/x", 7443, enrols=True)
    plain = SeenHub("B", ("10.0.0.7",), 7300, OTHER, "/x", 0, enrols=True)
    found = Target(("wss://10.0.0.8:7443/enrol/v1", "wss://10.0.0.9:7443/enrol/v1"))
    seen = (waits, plain, hub("C", OTHER))
    (target,) = targets(HubChoice(), seen)
    assert sorted(target.urls) == sorted(found.urls)
    given_ = Target(("wss://10.0.0.1:7443/enrol/v1",), given=True)
    assert targets(HubChoice("ws://10.0.0.1:7300"), seen) == (given_, target)
    assert targets(HubChoice(hub_id=OTHER), seen) == ()
    # The address of the settings is not asked twice.
    assert len(targets(HubChoice("wss://10.0.0.9:7443"), seen)) == 1


def test_an_address_without_tls_says_where_and_no_more() -> None:
    assert secure_url("ws://hall.local:8080/y", "/x") == "wss://hall.local:7443/x"
    assert secure_url("wss://hall.local:9443", "/x") == "wss://hall.local:9443/x"
    assert secure_url("wss://[fd00::1]", "/x") == "wss://[fd00::1]:7443/x"
