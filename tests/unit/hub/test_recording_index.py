"""What a journal comes to, what is left of one that was cut off, and chapters."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from hub.recording import index, journal, notice, retention
from hub.recording.index import Chapter, IndexDamagedError, Turn, chapters, made_of
from hub.recording.journal import Agreed, Began, Closed, Ended, Line, Paused, Said, Withdrew
from hub.recording.take import samples
from stagebox.media.frames import SAMPLE_RATE
from stagebox.phrases import Language
from tests.unit.hub.recording_kit import STAMP, opened

A, B = "a" * 32, "b" * 32
LINES: list[Line] = [
    opened(),
    Agreed(A, "Anna", 0, STAMP),
    Agreed(B, "Bert", 0, STAMP),
    Began(A, 96_000),
    Began(B, 120_000),
    Ended(A, 200_000),
    Said(A, 96_000, 190_000, "Hello."),
    Ended(B, 210_000),
    Paused(300_000, 12.3456),
    Withdrew(B, "Bert", 310_000, STAMP),
    Began(A, 400_000),
    Closed(500_000, "2026-05-01T21:00:00Z", "stopped"),
]


def test_a_journal_is_read_as_it_was_written() -> None:
    data = b"".join(map(journal.encode, LINES))
    assert journal.lines(data) == LINES
    assert journal.lines(data[:-5]) == LINES[:-1]
    assert journal.lines(b"") == []
    assert journal.as_seconds(SAMPLE_RATE // 3) == 0.333
    assert journal.lines(b"{}\n" + data) == []
    assert journal.lines(b"\xff\xfe\n") == []


def test_the_index_says_what_happened() -> None:
    made = made_of(LINES, 480_000, "later")
    assert (made.why, made.ended_at, made.samples) == ("stopped", "2026-05-01T21:00:00Z", 480_000)
    assert [(t.member, t.begin, t.end) for t in made.turns] == [
        (A, 96_000, 200_000),
        (B, 120_000, 210_000),
        (A, 400_000, 480_000),
    ]
    assert [(v.name, bool(v.withdrawn)) for v in made.voices] == [("Anna", False), ("Bert", True)]
    assert [gap.seconds for gap in made.gaps] == [12.346]
    assert [words.text for words in made.words] == ["Hello."]
    assert (made.name_of(A), made.name_of("nobody")) == ("Anna", "")
    assert index.read(index.encode(made)) == made


def test_without_its_end_it_ended_with_the_file() -> None:
    made = made_of(LINES[:-1], 480_000, "now")
    assert (made.why, made.ended_at) == ("crash", "now")
    assert made_of(LINES[:-1], 1, "now", "disk_full").why == "disk_full"


def test_without_its_beginning_it_is_none() -> None:
    for lines in ([], LINES[1:]):
        with pytest.raises(IndexDamagedError):
            made_of(lines, 1, "now")
    with pytest.raises(IndexDamagedError):
        index.read(b"{}")
    with pytest.raises(IndexDamagedError):
        index.read(b"\xff")


def test_who_is_taken_out_is_only_a_name_with_a_date() -> None:
    left = made_of(LINES, 480_000, "now").without(A, "then")
    assert {turn.member for turn in left.turns} == {B}
    assert left.words == ()
    assert {voice.member: voice.withdrawn for voice in left.voices} == {A: "then", B: STAMP}
    kept = journal.without(LINES, A)
    assert {type(line) for line in kept if getattr(line, "member", "") == A} == {Agreed}


def turn(member: str, begin: float, end: float) -> Turn:
    return Turn(member=member, begin=round(begin * SAMPLE_RATE), end=round(end * SAMPLE_RATE))


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        ([], []),
        ([turn(A, 1, 1.2)], [(A, 1)]),
        ([turn(A, 1, 5), turn(B, 6, 9)], [(A, 1), (B, 6)]),
        # A breath, and an interjection, are no new chapter.
        ([turn(A, 1, 5), turn(A, 6, 9), turn(A, 30, 40)], [(A, 1)]),
        ([turn(A, 1, 9), turn(B, 4, 4.5), turn(A, 10, 20)], [(A, 1)]),
        ([turn(A, 1, 9), turn(B, 4, 8), turn(A, 10, 20)], [(A, 1), (B, 4)]),
        ([turn(B, 50, 60), turn(A, 1, 9)], [(A, 1), (B, 50)]),
    ],
)
def test_chapters(turns: list[Turn], found: list[tuple[str, int]]) -> None:
    wanted = [Chapter(position=at * SAMPLE_RATE, member=member) for member, at in found]
    assert chapters(turns) == wanted


@pytest.mark.parametrize(("days", "after"), [(30, 30), (1, 1), (0, 1), (365, 365)])
def test_retention(days: int, after: int) -> None:
    made = msgspec.structs.replace(made_of(LINES, 1, "now"), keep_days=days)
    due = datetime(2026, 5, 1, 21, tzinfo=UTC) + timedelta(days=after)
    assert retention.deleted_on(made) == due
    assert retention.is_due(made, due)
    assert not retention.is_due(made, due - timedelta(seconds=1))


def test_what_has_no_date_is_kept() -> None:
    made = msgspec.structs.replace(made_of(LINES, 1, "now"), ended_at="once")
    assert not retention.is_due(made, datetime(2100, 1, 1, tzinfo=UTC))


def test_the_notice_is_a_tone_and_what_there_is_to_say() -> None:
    assert samples(notice.packets(None)) == round(notice.SHORTEST_S * SAMPLE_RATE)
    speech = np.full(3 * SAMPLE_RATE + 7, 1_000, np.int16)
    assert samples(notice.packets(speech)) > 3.5 * SAMPLE_RATE
    said = {notice.sentence("Kitchen", language) for language in Language}
    assert len(said) == len(Language)
    assert all("Kitchen" in each for each in said)
    assert notice.sentence("Kitchen").startswith("This is a recording")
    tone = notice.tone()
    assert tone.size == SAMPLE_RATE // 2
    assert abs(int(tone[0])) < 10
    assert abs(int(tone[-1])) < 10
