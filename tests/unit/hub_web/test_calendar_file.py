"""A scheduled space as a calendar entry."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hub.web.calendarfile import entry
from stagebox.wire.space import SpaceInfo

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def info(**changes: str) -> SpaceInfo:
    given = {"name": "Talk", "topic": "", "starts_at": "2026-11-25T20:30:00+01:00", **changes}
    return SpaceInfo(id="talk", **given)  # type: ignore[arg-type]


def lines(of: SpaceInfo) -> list[str]:
    text = entry(of, "http://hub/#/space/talk", "0" * 32, NOW).decode()
    assert text.endswith("\r\n")
    return text.replace("\r\n ", "").split("\r\n")


def test_an_entry_has_its_hour_in_utc_and_a_reminder() -> None:
    found = lines(info())
    assert found[0] == "BEGIN:VCALENDAR"
    assert found[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART:20261125T193000Z" in found
    assert "DTEND:20261125T203000Z" in found
    assert "DTSTAMP:20261121T120000Z" in found
    assert f"UID:talk@{'0' * 32}" in found
    assert "URL:http://hub/#/space/talk" in found
    assert "TRIGGER:-PT5M" in found


def test_what_means_something_in_the_format_is_escaped() -> None:
    found = lines(info(name="a;b,c\\d", topic="x\ny"))
    assert r"SUMMARY:a\;b\,c\\d" in found
    assert r"DESCRIPTION:x\ny" in found


def test_a_long_line_is_folded_between_characters() -> None:
    data = entry(info(topic="ö" * 120), "http://hub/", "0" * 32, NOW)
    assert "DESCRIPTION:" + "ö" * 120 in data.replace(b"\r\n ", b"").decode().split("\r\n")


@given(st.text(min_size=1, max_size=120))
def test_no_line_is_too_long_and_no_text_makes_a_line_of_its_own(topic: str) -> None:
    topic = topic.encode(errors="ignore").decode().replace("\r", "")
    data = entry(info(topic=topic), "http://hub/", "0" * 32, NOW)
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert data.replace(b"\r\n ", b"").count(b"\r\n") == 18
    data.decode()
