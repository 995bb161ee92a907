"""Who may call, and where they come out: what is answered to an INVITE. Pure.

Strangers cost nothing: a question for a password keeps nothing, and whoever calls too
often is told so once in a while and then not at all.
"""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from hub.bridges.terms import clean_name
from hub.telephone.digest import Doorkeeper, Verdict
from hub.telephone.message import (
    Request,
    Response,
    display_of,
    every,
    first,
    response,
    uri_of,
    user_of,
)
from stagebox.bucket import TokenBucket

# From one address: a PBX after a power cut rings with everything it has.
CALLS_PER_S: Final = 10.0
CALLS_BURST: Final = 120
# All addresses together: more is not a house, and each costs a signature.
ALL_PER_S: Final = 100.0
ALL_BURST: Final = 400
_MAX_ADDRESSES: Final = 4_096
_KNOWN: Final = ("timer", "replaces", "100rel")
_FIGURES: Final = re.compile(r"\+?[0-9]{5,}\Z")


@dataclass(frozen=True, slots=True)
class Coming:
    """Somebody who may come in. ``space``: where; empty: where a code leads."""

    space: str
    name: str
    member_id: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What the door goes by. ``users``: passwords by names; ``numbers``: spaces by what is called.

    ``is_allowed``: whether anybody at an address may call; ``is_own``: whether a mark is worn
    by a bridge of this hub.
    """

    users: Mapping[str, str]
    numbers: Mapping[str, str]
    secret: bytes
    is_allowed: Callable[[str], bool]
    is_own: Callable[[str], bool]
    mark_header: str


class Door:
    """Answers calls. ``now`` is in seconds of any one clock."""

    def __init__(self, rules: Rules, now: float) -> None:
        self._rules = rules
        self._keeper = Doorkeeper(rules.users, rules.secret)
        self._asks = bool(rules.users)
        self._all = TokenBucket(ALL_PER_S, ALL_BURST, now)
        self._buckets: dict[str, TokenBucket] = {}
        self.flooded = 0
        self.refused = 0

    def has_room(self, address: str, now: float) -> bool:
        """Say whether a call from an address is to be looked at; floods are counted."""
        house = _house(address)
        bucket = self._buckets.pop(house, None) or TokenBucket(CALLS_PER_S, CALLS_BURST, now)
        self._buckets[house] = bucket
        if len(self._buckets) > _MAX_ADDRESSES:
            del self._buckets[next(iter(self._buckets))]
        if bucket.take(now) and self._all.take(now):
            return True
        self.flooded += 1
        return False

    def look(
        self, request: Request, address: str, now: float, spaces: Collection[str]
    ) -> Coming | Response:
        """Return who comes, or why nobody does. ``spaces``: all that there are."""
        user, refusal = self._trusted(request, address, now)
        refusal = refusal or self._possible(request)
        if refusal is not None:
            self.refused += 1
            return refusal
        called = user_of(request.uri)
        space = self._rules.numbers.get(called) or (called if called in spaces else "")
        return Coming(space, _name(request, user), _member(request, user, address))

    # --- private --------------------------------------------------------------

    def _trusted(self, request: Request, address: str, now: float) -> tuple[str, Response | None]:
        given = first(request.headers, "authorization")
        if given and self._asks:
            verdict, user = self._keeper.check(given, request.method, address, now)
            if verdict is Verdict.RIGHT:
                return user, None
            if verdict is Verdict.STALE:
                return "", self._ask(request, address, now, stale=True)
            return "", _refused(request, 403, "Wrong Name Or Password")
        if self._rules.is_allowed(address):
            return "", None
        if self._asks:
            return "", self._ask(request, address, now)
        return "", _refused(request, 403, "Not From There")

    def _ask(self, request: Request, address: str, now: float, *, stale: bool = False) -> Response:
        question = self._keeper.challenge(address, now, stale=stale)
        more = (("www-authenticate", question),)
        return response(request, 401, "Unauthorized", more, tag=_tag(request))

    def _possible(self, request: Request) -> Response | None:
        if self._rules.is_own(first(request.headers, self._rules.mark_header)[:200]):
            return _refused(request, 482, "Loop Detected")
        wanted = [each for each in every(request.headers, "require") if each not in _KNOWN]
        if wanted:
            more = (("unsupported", ", ".join(wanted[:4])[:200]),)
            return response(request, 420, "Bad Extension", more, tag=_tag(request))
        return None


def _refused(request: Request, status: int, reason: str) -> Response:
    return response(request, status, reason, tag=_tag(request))


def _tag(request: Request) -> str:
    """Return a tag that is the same for the same request, so that nothing has to be kept."""
    return hashlib.sha256(first(request.headers, "via").encode()).hexdigest()[:16]


def _name(request: Request, user: str) -> str:
    """Return the name that a caller is shown by; of a number only its end."""
    caller = first(request.headers, "from")
    shown = display_of(caller) or user_of(uri_of(caller)) or user
    plain = shown.replace(" ", "")
    return f"Telephone …{plain[-2:]}" if _FIGURES.match(plain) else clean_name(shown)


def _member(request: Request, user: str, address: str) -> str:
    """Return the same for the same telephone, so that who is blocked stays so."""
    caller = user or f"{user_of(uri_of(first(request.headers, 'from')))} {_house(address)}"
    return hashlib.sha256(f"stagebox telephone {caller}".encode()).hexdigest()[:32]


def _house(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
