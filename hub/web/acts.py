"""Acts on spaces: each is one row, and goes where the same act of a WebSocket goes.

Whether the caller may do it is for the space to say. Nothing here opens a microphone.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.spaces.rights import Actor
from hub.web.bodies import act_of, body_of
from hub.web.call import Call, Reply
from hub.web.problems import Code, Refused
from hub.web.route import Content, Handler, Route, Who
from stagebox.wire.acts import (
    Act,
    Agree,
    FloorClear,
    FloorHold,
    FloorMove,
    FloorNext,
    FloorPriority,
    InviteRevoke,
    MemberPlace,
    MemberRemove,
    MemberUnblock,
    MemberVolume,
    PinAdd,
    PinRemove,
    React,
    RecordSet,
    SpaceCancel,
    SpaceConfirm,
    SpaceEdit,
    SpaceEnd,
    SpaceStart,
)
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.terms import Count, Percent, Place, Seconds, Token

# What any act may be answered.
COMMON: Final[tuple[Code, ...]] = (
    ErrorCode.NOT_IN_SPACE,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.SPACE_ENDED,
    ErrorCode.NOT_LIVE,
)
_REQ_BYTES: Final = 12


class Confirm(Struct, frozen=True, kw_only=True):
    """Really end the space, for so many people? Then send this token in time."""

    token: Token
    members: Count
    expires_in_s: Seconds


class MemberPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a member: one thing. ``muted`` is its own switch, and its alone."""

    place: Place | None = None
    volume: Percent | None = None
    held: bool | None = None
    muted: bool | None = None


def actor_of(call: Call) -> Actor:
    """Return who acts."""
    visitor, admin = call.caller.visitor, call.caller.admin
    if visitor is None:
        return Actor(None, "Administrator", admin=admin)
    return Actor(visitor.id, visitor.name, admin=admin)


def new_req() -> str:
    """Return a name for a request."""
    return secrets.token_urlsafe(_REQ_BYTES)


async def act(call: Call, deed: Act) -> Any:  # noqa: ANN401 - Done, SpaceConfirm or Invite
    """Carry out an act; return the answer.

    Raises:
        Refused: the space refuses it.
    """
    reply = call.desk.house.spaces.act(call.path["space"], actor_of(call), deed)
    if isinstance(reply, Error):
        raise refused(reply)
    return reply


def refused(error: Error) -> Refused:
    """Return a space's refusal as a problem."""
    return Refused(error.code, error.detail, retry_after_s=error.retry_after_s)


async def patch_member(call: Call, given: MemberPatch) -> None:
    """Change one thing of a member."""
    wanted = {
        name: value for name, value in msgspec.structs.asdict(given).items() if value is not None
    }
    if "muted" in wanted:
        detail = "A microphone is opened and closed at its own device. Ask its owner to speak."
        raise Refused(ErrorCode.DEVICE_ONLY, detail, field="muted")
    if len(wanted) != 1:
        raise Refused(ErrorCode.BAD_VALUE, "Change one thing at a time.")
    member, req = call.path["member"], new_req()
    if given.place is not None:
        await act(call, MemberPlace(req=req, member=member, place=given.place))
    elif given.volume is not None:
        await act(call, MemberVolume(req=req, member=member, volume=given.volume))
    elif given.held is not None:
        await act(call, FloorHold(req=req, member=member, on=given.held))


async def end_space(call: Call, given: Any) -> Reply:  # noqa: ANN401 - made by body_of
    """Ask for a confirmation, or end the space with it."""
    reply = await act(call, SpaceEnd(req=new_req(), token=given.token))
    if isinstance(reply, SpaceConfirm):
        left_s = reply.expires_in_s
        return Reply(202, Confirm(token=reply.token, members=reply.members, expires_in_s=left_s))
    return Reply(204)


def _carry_out(deed: type[Act], parts: Mapping[str, str]) -> Handler:
    async def carry_out(call: Call, *given: Struct) -> None:
        found = {name: call.path[part] for part, name in parts.items()}
        body = given[0] if given else None
        await act(call, act_of(deed, new_req(), found, body))

    carry_out.__doc__ = deed.__doc__
    return carry_out


def _row(method: str, path: str, deed: type[Act], summary: str, *errors: Code) -> Route:
    """Return the route of an act that is answered with ``done``."""
    parts = {part: name for part, name in _PARTS.items() if f"{{{part}}}" in path}
    return Route(
        method,
        f"/spaces/{{space}}{path}",
        _carry_out(deed, parts),
        summary,
        who=Who.NAMED,
        takes=body_of(deed, tuple(parts.values())),
        errors=(*COMMON, *errors),
    )


# Which field of an act a part of the path is.
_PARTS: Final = {"member": "member", "pin": "id", "token": "token"}
_ENDS: Final[Mapping[int, Content]] = {204: None, 202: Confirm}
_E = ErrorCode

ROUTES: Final = (
    _row(
        "PATCH",
        "",
        SpaceEdit,
        "Change a space.",
        _E.BAD_VALUE,
        _E.NO_CAPTIONS,
        _E.NO_STREAMS,
        _E.STANDING,
        _E.ALREADY_LIVE,
    ),
    _row(
        "DELETE",
        "",
        SpaceCancel,
        "Cancel a scheduled space.",
        _E.ONLY_HOST,
        _E.STANDING,
        _E.ALREADY_LIVE,
    ),
    _row("POST", "/start", SpaceStart, "Go live.", _E.ONLY_HOST, _E.STANDING, _E.ALREADY_LIVE),
    Route(
        "POST",
        "/spaces/{space}/end",
        end_space,
        "End a space: without a token you get one, with it in time it ends.",
        who=Who.NAMED,
        takes=body_of(SpaceEnd),
        gives=_ENDS,
        errors=(*COMMON, _E.ONLY_HOST, _E.STANDING, _E.CONFIRM_EXPIRED),
    ),
    _row(
        "POST",
        "/floor/next",
        FloorNext,
        "Offer the floor.",
        _E.HANDS_OFF,
        _E.QUEUE_EMPTY,
        _E.NO_SUCH_MEMBER,
        _E.STAGE_FULL,
        _E.RECEIVE_ONLY,
    ),
    _row(
        "POST",
        "/floor/hold",
        FloorHold,
        "Keep microphones closed, or not.",
        _E.NO_SUCH_MEMBER,
        _E.CHAIR_PROTECTED,
    ),
    _row("POST", "/floor/priority", FloorPriority, "Pause everybody else.", _E.CHAIR_PROTECTED),
    _row("POST", "/floor/clear", FloorClear, "Take hands down.", _E.NO_SUCH_MEMBER),
    _row("POST", "/floor/move", FloorMove, "Move a hand in the queue.", _E.NO_SUCH_MEMBER),
    Route(
        "PATCH",
        "/spaces/{space}/members/{member}",
        patch_member,
        "Change a member's place or volume, or hold it.",
        who=Who.NAMED,
        takes=MemberPatch,
        errors=(
            *COMMON,
            _E.ONLY_HOST,
            _E.CHAIR_PROTECTED,
            _E.COHOST_LIMIT,
            _E.STAGE_FULL,
            _E.RECEIVE_ONLY,
            _E.DEVICE_ONLY,
        ),
    ),
    _row(
        "DELETE",
        "/members/{member}",
        MemberRemove,
        "Put a member out, or block it.",
        _E.CHAIR_PROTECTED,
        _E.TOO_MANY,
    ),
    _row("DELETE", "/blocked/{member}", MemberUnblock, "Let a blocked member come again."),
    _row(
        "DELETE",
        "/invites/{token}",
        InviteRevoke,
        "Take an invitation back: its link and its code lead nowhere from now on.",
        _E.ONLY_HOST,
    ),
    _row("DELETE", "/pins/{pin}", PinRemove, "Take a pin down."),
    _row("PUT", "/recording", RecordSet, "Record, or stop.", _E.DISK_FULL),
    _row("POST", "/reactions", React, "Show a mark to everybody.", _E.RATE_LIMITED),
    _row("PUT", "/agreement", Agree, "Agree to be recorded or written down, or not.", _E.BAD_VALUE),
    Route(
        "POST",
        "/spaces/{space}/pins",
        _carry_out(PinAdd, {}),
        "Pin a note or a link.",
        who=Who.NAMED,
        takes=body_of(PinAdd),
        errors=(*COMMON, _E.TOO_MANY),
        keyed=True,
    ),
)
