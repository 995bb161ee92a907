"""The mark that a bridge wears on the far side, by which the hub knows its own again. Pure.

A room in which one of our bridges is already would hear itself through us for ever. So
every bridge carries its hub's id and a seal in whatever name it is shown by, and a room
in which a mark of this hub stands is refused. Only this hub can make or check its seal:
nobody keeps a hub out of a room by writing its name.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

# Of HMAC-SHA-256: a guess is right once in 2^64, and a name stays short enough to read.
_SEAL_CHARACTERS: Final = 16
_HUB_CHARACTERS: Final = 8
_MARK: Final = re.compile(r"\[sb:([0-9a-f]{8}):([0-9a-f]{16})\]")
_CONTEXT: Final = b"stagebox bridge mark 1\0"


@dataclass(frozen=True, slots=True)
class Marks:
    """Makes and knows the marks of one hub. ``secret``: nobody else's; ``hub_id`` is in hex."""

    secret: bytes
    hub_id: str

    def put_on(self, name: str, space: str, room: str) -> str:
        """Return ``name`` with the mark of a bridge from ``space`` to ``room``."""
        return f"{name} [sb:{self.hub_id[:_HUB_CHARACTERS]}:{self._seal(space, room)}]"

    def bare(self, space: str) -> str:
        """Return the mark alone, where a room has neither a name nor a number."""
        return self.put_on("", space, "").strip()

    def node(self, space: str) -> str:
        """Return by what other hubs know a space of ours: its bare mark without the brackets."""
        return node_of(self.bare(space))

    def way(self, bridge_id: str) -> str:
        """Return by what the far hub knows a bridge of ours again; a secret of the two."""
        return self._seal("", f"way {bridge_id}")

    def is_ours(self, shown: str, spaces: frozenset[str], room: str) -> bool:
        """Say whether a name in ``room`` is worn by a bridge from one of our ``spaces``."""
        return any(
            hub == self.hub_id[:_HUB_CHARACTERS]
            and any(hmac.compare_digest(seal, self._seal(space, room)) for space in spaces)
            for hub, seal in _MARK.findall(shown)
        )

    def _seal(self, space: str, room: str) -> str:
        text = b"\0".join((_CONTEXT, self.hub_id.encode(), space.encode(), room.encode()))
        return hmac.new(self.secret, text, hashlib.sha256).hexdigest()[:_SEAL_CHARACTERS]


def hub_of(shown: str) -> str:
    """Return how the id of the hub begins whose mark this is; empty: it is no mark."""
    found = _MARK.search(shown)
    return found[1] if found else ""


def node_of(shown: str) -> str:
    """Return by what a space is known whose mark this is; empty: it is no mark."""
    found = _MARK.search(shown)
    return f"{found[1]}:{found[2]}" if found else ""


def is_bridge(shown: str) -> bool:
    """Say whether a name is worn by a bridge of some hub."""
    return _MARK.search(shown) is not None


def without(shown: str) -> str:
    """Return a name without its mark."""
    return _MARK.sub("", shown).strip()
