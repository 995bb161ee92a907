"""Releases for boxes: what is offered, the archive, and for administrators how things stand.

A box asks without a login: what it gets is signed, and no secret.
"""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from hub.updates.catalogue import MAX_DOWNLOADS, Pieces
from hub.updates.choice import build_of, is_stale
from hub.web.call import Call
from hub.web.download import Download, send
from hub.web.problems import Refused, WebCode
from hub.web.route import Blob, Route, Who
from stagebox.calendar import utc_now
from stagebox.release import Architecture, Here, ReleaseRole
from stagebox.wire.terms import Count, Kind, MemberId, Name

ENVELOPE: Final = "application/octet-stream"
ARCHIVE: Final = "application/x-xz"
_BUSY_S: Final = 60.0

Python = Annotated[str, Meta(pattern=r"^3\.[0-9]{1,2}\Z")]
Stem = Annotated[str, Meta(pattern=r"^stagebox-[a-z0-9.-]{1,80}\Z")]


class OfferQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What kind of machine asks, and which build runs there (0: none that is known)."""

    role: ReleaseRole
    architecture: Architecture
    python: Python
    build: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class ArchiveQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which release, by the name of its files."""

    release: Stem


class Release(Struct, frozen=True, kw_only=True):
    """A release that the hub serves. ``size`` in bytes; ``made``: the day."""

    version: str
    build: Count
    role: ReleaseRole
    architecture: Architecture
    python: str
    made: str
    size: Count


class BadRelease(Struct, frozen=True, kw_only=True):
    """A file that the hub does not pass on; no name: all of them."""

    file: str
    detail: str


class BoxRelease(Struct, frozen=True, kw_only=True):
    """Which release a box has. ``stale``: a newer one waits for it for 30 days."""

    id: MemberId
    name: Name
    software: str
    build: Count
    connected: bool
    stale: bool


class Updates(Struct, frozen=True, kw_only=True):
    """How things stand."""

    folder: str
    releases: tuple[Release, ...]
    troubles: tuple[BadRelease, ...]
    boxes: tuple[BoxRelease, ...]


async def offer(call: Call, given: OfferQuery) -> web.Response:
    """Give the newest release for a machine: its manifest, signed."""
    here = Here(
        role=given.role,
        architecture=given.architecture.value,
        python=given.python,
        build=given.build,
    )
    envelope = call.desk.releases.offer(here)
    if envelope is None:
        raise Refused(WebCode.NOT_FOUND, "The hub has no newer release for this machine.")
    return web.Response(body=envelope, content_type=ENVELOPE)


async def archive(call: Call, given: ArchiveQuery) -> web.StreamResponse:
    """Give a release's archive."""
    releases = call.desk.releases
    path = releases.archive(given.release)
    if path is None:
        raise Refused(WebCode.NOT_FOUND, "The hub has no such release.")
    if releases.downloads >= MAX_DOWNLOADS:
        detail = "Others are fetching a release: try again in a minute."
        raise Refused(WebCode.BUSY, detail, retry_after_s=_BUSY_S)
    try:
        pieces = Pieces(path)
    except OSError:
        raise Refused(WebCode.NOT_FOUND, "The release was taken away.") from None
    releases.downloads += 1
    try:
        tag = f'"{given.release}"'
        return await send(call, Download(ARCHIVE, pieces.size, tag, pieces.read))
    finally:
        releases.downloads -= 1
        pieces.close()


async def updates(call: Call) -> Updates:
    """Show what the hub serves, and which box has what."""
    shelf = call.desk.releases.shelf()
    manifests = [manifest for manifest, _envelope in shelf.releases.values()]
    today = utc_now().date()
    boxes = []
    for facts in call.desk.house.health:
        if facts.kind is Kind.BOX:
            build = build_of(facts.software)
            boxes.append(
                BoxRelease(
                    id=facts.id,
                    name=facts.name,
                    software=facts.software,
                    build=build,
                    connected=facts.connected,
                    stale=is_stale(build, manifests, today),
                )
            )
    releases = [
        Release(
            version=each.version,
            build=each.build,
            role=each.role,
            architecture=each.architecture,
            python=each.python,
            made=each.made,
            size=each.size,
        )
        for each in sorted(manifests, key=lambda each: -each.build)
    ]
    troubles = (BadRelease(file=each.file, detail=each.detail) for each in shelf.troubles)
    return Updates(
        folder=str(call.desk.releases.folder),
        releases=tuple(releases),
        troubles=tuple(troubles),
        boxes=tuple(boxes),
    )


ROUTES: Final = (
    Route(
        "GET",
        "/updates",
        updates,
        "The releases that this hub serves, and which box has which.",
        who=Who.ADMIN,
        gives={200: Updates},
    ),
    Route(
        "GET",
        "/updates/offer",
        offer,
        "The newest release for a box: a signed manifest.",
        takes=OfferQuery,
        gives={200: Blob(ENVELOPE)},
        errors=(WebCode.NOT_FOUND,),
    ),
    Route(
        "GET",
        "/updates/archive",
        archive,
        "The archive of a release.",
        takes=ArchiveQuery,
        gives={200: Blob(ARCHIVE)},
        errors=(WebCode.NOT_FOUND, WebCode.BUSY, WebCode.BAD_RANGE),
    ),
)
