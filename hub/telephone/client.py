"""What we ask in a call: who both sides are, and our requests until they are answered. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from hub.bridges.terms import Cause
from hub.telephone import sdp
from hub.telephone.digest import answer
from hub.telephone.leg_terms import (
    ALLOW,
    FIRST_ANSWER_S,
    GONE_S,
    GOODBYE_S,
    PATIENCE_S,
    RING_S,
    SDP,
    Agreed,
    Alive,
    Dialled,
    Effect,
    Over,
    Send,
    Timer,
    Us,
    refusal,
)
from hub.telephone.message import (
    Headers,
    Request,
    Response,
    cseq,
    every,
    first,
    parameter,
    render,
    tagged,
    uri_of,
)

_SAY: Final = {
    "INVITE": FIRST_ANSWER_S,
    "BYE": GOODBYE_S,
    "OPTIONS": GONE_S,
    "CANCEL": GOODBYE_S,
}
_GONE: Final = (408, 481)


@dataclass(slots=True)
class Dialog:
    """Who both sides are. ``local`` and ``remote`` are addresses with their tags."""

    us: Us
    call_id: str
    tag: str
    local: str
    remote: str
    target: str
    routes: tuple[str, ...] = ()
    number: int = 0

    @classmethod
    def called(cls, request: Request, us: Us) -> "Dialog":
        """Return that of a call which somebody makes."""
        tag = us.unique()
        return cls(
            us=us,
            call_id=first(request.headers, "call-id"),
            tag=tag,
            local=tagged(first(request.headers, "to"), tag),
            remote=first(request.headers, "from"),
            target=uri_of(first(request.headers, "contact"))
            or uri_of(first(request.headers, "from")),
            routes=every(request.headers, "record-route"),
        )

    @classmethod
    def calling(cls, dialled: Dialled, us: Us) -> "Dialog":
        """Return that of a call which we make."""
        tag = us.unique()
        user = dialled.login.user if dialled.login is not None else "stagebox"
        host = uri_of(dialled.uri).rpartition("@")[2] if dialled.login else us.shown
        shown = f'"{dialled.name}" ' if dialled.name else ""
        return cls(
            us=us,
            call_id=us.unique(),
            tag=tag,
            local=f"{shown}<sip:{user}@{host}>;tag={tag}",
            remote=f"<{dialled.uri}>",
            target=dialled.uri,
        )

    def has(self, request: Request) -> bool:
        """Say whether a request belongs to it, by both tags."""
        theirs = parameter(first(request.headers, "from"), "tag")
        ours = parameter(first(request.headers, "to"), "tag")
        return theirs == parameter(self.remote, "tag") and ours in {self.tag, None}

    def request(self, method: str, number: int, branch: str, more: Headers = ()) -> Request:
        """Return a request of ours, without its body."""
        us = self.us
        return Request(
            method,
            self.target,
            (
                ("via", f"SIP/2.0/{us.transport} {us.shown};branch={branch};rport"),
                ("max-forwards", "70"),
                *(("route", each) for each in self.routes),
                ("from", self.local),
                ("to", self.remote),
                ("call-id", self.call_id),
                ("cseq", f"{number} {method}"),
                ("contact", f"<sip:{us.shown}>"),
                ("user-agent", us.agent),
                *more,
            ),
        )


@dataclass(slots=True)
class Asked:
    """One request that waits for its answer."""

    request: Request
    branch: str
    number: int
    timer: Timer
    rings: bool = False
    logged_in: bool = False

    @property
    def data(self) -> bytes:
        """The request as it is sent."""
        return render(self.request)


class Client:
    """Our requests of one call, one at a time; a later one takes an earlier one's place."""

    def __init__(self, dialog: Dialog, dialled: Dialled | None, place: sdp.Place) -> None:
        self._dialog = dialog
        self._dialled = dialled
        self._place = place
        self._asked: Asked | None = None
        self._ack: tuple[int, bytes] | None = None
        self._is_up = dialled is None

    @property
    def deadline(self) -> float | None:
        """When to call ``tick`` at the latest."""
        return self._asked.timer.deadline if self._asked is not None else None

    def ask(self, method: str, now: float, body: bytes = b"", login: str = "") -> list[Effect]:
        """Ask something. ``login``: a header that answers a question, with its name."""
        dialog = self._dialog
        dialog.number += 1
        branch = "z9hG4bK" + dialog.us.unique()
        more: Headers = (("allow", ALLOW), ("supported", "timer")) if method == "INVITE" else ()
        if self._dialled is not None and not self._is_up:
            more += self._dialled.more
        name, _, value = login.partition(": ")
        more += ((name, value),) if login else ()
        more += (("content-type", SDP),) if body else ()
        bare = dialog.request(method, dialog.number, branch, more)
        request = Request(bare.method, bare.uri, bare.headers, body)
        patience_s = _SAY.get(method, PATIENCE_S)
        timer = Timer.begun(now, patience_s, reliable=dialog.us.reliable)
        self._asked = Asked(request, branch, dialog.number, timer, logged_in=bool(login))
        return [Send(self._asked.data)]

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._asked = None

    def hang_up(self, now: float) -> list[Effect]:
        """Say goodbye, or take back a call that rings."""
        asked = self._asked
        if self._is_up:
            return self.ask("BYE", now)
        self._asked = None
        if asked is None or not asked.rings:
            return []  # whoever never answered would not know what is taken back
        same = {"via", "max-forwards", "route", "from", "to", "call-id"}
        kept = tuple(pair for pair in asked.request.headers if pair[0] in same)
        cancel = Request("CANCEL", asked.request.uri, (*kept, ("cseq", f"{asked.number} CANCEL")))
        return [Send(render(cancel))]

    def tick(self, now: float) -> list[Effect]:
        """Repeat what is due, or give it up."""
        asked = self._asked
        if asked is None:
            return []
        if not asked.timer.is_over(now):
            return [Send(asked.data)] if asked.timer.repeats(now) else []
        self._asked = None
        if asked.request.method in {"BYE", "CANCEL"}:
            return []
        if asked.rings:
            gone = Over(Cause.NO_ANSWER, "It rang, and nobody answered.")
            self._asked = asked
            return [*self.hang_up(now), gone]
        if self._is_up:
            return [Over(Cause.LOST, "The other side does not answer any more.")]
        return [Over(Cause.UNREACHABLE, "Nobody answers at this address.")]

    def response(self, message: Response, now: float) -> list[Effect]:
        """Take in an answer; what belongs to no question of ours is no news."""
        number, method = cseq(message.headers)
        if self._ack is not None and (number, method) == (self._ack[0], "INVITE"):
            return [Send(self._ack[1])] if 200 <= message.status < 300 else []
        asked = self._asked
        branch = parameter(first(message.headers, "via"), "branch")
        if asked is None or (branch, number) != (asked.branch, asked.number):
            return []
        if message.status < 200:
            return self._ringing(asked, now)
        self._asked = None
        handler = self._HANDLERS.get(method)
        return handler(self, message, asked, now) if handler is not None else []

    # --- private ----------------------------------------------------------------

    def _ringing(self, asked: Asked, now: float) -> list[Effect]:
        if not asked.rings and asked.request.method == "INVITE":
            asked.rings = True
            asked.timer = Timer.begun(now, RING_S, reliable=True)
        return []

    def _invited(self, message: Response, asked: Asked, now: float) -> list[Effect]:
        if message.status >= 300:
            return self._refused(message, asked, now)
        dialog = self._dialog
        dialog.remote = first(message.headers, "to")
        dialog.target = uri_of(first(message.headers, "contact")) or dialog.target
        if not self._is_up:
            dialog.routes = tuple(reversed(every(message.headers, "record-route")))
        self._is_up = True
        ack = dialog.request("ACK", asked.number, "z9hG4bK" + dialog.us.unique())
        data = render(ack)
        self._ack = (asked.number, data)
        try:
            chosen = sdp.read(message.body)
        except sdp.OfferError as error:
            gone = Over(Cause.BAD_ANSWER, f"Its answer cannot be used: {error}.")
            return [Send(data), *self.hang_up(now), gone]
        return [Send(data), Agreed(chosen)]

    def _refused(self, message: Response, asked: Asked, now: float) -> list[Effect]:
        dialog = self._dialog
        bare = dialog.request("ACK", asked.number, asked.branch)
        to = first(message.headers, "to")
        headers = tuple((name, to if name == "to" else value) for name, value in bare.headers)
        sent: list[Effect] = [Send(render(Request("ACK", asked.request.uri, headers)))]
        login = self._login(message, asked)
        if login:
            return [*sent, *self.ask("INVITE", now, asked.request.body, login)]
        if self._is_up and message.status not in _GONE:
            return sent  # a refresh that is refused leaves the call as it was
        return [*sent, refusal(message.status, message.reason)]

    def _login(self, message: Response, asked: Asked) -> str:
        """Return the header that answers a question for our password; empty: there is none."""
        names = {401: ("www-authenticate", "authorization")}
        names[407] = ("proxy-authenticate", "proxy-authorization")
        login = self._dialled.login if self._dialled is not None else None
        if message.status not in names or login is None or asked.logged_in:
            return ""
        theirs, ours = names[message.status]
        for name, value in message.headers:
            if name == theirs:
                cnonce = self._dialog.us.unique()
                given = answer(value, login, "INVITE", asked.request.uri, cnonce)
                if given is not None:
                    return f"{ours}: {given}"
        return ""

    def _probed(self, message: Response, _asked: Asked, _now: float) -> list[Effect]:
        if message.status in _GONE:
            return [Over(Cause.LOST, "The other side does not know the call any more.")]
        return [Alive()]

    _HANDLERS: ClassVar[
        Mapping[str, Callable[["Client", Response, Asked, float], list[Effect]]]
    ] = {"INVITE": _invited, "OPTIONS": _probed}
