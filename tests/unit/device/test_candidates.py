"""Which hub: the box's own, at the best address first, whatever else the network says."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.link.candidates import (
    DEFAULT_PORT,
    MAX_ADDRESSES,
    MAX_CANDIDATES,
    MAX_SEEN,
    Candidate,
    HubChoice,
    LastHub,
    SeenHub,
    Source,
    add_seen,
    admits,
    decode_last,
    member_url,
    plan,
)

OWN, OTHER = "a" * 32, "b" * 32
LAST = LastHub(url="ws://10.0.0.1:7300/member/v1", hub_id=OWN)


def hub(name: str, hub_id: str | None, *addresses: str) -> SeenHub:
    return SeenHub(name, addresses or ("10.0.0.9",), 7300, hub_id)


def urls(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.url for candidate in candidates]


def test_a_new_box_takes_any_hub_it_finds() -> None:
    made = plan(HubChoice(), None, [hub("A", OTHER), hub("B", None, "10.0.0.8")])
    assert made.others == ()
    assert made.candidates == (
        Candidate("ws://10.0.0.9:7300/member/v1", Source.FOUND),
        Candidate("ws://10.0.0.8:7300/member/v1", Source.FOUND),
    )


def test_a_box_stays_with_its_hub() -> None:
    made = plan(HubChoice(), LAST, [hub("B", OTHER), hub("A", OWN), hub("C", None, "10.0.0.7")])
    assert [other.name for other in made.others] == ["B"]
    assert made.candidates == (
        Candidate(LAST.url, Source.LAST, OWN),
        Candidate("ws://10.0.0.9:7300/member/v1", Source.FOUND, OWN),
        Candidate("ws://10.0.0.7:7300/member/v1", Source.FOUND, OWN),
    )


def test_a_box_that_may_take_any_hub_takes_any() -> None:
    made = plan(HubChoice(any_hub=True), LAST, [hub("B", OTHER)])
    assert made.others == ()
    assert [candidate.expect for candidate in made.candidates] == [None, None]
    assert made.candidates[0].source is Source.LAST


def test_the_settings_name_a_hub() -> None:
    made = plan(HubChoice(hub_id=OTHER), LAST, [hub("A", OWN), hub("B", OTHER)])
    assert made.candidates == (Candidate("ws://10.0.0.9:7300/member/v1", Source.FOUND, OTHER),)
    assert [other.name for other in made.others] == ["A"]
    assert plan(HubChoice(hub_id=OWN), LAST, ()).candidates[0].expect == OWN


def test_an_address_in_the_settings_is_the_owners_word() -> None:
    made = plan(HubChoice(url="ws://hub:1"), None, [hub("A", OTHER)])
    assert made.candidates == (Candidate("ws://hub:1/member/v1", Source.CONFIGURED),)
    assert [other.name for other in made.others] == ["A"]


def test_a_new_address_in_the_settings_outdates_the_last_hub() -> None:
    choice = HubChoice(url="ws://hub:1")
    assert urls(plan(choice, LAST, ()).candidates) == ["ws://hub:1/member/v1"]
    kept = LastHub(url="ws://10.0.0.1:1/member/v1", hub_id=OWN, configured="ws://hub:1")
    made = plan(choice, kept, [hub("A", OWN), hub("B", OTHER)])
    assert [candidate.source for candidate in made.candidates] == [
        Source.LAST,
        Source.FOUND,
        Source.CONFIGURED,
    ]
    assert [candidate.expect for candidate in made.candidates] == [OWN, OWN, None]
    assert [other.name for other in made.others] == ["B"]


def test_one_address_known_twice_is_tried_once_and_on_the_owners_terms() -> None:
    kept = LastHub(url="ws://hub:1/member/v1", hub_id=OWN, configured="ws://hub:1")
    made = plan(HubChoice(url="ws://hub:1"), kept, [hub("A", OWN)])
    assert made.candidates[0] == Candidate("ws://hub:1/member/v1", Source.CONFIGURED)
    assert len(made.candidates) == 2


def test_many_announcements_do_not_push_the_settings_out() -> None:
    kept = LastHub(url="ws://10.0.0.1:1/member/v1", hub_id=OWN, configured="ws://hub:1")
    crowd = [hub(str(n), OWN, f"10.0.1.{n}") for n in range(50)]
    made = plan(HubChoice(url="ws://hub:1"), kept, crowd)
    assert len(made.candidates) == MAX_CANDIDATES
    assert made.candidates[0].source is Source.LAST
    assert made.candidates[-1].source is Source.CONFIGURED


def test_addresses_in_a_useful_order() -> None:
    seen = hub(
        "A",
        OWN,
        "169.254.3.4",
        "fe80::1%2",
        "fd00::2",
        "192.168.1.2",
        "192.168.1.2",
        "224.0.0.1",
        "0.0.0.0",
        "nonsense",
    )
    assert urls(plan(HubChoice(), None, [seen]).candidates) == [
        "ws://192.168.1.2:7300/member/v1",
        "ws://[fd00::2]:7300/member/v1",
        "ws://169.254.3.4:7300/member/v1",
    ]


def test_a_hub_with_many_addresses_is_cut_short() -> None:
    seen = hub("A", OWN, *(f"10.0.1.{n}" for n in range(20)))
    assert len(plan(HubChoice(), None, [seen]).candidates) == MAX_ADDRESSES


def test_the_path_is_the_hubs_to_say() -> None:
    seen = SeenHub("A", ("10.0.0.9",), 443, OWN, "/x")
    assert urls(plan(HubChoice(), None, [seen]).candidates) == ["ws://10.0.0.9:443/x"]


@pytest.mark.parametrize(
    ("expect", "hub_id", "taken"), [(None, OWN, True), (OWN, OWN, True), (OWN, OTHER, False)]
)
def test_who_may_answer(expect: str | None, hub_id: str, taken: bool) -> None:
    assert admits(Candidate("ws://h", Source.LAST, expect), hub_id) is taken


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("ws://h", f"ws://h:{DEFAULT_PORT}/member/v1"),
        ("ws://h:", f"ws://h:{DEFAULT_PORT}/member/v1"),
        ("ws://h:80/", "ws://h:80/member/v1"),
        ("ws://[::1]", f"ws://[::1]:{DEFAULT_PORT}/member/v1"),
        ("wss://h", "wss://h/member/v1"),
        ("wss://h/there", "wss://h/there"),
    ],
)
def test_what_the_settings_leave_out(given_url: str, url: str) -> None:
    assert member_url(given_url) == url


def test_the_last_hub_is_only_a_hint() -> None:
    assert decode_last(msgspec.json.encode(LAST)) == LAST
    bad = [b"", b"{", b"\xff", b"[]", b'{"url":"http://x","hub_id":"' + OWN.encode() + b'"}']
    assert [decode_last(text) for text in bad] == [None] * len(bad)
    assert decode_last(b"[" * 100_000) is None


def test_the_list_of_announcements_is_bounded() -> None:
    seen: dict[str, SeenHub] = {}
    add_seen(seen, "own", hub("own", OWN), OWN)
    for n in range(3 * MAX_SEEN):
        add_seen(seen, str(n), hub(str(n), OTHER), OWN)
    assert len(seen) == MAX_SEEN
    assert "own" in seen
    add_seen(seen, "own", hub("again", OWN), OWN)
    assert len(seen) == MAX_SEEN
    assert seen["own"].name == "again"


def test_without_a_preference_the_oldest_goes() -> None:
    seen: dict[str, SeenHub] = {}
    for n in range(MAX_SEEN + 1):
        add_seen(seen, str(n), hub(str(n), OTHER), None)
    assert "0" not in seen


def test_even_a_crowd_that_claims_the_id_is_bounded() -> None:
    seen: dict[str, SeenHub] = {}
    for n in range(MAX_SEEN + 1):
        add_seen(seen, str(n), hub(str(n), OWN), OWN)
    assert len(seen) == MAX_SEEN


_IDS = st.sampled_from([None, OWN, OTHER])
_SEEN = st.lists(
    st.builds(
        SeenHub,
        name=st.text(max_size=3),
        addresses=st.lists(st.sampled_from(["10.0.0.1", "fe80::1", "::", "x"]), max_size=4).map(
            tuple
        ),
        port=st.just(1),
        id=_IDS,
    ),
    max_size=20,
)


@given(_SEEN, st.sampled_from([None, LAST]), st.sampled_from([None, "ws://hub:1"]), _IDS)
def test_no_announcement_captures_a_box_that_knows_its_hub(
    seen: list[SeenHub], last: LastHub | None, url: str | None, hub_id: str | None
) -> None:
    made = plan(HubChoice(url, hub_id), last, seen)
    assert len(made.candidates) <= MAX_CANDIDATES
    assert len(set(urls(made.candidates))) == len(made.candidates)
    known = hub_id or (LAST.hub_id if last and url is None else None)
    for candidate in made.candidates:
        if candidate.source is Source.FOUND and (known or url):
            assert candidate.expect == known
            assert known is not None
