"""Who a browser is: what its cookie says, as the session and the HTTP API both need it."""

from dataclasses import dataclass

from stagebox.wire.terms import Key, MemberId


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person behind a browser's cookie.

    ``admin``: its session is an admin's, who may do in every space what a host may.
    ``known``: an admin has said who this is.
    """

    id: MemberId
    key: Key
    name: str
    admin: bool = False
    known: bool = False
