"""Recordings: listed, played, taken along, changed and deleted.

An administrator and those who were host or co-host when it began may do everything. Whoever
is in it may hear it, take it along and take its own turns out. Members whom an
administrator knows may hear it. For everybody else there is none.
"""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from hub.recording.index import Index
from hub.recording.journal import as_seconds
from hub.recording.library import BusyError, Library, NoSuchRecordingError, has_voice
from hub.recording.recorder import Recorder
from hub.recording.vault import captions
from hub.spaces.rights import Actor
from hub.web.call import Call
from hub.web.download import Download, send
from hub.web.paging import page
from hub.web.problems import Refused, WebCode
from hub.web.recordingviews import (
    RecordingEdit,
    RecordingList,
    RecordingQuery,
    RecordingSummary,
    RecordingView,
    beginning,
    is_in,
    knows_of,
    may_change,
    may_hear,
    summary,
    view,
)
from hub.web.route import Blob, Route, Who
from stagebox.media.frames import SAMPLE_RATE
from stagebox.wire.acts import Agree
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.terms import MemberId

OPUS: Final = "audio/ogg; codecs=opus"
ZIP: Final = "application/zip"
VTT: Final = "text/vtt"


# --- looking --------------------------------------------------------------------------


async def list_recordings(call: Call, given: RecordingQuery) -> RecordingList:
    """List what the caller may hear."""
    recorder = call.desk.recorder
    if recorder is None:
        return RecordingList(recordings=())
    found = [summary(call, card) for card in recorder.library.cards() if may_hear(call, card)]
    found += [beginning(each) for each in recorder.running().values() if knows_of(call, each)]
    found = [each for each in found if given.space in {None, each.space}]
    some, following = page(found, _place, given.cursor, given.limit)
    return RecordingList(recordings=tuple(some), next=following)


async def show(call: Call) -> RecordingView:
    """Show one recording."""
    return view(call, await _heard(call))


async def audio(call: Call) -> web.StreamResponse:
    """Play a recording."""
    found = await _heard(call)
    path = _library(call).audio(found.id)
    return await _send(call, path, OPUS)


async def voice(call: Call) -> web.StreamResponse:
    """Give what one member said, in the recording's time."""
    found, member = await _heard(call), call.path["member"]
    if not (may_change(call, found) or _is(call, member)):
        raise Refused(ErrorCode.NOT_ALLOWED, "Only hosts take the voices of others along.")
    path = _library(call).audio(found.id, member)
    try:
        return await _send(call, path, OPUS, name=f"{found.id}-voice.opus")
    except NoSuchRecordingError:
        raise Refused(ErrorCode.NO_SUCH_MEMBER, "This voice is not in it.") from None


async def show_captions(call: Call) -> web.Response:
    """Give a recording's captions."""
    return web.Response(text=captions(await _heard(call)), content_type=VTT, charset="utf-8")


# --- changing -------------------------------------------------------------------------


async def edit(call: Call, given: RecordingEdit) -> RecordingView:
    """Change a recording's name, where it begins to play, or how long it is kept."""
    found = await _changed(call)
    if given.keep_days is not None and given.keep_days > found.keep_days:
        detail = f"People agreed to be kept for {found.keep_days} days."
        raise Refused(ErrorCode.BAD_VALUE, detail, field="keep_days")
    trim = None if given.start is None else round(given.start * SAMPLE_RATE)
    if trim is not None and trim >= found.samples:
        detail = f"The recording has {as_seconds(found.samples)} seconds."
        raise Refused(ErrorCode.BAD_VALUE, detail, field="start")

    def change(present: Index) -> Index:
        return msgspec.structs.replace(
            present,
            title=present.title if given.name is None else given.name,
            trim=present.trim if trim is None else trim,
            keep_days=present.keep_days if given.keep_days is None else given.keep_days,
        )

    with _refusing():
        return view(call, await _library(call).change(found.id, change))


async def delete(call: Call) -> None:
    """Delete a recording, with captions and names."""
    found = await _changed(call)
    with _refusing():
        await _library(call).delete(found.id)


async def take_out(call: Call) -> None:
    """Take the caller's own voice and words out of a recording."""
    member = _own_id(call)
    running = _recorder(call).running().get(call.path["recording"])
    if running is not None:
        act = Agree(req=secrets.token_hex(8), recording=0)
        reply = call.desk.house.spaces.act(running.space, Actor(member, ""), act)
        if isinstance(reply, Error):
            raise Refused(reply.code, reply.detail)
        return
    found = await _card(call)
    if not has_voice(found, member):
        raise Refused(ErrorCode.NO_SUCH_MEMBER, "Your voice is not in this recording.")
    with _refusing():
        await _library(call).take_out(found.id, member)


# --- taking along ---------------------------------------------------------------------


async def export(call: Call) -> web.StreamResponse:
    """Give everything that is in a recording."""
    found = await _heard(call)
    if not (may_change(call, found) or is_in(call, found)):
        raise Refused(ErrorCode.NOT_ALLOWED, "Only who is in it may take it along.")
    with _refusing():
        async with _library(call).export(found.id) as path:
            return await _send(call, path, ZIP, name=f"{found.id}.zip")


async def export_mine(call: Call) -> web.StreamResponse:
    """Give what the caller said, in all recordings."""
    member = _own_id(call)
    with _refusing():
        async with _library(call).export_own(member) as path:
            return await _send(call, path, ZIP, name="stagebox-my-voice.zip")


# --- who may --------------------------------------------------------------------------


def _is(call: Call, member: MemberId) -> bool:
    return call.caller.visitor is not None and call.caller.visitor.id == member


def _own_id(call: Call) -> MemberId:
    if call.caller.visitor is None:
        raise Refused(WebCode.NAME_NEEDED, "Say who you are first: PUT your name to /api/v1/me.")
    return call.caller.visitor.id


def _recorder(call: Call) -> Recorder:
    if call.desk.recorder is None:
        raise Refused(WebCode.NO_SUCH_RECORDING, "This hub cannot record: look at its log.")
    return call.desk.recorder


def _library(call: Call) -> Library:
    return _recorder(call).library


async def _card(call: Call) -> Index:
    recording = call.path["recording"]
    if recording in _recorder(call).running():
        detail = "This recording still runs: stop it first."
        raise Refused(ErrorCode.ALREADY_LIVE, detail)
    with _refusing():
        return await _library(call).card(recording)


async def _heard(call: Call) -> Index:
    """Return the whole recording that the path names, if the caller may hear it."""
    card = await _card(call)
    if not may_hear(call, card):
        raise _none()
    with _refusing():
        return await _library(call).get(card.id)


async def _changed(call: Call) -> Index:
    """Return the recording that the path names, if the caller may change it."""
    card = await _card(call)
    if not may_hear(call, card):
        raise _none()
    if not may_change(call, card):
        raise Refused(ErrorCode.NOT_ALLOWED, "Only its hosts and administrators may do this.")
    return card


def _none() -> Refused:
    return Refused(WebCode.NO_SUCH_RECORDING, "There is no such recording.")


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except NoSuchRecordingError as error:
        code = WebCode.RECORDING_GONE if error.gone else WebCode.NO_SUCH_RECORDING
        raise Refused(code, str(error)) from None
    except BusyError as error:
        raise Refused(WebCode.BUSY, str(error), retry_after_s=2) from None


async def _send(call: Call, path: Path, media_type: str, name: str = "") -> web.StreamResponse:
    library = _library(call)
    size, tag = await library.facts(path)

    async def read(at: int, most: int) -> bytes:
        try:
            return await library.read(path, at, most)
        except (NoSuchRecordingError, BusyError):
            return b""

    return await send(call, Download(media_type, size, tag, read, name))


def _place(one: RecordingSummary) -> tuple[str, str]:
    """Sort the latest first: digits count down."""
    return one.since.translate(_DOWN), one.id


_DOWN: Final = str.maketrans("0123456789", "9876543210")


_ONE: Final = "/recordings/{recording}"
_ERRORS: Final = (
    WebCode.RECORDING_GONE,
    WebCode.NAME_NEEDED,
    WebCode.BUSY,
    ErrorCode.ALREADY_LIVE,
    ErrorCode.NOT_ALLOWED,
)
_PLAYED: Final = {200: Blob(OPUS), 206: Blob(OPUS)}

ROUTES: Final = (
    Route(
        "GET",
        "/recordings",
        list_recordings,
        "The recordings that you may hear, the latest first.",
        takes=RecordingQuery,
        gives={200: RecordingList},
    ),
    Route("GET", _ONE, show, "One recording.", gives={200: RecordingView}, errors=_ERRORS),
    Route(
        "GET",
        f"{_ONE}/audio",
        audio,
        "Hear it. Players may ask for ranges.",
        gives=_PLAYED,
        errors=(*_ERRORS, WebCode.BAD_RANGE),
    ),
    Route(
        "GET",
        f"{_ONE}/voices/{{member}}",
        voice,
        "What one member said, in the recording's time.",
        gives=_PLAYED,
        errors=(*_ERRORS, WebCode.BAD_RANGE),
    ),
    Route(
        "GET",
        f"{_ONE}/captions.vtt",
        show_captions,
        "Its captions.",
        gives={200: Blob(VTT)},
        errors=_ERRORS,
    ),
    Route(
        "PATCH",
        _ONE,
        edit,
        "Change its name, where it begins to play, how long it is kept.",
        takes=RecordingEdit,
        gives={200: RecordingView},
        errors=_ERRORS,
    ),
    Route("DELETE", _ONE, delete, "Delete it, with captions and names.", errors=_ERRORS),
    Route(
        "DELETE",
        f"{_ONE}/mine",
        take_out,
        "Take your own voice and words out.",
        who=Who.NAMED,
        errors=(*_ERRORS, ErrorCode.NO_SUCH_MEMBER, ErrorCode.BAD_VALUE),
    ),
    Route(
        "GET",
        f"{_ONE}/export",
        export,
        "Take it along, as a ZIP file.",
        gives={200: Blob(ZIP), 206: Blob(ZIP)},
        errors=(*_ERRORS, WebCode.BAD_RANGE),
    ),
    Route(
        "GET",
        "/me/export",
        export_mine,
        "Take what you said along, of all recordings, as a ZIP file.",
        who=Who.NAMED,
        gives={200: Blob(ZIP), 206: Blob(ZIP)},
        errors=(WebCode.NO_SUCH_RECORDING, WebCode.BUSY, WebCode.BAD_RANGE),
    ),
)
