"""Which boxes the hub believes: adding one, letting one in, removing one."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from hub.trust.certificates import BoxCertificates
from hub.trust.enrolling import MOST_RUNS
from hub.trust.runs import CodeError, Outcome, Run, Step
from hub.trust.waiting import MOST_WAITING, WaitingBox
from hub.web.call import Call
from hub.web.problems import Refused, WebCode
from hub.web.route import Route, Who
from stagebox.wire.causes import ErrorCode
from stagebox.wire.enrolment import EnrolledBox
from stagebox.wire.fingerprint import in_words
from stagebox.wire.terms import MemberId, Name, Role

_MOST_ROWS: Final = 100

Words = Annotated[str, Meta(max_length=40)]
SpokenCode = Annotated[str, Meta(pattern=r"^[0-9]{6}\Z")]


class Added(Struct, frozen=True, kw_only=True):
    """A box that was added; ``words`` stand for its key."""

    id: MemberId
    name: Name
    role: Role
    words: Words


class Comer(Struct, frozen=True, kw_only=True):
    """A box that wants to be added, as it calls itself: nothing of it is proved."""

    name: Name
    role: Role
    words: Words
    address: str
    step: Step


class Waiter(Struct, frozen=True, kw_only=True):
    """A box that knows this hub and waits to be let in; ``seen_s``: how long ago it came."""

    id: MemberId
    name: Name
    role: Role
    words: Words
    address: str
    seen_s: float


class Enrolment(Struct, frozen=True, kw_only=True):
    """Whether a box may be added now, and who is there.

    ``wait_s``: until the window may be opened. ``anyone``: the hub takes every box, for
    development. ``ready``: it has a certificate and a port for boxes.
    """

    open: bool
    remaining_s: float
    wait_s: float
    tries_left: int
    anyone: bool
    ready: bool
    coming: Annotated[tuple[Comer, ...], Meta(max_length=MOST_RUNS)]
    waiting: Annotated[tuple[Waiter, ...], Meta(max_length=MOST_WAITING)]
    latest: Outcome | None = None
    added: Added | None = None


class CodeTyped(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The six digits that the box says."""

    code: SpokenCode


class Admission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a box that waits is let in."""

    accept: bool = True


class BoxEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to a box; ``at`` is in UTC."""

    at: str
    kind: str
    member: MemberId | None
    name: str
    detail: str


class BoxHistory(Struct, frozen=True, kw_only=True):
    """What happened to boxes, the latest first."""

    events: tuple[BoxEvent, ...]


async def look(call: Call) -> Enrolment:
    """Tell whether a box may be added now."""
    trust, now = call.desk.house.trust, call.desk.now()
    enrolling = trust.enrolling
    outcome, box = enrolling.latest or (None, None)
    return Enrolment(
        open=enrolling.is_open,
        remaining_s=round(enrolling.remaining_s, 1),
        wait_s=round(enrolling.wait_s, 1),
        tries_left=enrolling.failures_left if enrolling.is_open else 0,
        anyone=trust.anyone,
        ready=trust.certificates is not None and call.desk.secure is not None,
        coming=tuple(_comer(run) for run in enrolling.waiting),
        waiting=tuple(_waiter(box, now) for box in trust.waiting.now(now)),
        latest=outcome,
        added=_added(box) if box else None,
    )


async def begin(call: Call) -> Enrolment:
    """Open the window."""
    certificates_of(call)
    if call.desk.secure is None:
        raise Refused(WebCode.NO_SECURE_PORT, "This hub has no port for TLS: see [web].")
    wait_s = call.desk.house.trust.enrolling.open()
    if wait_s:
        detail = "Too many codes in a short time: wait some minutes."
        raise Refused(ErrorCode.RATE_LIMITED, detail, retry_after_s=wait_s)
    await call.desk.house.trust.book.note("window opened")
    return await look(call)


async def end(call: Call) -> None:
    """Shut the window."""
    call.desk.house.trust.enrolling.close()


async def typed(call: Call, given: CodeTyped) -> Added:
    """Try a code."""
    try:
        return _added(await call.desk.house.trust.enrolling.enter(given.code))
    except CodeError as error:
        raise Refused(_CODES[error.outcome], str(error)) from None


async def admit(call: Call, given: Admission) -> None:
    """Let a box in that waits, or send it away for good."""
    trust, member_id = call.desk.house.trust, call.path["box"]
    done = await (trust.let_in(member_id) if given.accept else trust.refuse(member_id))
    if done is None:
        raise Refused(WebCode.NO_SUCH_BOX, "No box of this id waits any more.")


async def remove(call: Call) -> None:
    """Forget that a box is enrolled, and end its session."""
    house, member_id = call.desk.house, call.path["box"]
    if not await house.trust.remove(member_id):
        raise Refused(WebCode.NO_SUCH_BOX, "No box of this id is enrolled.")
    session = house.book.get(member_id)
    if session is not None:
        session.dismiss()


async def history(call: Call) -> BoxHistory:
    """Tell what happened to boxes."""
    rows = await call.desk.house.trust.book.history(_MOST_ROWS)
    return BoxHistory(
        events=tuple(
            BoxEvent(at=row.at, kind=row.kind, member=row.member, name=row.name, detail=row.detail)
            for row in rows
        )
    )


def certificates_of(call: Call) -> BoxCertificates:
    """Return the certificates for boxes, or refuse."""
    found = call.desk.house.trust.certificates
    if found is None:
        raise Refused(WebCode.NO_SECURE_PORT, "This hub has no certificate for boxes: see its log.")
    return found


def _added(box: EnrolledBox) -> Added:
    return Added(id=box.id, name=box.name, role=box.role, words=in_words(box.key))


def _comer(run: Run) -> Comer:
    assert run.hello is not None  # noqa: S101 - only those are listed
    return Comer(
        name=run.hello.name,
        role=run.hello.role,
        words=in_words(run.hello.key),
        address=run.address,
        step=run.step,
    )


def _waiter(box: WaitingBox, now: float) -> Waiter:
    return Waiter(
        id=box.id,
        name=box.name,
        role=box.role,
        words=in_words(box.key),
        address=box.address,
        seen_s=round(now - box.seen_at, 1),
    )


_CODES: Final = {
    Outcome.WRONG_CODE: WebCode.WRONG_BOX_CODE,
    Outcome.FAILED: WebCode.NO_BOX_ANSWERS,
    Outcome.CLOSED: WebCode.NOT_OPEN,
}
ROUTES: Final = (
    Route(
        "GET",
        "/enrolment",
        look,
        "Whether a box may be added now.",
        who=Who.ADMIN,
        gives={200: Enrolment},
    ),
    Route(
        "POST",
        "/enrolment",
        begin,
        "Open the window in which a box may be added.",
        who=Who.ADMIN,
        gives={200: Enrolment},
        errors=(WebCode.NO_SECURE_PORT,),
    ),
    Route("DELETE", "/enrolment", end, "Shut it.", who=Who.ADMIN),
    Route(
        "POST",
        "/enrolment/code",
        typed,
        "Add the box that says this code.",
        who=Who.ADMIN,
        takes=CodeTyped,
        gives={200: Added},
        errors=tuple(_CODES.values()),
    ),
    Route(
        "GET",
        "/enrolment/history",
        history,
        "What happened to boxes.",
        who=Who.ADMIN,
        gives={200: BoxHistory},
    ),
    Route(
        "POST",
        "/boxes/{box}/admission",
        admit,
        "Let in a box that waits, or refuse it.",
        who=Who.ADMIN,
        takes=Admission,
    ),
    Route("DELETE", "/boxes/{box}", remove, "Remove a box from this hub.", who=Who.ADMIN),
)
