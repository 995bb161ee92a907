"""Which release a box is offered, and which boxes lag behind. Pure."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from stagebox.release import Here, Manifest, ReleaseError, ReleaseRole, check

# A box that has not taken a release for so long does not get it: somebody should look.
STALE_AFTER: Final = timedelta(days=30)
_BUILD: Final = re.compile(r"^stagebox [^ +]+\+(\d{1,9})\b")


def offer(releases: Iterable[Manifest], here: Here) -> Manifest | None:
    """Return the newest release that a machine may take, or None."""
    fitting = (each for each in releases if _may_take(each, here))
    return max(fitting, key=lambda each: each.build, default=None)


def build_of(software: str) -> int:
    """Return the build in what a member calls its software; 0 if it names none."""
    found = _BUILD.match(software)
    return int(found[1]) if found else 0


def is_stale(build: int, releases: Iterable[Manifest], today: date) -> bool:
    """Whether a box of this build should have had a newer release for long.

    The hub does not know a box's processor; a release that is made for one is for all.
    """
    if not build:
        return False
    newer = (each for each in releases if each.build > build and each.role is ReleaseRole.BOX)
    return any(today - _day(each) >= STALE_AFTER for each in newer)


def _may_take(manifest: Manifest, here: Here) -> bool:
    try:
        check(manifest, here)
    except ReleaseError:
        return False
    return True


def _day(manifest: Manifest) -> date:
    try:
        return date.fromisoformat(manifest.made)
    except ValueError:  # of a form that there is no day for: the 31st of February
        return date.max
