"""What two hubs tell each other of the spaces behind them, so that a ring is noticed. Pure.

A space of a hub is known to others by the mark that its bridges wear. What is behind it is
a tree: each space with the trunk by which it is reached, nearest first. It comes from
another hub, so it is read with bounds.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

BEHIND_HEADER: Final = "Stagebox-Behind"
# By which a hub that comes back takes the place of its old session; told to the far hub alone.
WAY_HEADER: Final = "Stagebox-Way"
BEHIND: Final = "application/vnd.stagebox.behind+json"

# A message of these fits into one header; hubs that are farther away are not told.
MOST: Final = 64
MAX_TEXT: Final = 8_000
MAX_BIRTH: Final = 2**40

Node = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}:[0-9a-f]{16}\Z")]
Birth = Annotated[int, Meta(ge=0, le=MAX_BIRTH)]
TrunkId = Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]
Way = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]


class BehindError(ValueError):
    """What another hub tells is nothing that can be used; the text says what to send."""


class Hop(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One space behind the sender, and the trunk that leads there.

    ``above``: the place in the list of the space at the trunk's near end; -1: the sender's.
    ``birth``: of the trunk, in the hubs' common count; ``trunk``: its name in public.
    """

    node: Node
    above: Annotated[int, Meta(ge=-1, lt=MOST)]
    birth: Birth
    trunk: TrunkId


class Behind(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is behind a space, but for what the hearer is. ``clock``: the newest birth known."""

    node: Node
    clock: Birth
    hops: Annotated[tuple[Hop, ...], Meta(max_length=MOST)] = ()

    @property
    def nodes(self) -> frozenset[str]:
        """The sender's space and all behind it."""
        return frozenset((self.node, *(hop.node for hop in self.hops)))


_behind: Final = msgspec.json.Decoder(Behind)


def read_behind(text: str) -> Behind:
    """Read what another hub tells.

    Raises:
        BehindError: it cannot be used.
    """
    if len(text) > MAX_TEXT:
        raise BehindError(f"send at most {MAX_TEXT} characters")
    try:
        behind = _behind.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BehindError(f"what is behind a hub looks otherwise: {str(error)[:200]}") from None
    if any(hop.above >= index for index, hop in enumerate(behind.hops)):
        raise BehindError("what is nearer comes first")
    return behind


def write_behind(behind: Behind) -> str:
    """Return it as it is sent: one line of ASCII."""
    return msgspec.json.encode(behind).decode("ascii")
