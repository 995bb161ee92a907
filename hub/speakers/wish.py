"""What is wished: that a speaker plays a space. As it comes over the API and is kept. Pure."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.speakers.terms import Kind
from stagebox.wire.terms import Name, SpaceId

# What makers call unique has spaces, dots and colons in it, but nothing that cannot be read.
SpeakerId = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+\Z")]


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One speaker and what it is to play. ``name``: as it was called when it was seen last.

    ``on`` false: somebody stopped it, here or at the speaker.
    """

    kind: Kind
    id: SpeakerId
    name: Name
    space: SpaceId
    on: bool = True

    @property
    def key(self) -> tuple[Kind, str]:
        """Which speaker it is."""
        return self.kind, self.id
