"""What is counted, how it is summed up, and how it travels."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.media import mail
from hub.media.lateness import BOUNDS, Lateness, buckets, percentile
from hub.media.report import MediaReport, as_report, nothing, total


def late(*delays: float) -> Lateness:
    lateness = Lateness()
    for delay in delays:
        lateness.add(delay)
    return lateness


def test_a_delay_is_counted_under_the_bound_that_holds_it() -> None:
    counts = late(0.0, 0.001, 0.0011, 10.0).counts
    assert counts[0] == 1
    assert counts[BOUNDS.index(0.001)] == 1
    assert counts[BOUNDS.index(0.0015)] == 1
    assert counts[-1] == 1


def test_being_early_is_not_being_late() -> None:
    early = late(-1.0)
    assert (early.counts[0], early.total_s) == (1, 0.0)


def test_buckets_count_up() -> None:
    row = buckets(late(0.0001, 0.004, 99.0).counts)
    assert row[0] == ("0.00025", 1)
    assert row[-1] == ("+Inf", 3)
    assert dict(row)["0.005"] == 2


@given(st.lists(st.floats(0, 2.9), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_bound_above_the_true_one(delays: list[float], share: float) -> None:
    true = sorted(delays)[math.ceil(share * len(delays)) - 1]
    found = percentile(late(*delays).counts, share)
    assert found >= true
    assert found == min(bound for bound in BOUNDS if bound >= true)


def test_the_percentile_of_nothing_and_beyond_all_bounds() -> None:
    assert percentile(Lateness().counts, 0.99) == 0.0
    assert percentile(late(99.0).counts, 0.5) == math.inf


def test_reports_add_up() -> None:
    none = nothing()
    one = MediaReport(
        {"forwarded": 2},
        {"made": 1},
        {"stranger": 3},
        {"dropped": 4},
        as_report(late(0.001)),
        as_report(late(0.002, 0.002)),
    )
    both = total([one, none, one])
    assert both.audio["forwarded"] == 4
    assert both.audio["delivered"] == 0
    assert (both.sessions, both.datagram_drops) == ({"made": 2}, {"stranger": 6})
    assert both.channel_drops == {"dropped": 8}
    assert sum(both.clock.counts) == 2
    assert sum(both.forwarding.counts) == 4
    assert both.forwarding.total_s == pytest.approx(0.008)


def test_reports_of_other_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Lateness().take((1, 2, 3), 0.0)


INBOUND: list[mail.Inbound] = [
    mail.Meet(3),
    mail.Part(3),
    mail.Home("main", 2, 7),
    mail.Gate("main", "anna", True),
    mail.Ear("main", "anna", 2),
    mail.Ear("main", "anna", None),
    mail.Connect(9, "anna", "main", "v=0", "192.0.2.1"),
    mail.Disconnect("anna"),
    mail.Stop(),
    mail.Voice("main", "anna", 1, 65_535, 2**32 - 1, True, b"\xff\x00", 12.5),
    mail.Sound("main", 7, 65_535, 2**32 - 1, False, b"\x00", 12.5, None),
]
NEWS: list[mail.News] = [
    mail.Answered(9, "v=0"),
    mail.Refused(9, True, "no fingerprint"),
    mail.Spoke("anna"),
    mail.Hears("main", "anna", True),
    mail.Beat(nothing()),
]


@pytest.mark.parametrize("message", INBOUND, ids=lambda each: type(each).__name__)
def test_mail_for_a_media_process_arrives_as_it_was(message: mail.Inbound) -> None:
    assert mail.read_inbound(memoryview(mail.encode(message))) == message


@pytest.mark.parametrize("message", NEWS, ids=lambda each: type(each).__name__)
def test_mail_from_a_media_process_arrives_as_it_was(message: mail.News) -> None:
    assert mail.read_news(memoryview(mail.encode(message))) == message


def test_a_birth_arrives_as_it_was() -> None:
    birth = mail.Birth(1, True)
    assert mail.read_birth(mail.encode(birth)) == birth


@given(st.binary(max_size=200))
def test_what_is_no_mail_is_refused(data: bytes) -> None:
    for read in (mail.read_inbound, mail.read_news):
        with pytest.raises(mail.MailError):
            read(data)


def test_the_largest_offer_fits() -> None:
    offer = mail.Connect(2**40, "f" * 32, "s" * 32, "x" * 32_768, "f" * 40)
    assert len(mail.encode(offer)) <= mail.MAX_MAIL
