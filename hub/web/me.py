"""Who the hub is, who you are, and how an administrator shows that."""

import base64
import secrets
from typing import Annotated, Final

from msgspec import Meta, Struct

from hub.web import tickets
from hub.web.call import Call, Cookie, Reply
from hub.web.problems import Refused, WebCode
from hub.web.route import Route, Who
from hub.web.tallies import Guesses
from hub.web.trust import is_loopback
from stagebox import __version__
from stagebox.wire.causes import ErrorCode
from stagebox.wire.handshake import member_id
from stagebox.wire.terms import Count, HubTime, Key, MemberId, Name

# A browser keeps its name for a year after it last told it.
VISITOR_S: Final = 365 * 24 * 3_600

# Long enough that five guesses a minute get nowhere in a lifetime.
Password = Annotated[str, Meta(min_length=8, max_length=200)]


class HubInfo(Struct, frozen=True, kw_only=True):
    """The hub. ``secure_port``: where it speaks HTTPS, 0 for nowhere. ``clock``: HubTime now.

    ``open``: it takes every box, for development.
    """

    id: MemberId
    name: Name
    version: str
    set_up: bool
    secure_port: Count
    open: bool
    captions: bool
    streams: bool
    clock: HubTime


class Me(Struct, frozen=True, kw_only=True):
    """Who you are to the hub: ``id``, ``key`` and ``name`` go into your ``hello``."""

    id: MemberId | None = None
    key: Key | None = None
    name: Name | None = None
    admin: bool = False
    known: bool = False


class Naming(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name you want to go by."""

    name: Name


class SetUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first administrator. ``code``: what the hub's log says, unless you are at the hub."""

    password: Password
    code: Annotated[str, Meta(max_length=16)] | None = None


class Login(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An administrator's password."""

    password: Annotated[str, Meta(min_length=1, max_length=200)]


class Logout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``everywhere``: end all sessions, not only this one."""

    everywhere: bool = False


class NewPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new password; all sessions but this one end."""

    old: Annotated[str, Meta(min_length=1, max_length=200)]
    new: Password


async def hub(call: Call) -> HubInfo:
    """Say what the hub is."""
    desk = call.desk
    return HubInfo(
        id=desk.hub_id,
        name=desk.config.name,
        version=__version__,
        set_up=desk.accounts.set_up,
        secure_port=desk.secure_port,
        open=desk.config.trust.anyone,
        captions=desk.house.spaces.facilities.captions,
        streams=desk.house.spaces.facilities.streams,
        clock=desk.now(),
    )


async def who_am_i(call: Call) -> Me:
    """Say who the caller is."""
    visitor, admin = call.caller.visitor, call.caller.admin
    if visitor is None:
        return Me(admin=admin)
    return Me(id=visitor.id, key=visitor.key, name=visitor.name, admin=admin, known=visitor.known)


async def name_me(call: Call, given: Naming) -> Reply:
    """Give the caller an identity, or a new name to the one it has."""
    visitor = call.caller.visitor
    key = visitor.key if visitor else base64.b64encode(secrets.token_bytes(32)).decode()
    text = tickets.seal(call.desk.secret, key, given.name)
    known = visitor is not None and visitor.known
    me = Me(id=member_id(key), key=key, name=given.name, admin=call.caller.admin, known=known)
    return Reply(200, me, (Cookie(tickets.VISITOR_COOKIE, text, VISITOR_S),))


async def forget_me(_call: Call) -> Reply:
    """Take the caller's identity away; nothing of it was kept here."""
    return Reply(204, None, (Cookie(tickets.VISITOR_COOKIE, ""),))


async def set_up(call: Call, given: SetUp) -> Reply:
    """Appoint the first administrator."""
    accounts = call.desk.accounts
    if accounts.set_up:
        raise _already()
    if not is_loopback(call.request.remote or ""):
        _guess(call, call.desk.password_guesses)
        if not secrets.compare_digest((given.code or "").encode(), accounts.code.encode()):
            raise Refused(
                WebCode.WRONG_CODE,
                "The hub wrote a set-up code to its log when it started: give that one.",
                field="code",
            )
        call.desk.password_guesses.right(call.address)
    if not await accounts.appoint(given.password):
        raise _already()
    return await _welcome(call)


async def log_in(call: Call, given: Login) -> Reply:
    """Open an administrator's session."""
    if not call.desk.accounts.set_up:
        detail = "This hub has no administrator yet: set it up first."
        raise Refused(WebCode.NOT_SET_UP, detail)
    await _check(call, given.password)
    return await _welcome(call)


async def log_out(call: Call, given: Logout) -> Reply:
    """End the caller's session, or all; who has none loses nothing."""
    accounts, session = call.desk.accounts, call.caller.session
    if session is not None and given.everywhere:
        await accounts.end_all()
    elif session is not None:
        await accounts.end(session)
    return Reply(204, None, (Cookie(tickets.ADMIN_COOKIE, ""),))


async def change_password(call: Call, given: NewPassword) -> Reply:
    """Replace the administrator's password."""
    await _check(call, given.old)
    await call.desk.accounts.change(given.new)
    return await _welcome(call)


async def _check(call: Call, password: str) -> None:
    guesses = call.desk.password_guesses
    _guess(call, guesses)
    if not await call.desk.accounts.check(password):
        raise Refused(WebCode.WRONG_PASSWORD, "That is not the password.")
    guesses.right(call.address)


def _guess(call: Call, guesses: Guesses) -> None:
    """Count a guess as wrong before it is known, so that many at once gain nothing."""
    now = call.desk.now()
    wait_s = guesses.wait_s(call.address, now)
    if wait_s:
        detail = "Too many wrong guesses: wait before the next one."
        raise Refused(ErrorCode.RATE_LIMITED, detail, retry_after_s=wait_s)
    guesses.wrong(call.address, now)


def _already() -> Refused:
    return Refused(WebCode.ALREADY_SET_UP, "This hub has an administrator: log in.")


async def _welcome(call: Call) -> Reply:
    accounts = call.desk.accounts
    token = await accounts.begin()
    visitor = call.caller.visitor
    me = Me(admin=True)
    if visitor is not None:
        me = Me(id=visitor.id, key=visitor.key, name=visitor.name, admin=True, known=visitor.known)
    age = round(call.desk.config.web.session_hours * 3_600)
    return Reply(200, me, (Cookie(tickets.ADMIN_COOKIE, token, age),))


ROUTES: Final = (
    Route("GET", "/hub", hub, "What this hub is.", gives={200: HubInfo}),
    Route("GET", "/me", who_am_i, "Who you are.", gives={200: Me}),
    Route(
        "PUT", "/me", name_me, "Say your name; makes you a visitor.", takes=Naming, gives={200: Me}
    ),
    Route("DELETE", "/me", forget_me, "Be forgotten."),
    Route(
        "POST",
        "/setup",
        set_up,
        "Appoint the first administrator.",
        takes=SetUp,
        gives={200: Me},
        errors=(WebCode.ALREADY_SET_UP, WebCode.WRONG_CODE, WebCode.BUSY),
    ),
    Route(
        "POST",
        "/login",
        log_in,
        "Become the administrator.",
        takes=Login,
        gives={200: Me},
        errors=(WebCode.NOT_SET_UP, WebCode.WRONG_PASSWORD, WebCode.BUSY),
    ),
    Route("POST", "/logout", log_out, "Be no administrator any more.", takes=Logout),
    Route(
        "PUT",
        "/password",
        change_password,
        "Change the administrator's password.",
        who=Who.ADMIN,
        takes=NewPassword,
        gives={200: Me},
        errors=(WebCode.WRONG_PASSWORD, WebCode.BUSY),
    ),
)
