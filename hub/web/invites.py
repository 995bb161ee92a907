"""Invitations: made by hosts, found by a link or by a code that somebody read out.

A code has six digits, so who guesses is stopped: after a few wrong ones from an address
for a minute, and for everybody after so many that it is no accident.
"""

import io
from typing import Annotated, Any, Final

import segno
from msgspec import Meta, Struct

from hub.spaces.dates import parse
from hub.spaces.kept import Invitation
from hub.spaces.running import RunningSpace
from hub.web.acts import COMMON, act, actor_of, new_req
from hub.web.bodies import act_of, body_of
from hub.web.call import Call, Reply
from hub.web.links import JOIN, link_to
from hub.web.problems import Refused
from hub.web.route import BASE, Blob, Route, Who
from hub.web.spaces import space_for_chairs
from stagebox.calendar import utc_now
from stagebox.wire.acts import MAX_INVITE_S, InviteNew
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Code, Count, Name, Place, SpaceId, Token

# How long an invitation still holds, in seconds.
Left = Annotated[float, Meta(ge=0, le=MAX_INVITE_S)]

_SVG: Final = "image/svg+xml"
# Modules of quiet around the picture, and its pixels to a module.
_QUIET, _SCALE = 4, 6


class InviteMade(Struct, frozen=True, kw_only=True):
    """An invitation: a link to send, a code to read out, and where the link is as a picture."""

    token: Token
    code: Code
    place: Place
    link: str
    qr: str
    expires_in_s: Left


class LivingInvite(InviteMade, frozen=True, kw_only=True):
    """An invitation that still holds: who made it, and how many may still come by it."""

    by: str
    uses: Count


class InviteList(Struct, frozen=True, kw_only=True):
    """The invitations of a space that still hold, the latest first."""

    invites: tuple[LivingInvite, ...]


class Invited(Struct, frozen=True, kw_only=True):
    """Where an invitation leads: join the space with this token."""

    space: SpaceId
    name: Name
    place: Place
    token: Token


class CodeGiven(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody read out."""

    code: Code


async def invite(call: Call, given: Any) -> InviteMade:  # noqa: ANN401 - made by body_of
    """Make an invitation."""
    made = await act(call, act_of(InviteNew, new_req(), {}, given))
    return InviteMade(
        token=made.token,
        code=made.code,
        place=made.place,
        link=link_to(call, JOIN, made.token),
        qr=f"{BASE}/invites/{made.token}/qr.svg",
        expires_in_s=made.expires_in_s,
    )


async def living(call: Call) -> InviteList:
    """Show the invitations that the caller could have made, and may take back."""
    found = space_for_chairs(call).invitations(actor_of(call))
    return InviteList(invites=tuple(_living(call, each) for each in reversed(found)))


async def show(call: Call) -> Invited:
    """Show where a link leads."""
    return _invited(*_found(call))


async def picture(call: Call) -> Reply:
    """Draw a link as a QR code."""
    _, invitation = _found(call)
    drawn = io.BytesIO()
    code = segno.make(link_to(call, JOIN, invitation.token), error="m", micro=False)
    code.save(drawn, kind="svg", border=_QUIET, scale=_SCALE, light="#fff", xmldecl=False)
    return Reply(200, drawn.getvalue(), headers={"Content-Type": _SVG})


async def by_code(call: Call, given: CodeGiven) -> Invited:
    """Find the space of a code that was read out."""
    guesses, now = call.desk.code_guesses, call.desk.now()
    wait_s = guesses.wait_s(call.address, now)
    if wait_s:
        detail = "Too many wrong codes: wait, or ask for a link."
        raise Refused(ErrorCode.RATE_LIMITED, detail, retry_after_s=wait_s)
    found = call.desk.house.spaces.find_code(given.code)
    if found is None:
        guesses.wrong(call.address, now)
        raise _not_valid()
    return _invited(*found)


def _found(call: Call) -> tuple[RunningSpace, Invitation]:
    found = call.desk.house.spaces.find_token(call.path["token"])
    if found is None:
        raise _not_valid()
    return found


def _living(call: Call, invitation: Invitation) -> LivingInvite:
    left_s = (parse(invitation.expires) - utc_now()).total_seconds()
    return LivingInvite(
        token=invitation.token,
        code=invitation.code,
        place=invitation.place,
        link=link_to(call, JOIN, invitation.token),
        qr=f"{BASE}/invites/{invitation.token}/qr.svg",
        expires_in_s=max(0.0, left_s),
        by=invitation.by,
        uses=invitation.uses,
    )


def _invited(space: RunningSpace, invitation: Invitation) -> Invited:
    return Invited(
        space=space.info.id,
        name=space.info.name,
        place=invitation.place,
        token=invitation.token,
    )


def _not_valid() -> Refused:
    detail = "This invitation is not valid, or not any more: ask the host for a new one."
    return Refused(ErrorCode.BAD_INVITE, detail)


ROUTES: Final = (
    Route(
        "POST",
        "/spaces/{space}/invites",
        invite,
        "Make an invitation.",
        who=Who.NAMED,
        takes=body_of(InviteNew),
        gives={201: InviteMade},
        errors=(*COMMON, ErrorCode.ONLY_HOST, ErrorCode.TOO_MANY),
        keyed=True,
    ),
    Route(
        "GET",
        "/spaces/{space}/invites",
        living,
        "The invitations that still hold.",
        who=Who.NAMED,
        gives={200: InviteList},
        errors=(ErrorCode.NOT_ALLOWED, ErrorCode.SPACE_ENDED),
    ),
    Route("GET", "/invites/{token}", show, "Where a link leads.", gives={200: Invited}),
    Route(
        "GET",
        "/invites/{token}/qr.svg",
        picture,
        "A link as a QR code.",
        gives={200: Blob(_SVG)},
    ),
    Route(
        "POST",
        "/codes",
        by_code,
        "Where a spoken code leads.",
        takes=CodeGiven,
        gives={200: Invited},
        errors=(ErrorCode.BAD_INVITE,),
    ),
)
