"""SPAKE2 with a code of six digits: each run gives whoever guesses one guess, and no more.

A thin wrapper around the library of that name, on its group over Curve25519. The ids of
both go into the key, and an element that is zero, outside the group, our own, or meant for
the other side is a ``PakeError``. A run takes about 16 ms of a PC's core at each end and
five to ten times as long on a small board.
"""

import base64
from collections.abc import Callable
from typing import Final

from spake2 import SPAKE2_A, SPAKE2_B, SPAKEError
from spake2.ed25519_basic import NotOnCurve

from stagebox.wire.terms import MemberId

Random = Callable[[int], bytes]

_BOX: Final = b"stagebox-box:"
_HUB: Final = b"stagebox-hub:"
_P: Final = 2**255 - 19
# What the library says of an element that is none; it asserts some of it.
_REFUSED: Final = (SPAKEError, NotOnCurve, ValueError, AssertionError)


class PakeError(Exception):
    """The other side's element cannot be one."""


class BoxPake:
    """The box's side of one run: it speaks first, before it knows the hub."""

    def __init__(self, code: str, box_id: MemberId, random: Random) -> None:
        self._run = SPAKE2_A(code.encode(), idA=_BOX + box_id.encode(), entropy_f=random)
        self.element = base64.b64encode(self._run.start()).decode()

    def finish(self, element: str, hub_id: MemberId) -> bytes:
        """Return the 32 bytes of the key.

        Raises:
            PakeError: the hub's element cannot be one.
        """
        # Who answers is known only now; the id is used for the key alone, which comes last.
        self._run.idB = _HUB + hub_id.encode()
        return _finish(self._run, element)


class HubPake:
    """The hub's side of one run."""

    def __init__(self, code: str, box_id: MemberId, hub_id: MemberId, random: Random) -> None:
        ids = {"idA": _BOX + box_id.encode(), "idB": _HUB + hub_id.encode()}
        self._run = SPAKE2_B(code.encode(), **ids, entropy_f=random)
        self.element = base64.b64encode(self._run.start()).decode()

    def finish(self, element: str) -> bytes:
        """Return the 32 bytes of the key.

        Raises:
            PakeError: the box's element cannot be one.
        """
        return _finish(self._run, element)


def _finish(run: SPAKE2_A | SPAKE2_B, element: str) -> bytes:
    raw = base64.b64decode(element)
    # The library takes other spellings of a number than the smallest, and so of zero, too.
    y = int.from_bytes(raw[1:], "little") % 2**255
    if y >= _P or y == 1:
        raise PakeError("The SPAKE2 element is not one of the group.")
    try:
        return bytes(run.finish(raw))
    except _REFUSED:
        raise PakeError("The SPAKE2 element is not one of the group.") from None
