"""What the calendar brings."""

from datetime import timedelta

from msgspec.structs import replace

from hub.spaces.agenda import LAPSE_S, Agenda, lapsed
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import News, SpaceState
from tests.unit.hub.spaces_kit import INFO, START, ahead

PLANNED = replace(INFO, state=SpaceState.SCHEDULED, starts_at=ahead(1))


class Diary:
    """An agenda with a calendar."""

    def __init__(self) -> None:
        self.agenda = Agenda()

    def look(self, minutes: float, *spaces: SpaceInfo) -> list[News]:
        words = self.agenda.look(spaces, START + timedelta(minutes=minutes))
        assert all((each.space, each.name) == ("hall", "Hall") for each in words)
        return [each.news for each in words]


def test_each_news_is_told_once_in_its_time() -> None:
    diary = Diary()
    assert diary.look(0, PLANNED, INFO) == []
    assert diary.look(54.9, PLANNED) == []
    assert diary.look(55, PLANNED) == [News.SOON]
    assert diary.look(57, PLANNED) == []
    assert diary.look(60, PLANNED) == [News.DUE]
    assert diary.look(70, PLANNED) == []
    live = replace(PLANNED, state=SpaceState.LIVE)
    assert diary.look(71, live) == [News.LIVE]
    assert diary.look(72, live) == []
    assert diary.look(73, replace(PLANNED, state=SpaceState.FROZEN)) == []
    assert diary.look(74) == []


def test_a_new_day_is_news_again() -> None:
    diary = Diary()
    assert diary.look(55, PLANNED) == [News.SOON]
    later = replace(PLANNED, starts_at=ahead(2))
    assert diary.look(56, later) == []
    assert diary.look(115, later) == [News.SOON]


def test_backstage_counts_as_planned() -> None:
    diary = Diary()
    assert diary.look(58, replace(PLANNED, state=SpaceState.BACKSTAGE)) == [News.SOON]


def test_a_cancelled_space_is_told_whether_it_is_still_there_or_not() -> None:
    diary = Diary()
    diary.look(0, PLANNED)
    cancelled = replace(PLANNED, state=SpaceState.CANCELLED)
    assert diary.look(1, cancelled) == [News.CANCELLED]
    assert diary.look(2, cancelled) == []
    assert diary.look(3) == []
    diary.look(4, PLANNED)
    assert diary.look(5) == [News.CANCELLED]
    assert diary.look(6) == []


def test_nobody_is_on_the_way_days_before() -> None:
    diary = Diary()
    far = replace(PLANNED, starts_at=ahead(100))
    diary.look(0, far)
    assert diary.look(1) == []


def test_a_hub_that_was_off_at_the_hour_calls_late_but_not_for_ever() -> None:
    assert Diary().look(70, PLANNED) == [News.DUE]
    assert Diary().look(80, PLANNED) == []
    assert Diary().look(70, replace(PLANNED, state=SpaceState.LIVE)) == []


def test_what_nobody_opened_within_a_day_lapses() -> None:
    at = START + timedelta(hours=1, seconds=LAPSE_S)
    backstage = replace(PLANNED, id="yard", state=SpaceState.BACKSTAGE)
    spaces = [PLANNED, INFO, backstage]
    assert lapsed(spaces, at) == ["hall"]
    assert lapsed(spaces, at - timedelta(seconds=1)) == []
