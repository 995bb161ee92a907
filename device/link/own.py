"""Which addresses lead to the hub that a box belongs to, and which it may use without one. Pure.

A box that is enrolled talks to its own hub and to nobody else: TLS, to a certificate that it
knows. Whatever is announced or written is only a place to look. A box that is not enrolled
talks to hubs on its own machine, which is how Stagebox is developed and tried, and waits with
everybody else until somebody enrols it.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from device.link.candidates import (
    MAX_CANDIDATES,
    Candidate,
    HubChoice,
    LastHub,
    Plan,
    SeenHub,
    Source,
    usable_hosts,
)
from device.trust.errand import Target
from stagebox.wire.enrolment_messages import ENROL_PATH
from stagebox.wire.terms import MEMBER_PATH

# Where a hub has TLS, unless it is told otherwise.
SECURE_PORT: Final = 7443
# Of one hub, for one code: the address of each kind that it is most likely reached at.
_TARGET_URLS: Final = 2


@dataclass(frozen=True, slots=True)
class Own:
    """The hub that a box belongs to. Without id and key, whoever has the certificate is it.

    ``pins``: SHA-256 of its certificates in hex, the first is asked for first.
    """

    pins: tuple[str, ...]
    hub_id: str | None = None
    hub_key: str | None = None
    url: str | None = None


def own_plan(own: Own, choice: HubChoice, last: LastHub | None, seen: Iterable[SeenHub]) -> Plan:
    """Return what to try: the last good address, then what was found, then what is written."""
    ours: list[SeenHub] = []
    others: list[SeenHub] = []
    for hub in seen:
        is_ours = own.hub_id is None or hub.id in {None, own.hub_id}
        (ours if is_ours and hub.secure_port else others).append(hub)
    if choice.hub_id is not None and own.hub_id not in {None, choice.hub_id}:
        return Plan((), tuple(others))
    first = [last.url] if last is not None and last.url.startswith("wss:") else []
    agreed = [own.url] if own.url is not None else []
    found = [url for hub in ours for url in _urls(hub, hub.path)]
    given = [] if choice.url is None else [secure_url(choice.url, MEMBER_PATH)]
    room = MAX_CANDIDATES - len(first) - len(agreed) - len(given)
    sources = (
        *((url, Source.LAST) for url in first + agreed),
        *((url, Source.FOUND) for url in found[:room]),
        *((url, Source.CONFIGURED) for url in given),
    )
    unique = dict(reversed(sources))  # of one address known twice the better reason counts
    plain = (
        Candidate(url, unique[url], own.hub_id) for url in dict.fromkeys(u for u, _ in sources)
    )
    pinned = (replace(each, pin=pin, hub_key=own.hub_key) for each in plain for pin in own.pins)
    return Plan(tuple(pinned), tuple(others))


def open_plan(everything: Plan) -> Plan:
    """Return what of a plan a box without a hub may use: hubs on its own machine, without TLS."""
    usable = tuple(each for each in everything.candidates if is_here(each.url))
    return Plan(usable, everything.others, lacks_hub=not usable)


def is_here(url: str) -> bool:
    """Whether an address without TLS is this machine's own."""
    parts = urlsplit(url)
    if parts.scheme != "ws" or parts.hostname is None:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def targets(choice: HubChoice, seen: Sequence[SeenHub]) -> tuple[Target, ...]:
    """Return the hubs that may want to enrol this box: the one of the settings first."""
    given = () if choice.url is None else (secure_url(choice.url, ENROL_PATH),)
    found = tuple(
        tuple(_urls(hub, ENROL_PATH)[:_TARGET_URLS])
        for hub in seen
        if hub.enrols and choice.hub_id in {None, hub.id}
    )
    elsewhere = (urls for urls in found if urls and not set(urls) & set(given))
    return (*((Target(given, given=True),) if given else ()), *map(Target, elsewhere))


def secure_url(url: str, path: str) -> str:
    """Return an address with TLS: of one that is written without, the host alone counts."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port if parts.scheme == "wss" and parts.port is not None else SECURE_PORT
    return urlunsplit(("wss", f"{host}:{port}", path, "", ""))


def _urls(hub: SeenHub, path: str) -> list[str]:
    if not hub.secure_port:
        return []
    return [f"wss://{host}:{hub.secure_port}{path}" for host in usable_hosts(hub)]
