"""What a new space is made of: its id, its name and its first state. Pure."""

import re
import unicodedata
from collections.abc import Container
from typing import Final

from msgspec.structs import replace

from hub.floor.rules import FloorRules
from hub.spaces.kept import Kept, Person, in_step
from stagebox.wire.acts import SpaceNew
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import MemberId, Name, Place, SpaceId, SpaceState

_LONGEST_ID: Final = 32  # as terms.SpaceId
_LONGEST_NAME: Final = 40  # as terms.Name
_FALLBACK: Final = "space"


def free_id(name: str, taken: Container[str]) -> SpaceId:
    """Return an id made from ``name`` that is not taken: ``kitchen-talk``, ``kitchen-talk-2``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or _FALLBACK
    number, found = 1, _cut(base, "")
    while found in taken:
        number += 1
        found = _cut(base, f"-{number}")
    return found


def new_space(space_id: SpaceId, new: SpaceNew, maker: MemberId | None, by: Name) -> Kept:
    """Return a space that has not begun; whoever made it is its host when it comes.

    Starting it, or giving it its day, is an act like any other.
    """
    info = SpaceInfo(
        id=space_id,
        name=new.name or default_name(by),
        topic=new.topic,
        tags=new.tags,
        state=SpaceState.BACKSTAGE if new.backstage else SpaceState.DRAFT,
        speak=new.speak,
    )
    people = {} if maker is None else {maker: Person(name=by, place=Place.HOST, given=True)}
    return Kept(info=info, rules=in_step(info, FloorRules.for_mode(new.mode)), people=people)


def default_name(by: Name) -> Name:
    """Return what a space is called that was given no name."""
    return f"Space of {by}"[:_LONGEST_NAME].rstrip()


def as_settings_say(kept: Kept, info: SpaceInfo, rules: FloorRules) -> Kept:
    """Return what was kept of a space whose settings have changed since.

    They say what it is called and how it gives the floor; all else goes on.
    """
    info = replace(kept.info, name=info.name, stage_limit=rules.stage_limit)
    return replace(kept, info=info, rules=in_step(info, rules), standing=True)


def _cut(base: str, suffix: str) -> SpaceId:
    return base[: _LONGEST_ID - len(suffix)].rstrip("-") + suffix
