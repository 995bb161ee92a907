"""Which hub addresses to try, in which order, and which hub may answer there.

A box belongs to one hub. Once it knows which (from its settings, or because it used
one before), another hub on the network is reported and left alone, however early it
answers. An address in the settings is the owner's word: whoever lives there is taken,
and what discovery finds counts only if it is that same hub.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from stagebox.wire.terms import MEMBER_PATH, MemberId

DEFAULT_PORT: Final = 7300
# The next address is tried before the last one gave up, but not so early that a slow
# answer over Wi-Fi makes two sessions (RFC 8305 recommends this delay).
STAGGER_S: Final = 0.25
# More addresses than any real hub has; what is beyond comes up when these are gone.
MAX_CANDIDATES: Final = 8
# A flood of false announcements costs this much memory and no more.
MAX_SEEN: Final = 32
MAX_ADDRESSES: Final = 4


class Source(StrEnum):
    """How an address came to be known."""

    LAST = "last"
    FOUND = "found"
    CONFIGURED = "configured"


@dataclass(frozen=True, slots=True)
class HubChoice:
    """What the settings say: an address, an id, or that any hub will do."""

    url: str | None = None
    hub_id: str | None = None
    any_hub: bool = False


class LastHub(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last good address. ``configured`` is what the settings said at that time."""

    url: Annotated[str, Meta(max_length=300, pattern=r"^wss?://[^\s]+\Z")]
    hub_id: MemberId
    configured: Annotated[str, Meta(max_length=300)] | None = None


@dataclass(frozen=True, slots=True)
class SeenHub:
    """One announcement. Everything in it is a claim."""

    name: str
    addresses: tuple[str, ...]
    port: int
    id: str | None = None
    path: str = MEMBER_PATH
    secure_port: int = 0  # where it has TLS; 0: it has none
    enrols: bool = False  # somebody has asked it for a box


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address to try. With ``expect``, only the hub of that id is taken there.

    ``pin``: the certificate that it must show; ``hub_key``: the key that must sign there.
    """

    url: str
    source: Source
    expect: str | None = None
    pin: str | None = None
    hub_key: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Addresses in the order to try, and the hubs that were seen but are not ours.

    ``lacks_hub``: the box belongs to none, and there is none that it may use without.
    """

    candidates: tuple[Candidate, ...] = ()
    others: tuple[SeenHub, ...] = ()
    lacks_hub: bool = False


def plan(choice: HubChoice, last: LastHub | None, seen: Iterable[SeenHub]) -> Plan:
    """Return what to try: the last good address, then what was found, then the settings."""
    last = last if last is not None and _still_valid(choice, last) else None
    known = None if choice.any_hub else choice.hub_id or (last.hub_id if last else None)
    found: list[Candidate] = []
    others: list[SeenHub] = []
    for hub in seen:
        if _is_ours(choice, known, hub):
            found += [Candidate(url, Source.FOUND, known) for url in _urls(hub)]
        else:
            others.append(hub)
    first = [Candidate(last.url, Source.LAST, known)] if last else []
    given = [] if choice.url is None else [_configured(choice.url, choice.hub_id)]
    # The address from the settings keeps its place, however many false hubs are announced.
    room = MAX_CANDIDATES - len(first) - len(given)
    # Of one address known twice the first place counts, and the last, the owner's, word.
    unique = {candidate.url: candidate for candidate in first + found[:room] + given}
    return Plan(tuple(unique.values()), tuple(others))


def admits(candidate: Candidate, hub_id: str) -> bool:
    """Whether the hub that answered at the candidate's address may be used."""
    return candidate.expect is None or candidate.expect == hub_id


def decode_last(text: bytes) -> LastHub | None:
    """Return the last hub; None where the text is damaged, for it is only a hint."""
    try:
        return msgspec.json.decode(text, type=LastHub)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def member_url(url: str) -> str:
    """Return the settings' address with the port and path that were left out."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if parts.port is None and parts.scheme == "ws":
        netloc = f"{netloc.rstrip(':')}:{DEFAULT_PORT}"
    path = parts.path if parts.path not in {"", "/"} else MEMBER_PATH
    return urlunsplit((parts.scheme, netloc, path, "", ""))


def add_seen(seen: dict[str, SeenHub], name: str, hub: SeenHub, prefer: str | None) -> None:
    """Put an announcement into the bounded list; the oldest goes, the preferred id stays."""
    if name not in seen and len(seen) >= MAX_SEEN:
        spare = (old for old, other in seen.items() if prefer is None or other.id != prefer)
        del seen[next(spare, next(iter(seen)))]
    seen[name] = hub


def usable_hosts(hub: SeenHub) -> list[str]:
    """Return the addresses that may lead to a hub, the likeliest first, as a URL has them."""
    usable = sorted(filter(_usable, dict.fromkeys(hub.addresses)), key=_rank)[:MAX_ADDRESSES]
    return [f"[{address}]" if ":" in address else address for address in usable]


def _still_valid(choice: HubChoice, last: LastHub) -> bool:
    """Whether the settings still mean the hub that was used last."""
    if choice.hub_id is not None and choice.hub_id != last.hub_id:
        return False
    return choice.url is None or choice.url == last.configured


def _is_ours(choice: HubChoice, known: str | None, hub: SeenHub) -> bool:
    if choice.any_hub:
        return True
    if known is None:
        return choice.url is None
    return hub.id in {None, known}


def _configured(url: str, hub_id: str | None) -> Candidate:
    return Candidate(member_url(url), Source.CONFIGURED, hub_id)


def _urls(hub: SeenHub) -> list[str]:
    return [f"ws://{host}:{hub.port}{hub.path}" for host in usable_hosts(hub)]


def _usable(address: str) -> bool:
    """IPv6 link-local is left out: it needs a scope, which ICE cannot carry."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    refused = found.is_multicast or found.is_unspecified
    return not refused and not (found.version == 6 and found.is_link_local)


def _rank(address: str) -> tuple[bool, int]:
    """IPv4 first: on a LAN it is what the access point and the hub are sure to share."""
    found = ipaddress.ip_address(address)
    return found.is_link_local, found.version
