"""Which release a box is offered, and which boxes lag behind."""

from datetime import date

from msgspec.structs import replace

from hub.updates.choice import build_of, is_stale, offer
from stagebox.release import Architecture, Here, ReleaseRole
from tests.unit.test_release import HERE, MANIFEST

RELEASES = [
    replace(MANIFEST, build=101),
    replace(MANIFEST, build=103),
    replace(MANIFEST, build=110, after=103),
    replace(MANIFEST, build=120, architecture=Architecture.AMD64),
]


def offered(here: Here) -> int:
    found = offer(RELEASES, here)
    return found.build if found else 0


def test_the_newest_that_a_box_may_take() -> None:
    assert offered(HERE) == 103  # from there it may take the next
    assert offered(replace(HERE, build=103)) == 110
    assert offered(replace(HERE, build=110)) == 0
    assert offered(replace(HERE, architecture="amd64")) == 120
    assert offer([], HERE) is None


def test_the_build_in_a_name_of_software() -> None:
    assert build_of("stagebox 0.6.0+412") == 412
    assert build_of("stagebox 0.6.0") == 0
    assert build_of("firefox 12+3") == 0
    assert build_of("") == 0


def test_a_box_that_should_have_had_a_newer_one_for_a_month() -> None:
    made = [replace(MANIFEST, build=110, made="2026-01-01")]
    assert is_stale(105, made, date(2026, 1, 31))
    assert not is_stale(105, made, date(2026, 1, 30))
    assert not is_stale(110, made, date(2027, 1, 1))
    assert not is_stale(0, made, date(2027, 1, 1))
    assert not is_stale(105, [replace(made[0], made="2026-02-31")], date(2027, 1, 1))
    assert not is_stale(105, [replace(made[0], role=ReleaseRole.HUB)], date(2027, 1, 1))
