"""Whether this hub may go to X Spaces, and by whose session (the ``[x]`` table)."""

import os
import stat
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from hub.bridges.terms import Cause, FarError
from hub.bridges.x_terms import MAX_SESSION, RISK, Endpoints, Session, session_of
from stagebox.config import WrongKeyError

SWITCH: Final = "i_accept_that_x_may_suspend_this_account"
# What stands in the way of a bridge to X until somebody has written that down.
REFUSED: Final = f"{RISK} To accept that: [x] {SWITCH} = true in the hub's settings."
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class XConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The consent to the risk, and the session that takes it. Off unless somebody says so."""

    i_accept_that_x_may_suspend_this_account: bool = False
    # In a file of its own, which nobody else may read: whoever has it is that account.
    session_file: Annotated[str, Meta(max_length=4_096)] = ""
    endpoints: Endpoints = Endpoints()

    def __post_init__(self) -> None:
        """Refuse a consent without an account."""
        if self.is_on and not self.session_file:
            raise WrongKeyError("session_file", "name the file of the session: see the guide.")

    @property
    def is_on(self) -> bool:
        """Whether somebody has accepted the risk."""
        return self.i_accept_that_x_may_suspend_this_account

    def session(self) -> Session:
        """Return the session as it is now: one that was renewed is taken at the next try.

        Raises:
            FarError: nobody accepted the risk, the file is open to others, or holds none.
        """
        if not self.is_on:
            raise FarError(Cause.NOT_ALLOWED, REFUSED)
        return session_of(_secret_in(Path(self.session_file).expanduser()))


def _secret_in(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                why = "Others may read the file of the session with X: chmod 600 it."
                raise FarError(Cause.WRONG_SECRET, why)
            found = file.read(MAX_SESSION + 1)
        if len(found) > MAX_SESSION:
            raise ValueError("too long")
        return found.decode()
    except OSError as error:
        why = f"The file of the session with X cannot be read: {error.strerror}."
        raise FarError(Cause.WRONG_SECRET, why) from None
    except ValueError:
        raise FarError(Cause.WRONG_SECRET, "The file of the session with X is none.") from None
