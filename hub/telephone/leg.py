"""One side of one call: its dialog and everything that is repeated until it is answered. Pure.

Whoever calls us is answered at once, so there is no ringing on our side. Requests that
come twice get the same answer twice; ours are repeated as RFC 3261 says. Messages go back
and forth between us and the one address from which the call was made or to which it went:
whatever proxies are in between, the nearest of them is that address.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hub.bridges.terms import Cause
from hub.telephone import sdp
from hub.telephone.client import Client, Dialog
from hub.telephone.leg_terms import (
    ALLOW,
    MIN_SESSION_S,
    PATIENCE_S,
    SDP,
    Agreed,
    Dialled,
    Effect,
    Key,
    Over,
    Send,
    Session,
    Timer,
    Us,
    is_too_short,
    session_of,
)
from hub.telephone.message import (
    Message,
    Request,
    Response,
    cseq,
    every,
    first,
    parameter,
    render,
    response,
    uri_of,
)
from hub.telephone.rtp import info_key

# Requests of one call whose answers are kept for whoever asks again.
_KEPT: Final = 8


class Leg:
    """One call, from its INVITE to its BYE. ``called`` and ``calling`` make one."""

    def __init__(self, dialog: Dialog, place: sdp.Place, login: Dialled | None) -> None:
        self.call_id = dialog.call_id
        self.chosen: sdp.Chosen | None = None
        self.is_over = False
        self._dialog = dialog
        self._place = place
        self._client = Client(dialog, login, place)
        self._answered: dict[tuple[str, str], bytes] = {}
        self._accept: tuple[bytes, int, Timer] | None = None  # until its ACK comes
        self._session: Session | None = None

    @property
    def deadline(self) -> float | None:
        """When to call ``tick`` at the latest."""
        found = [self._client.deadline]
        found += [self._accept[2].deadline] if self._accept else []
        found += [self._session.deadline] if self._session and not self.is_over else []
        return min((each for each in found if each is not None), default=None)

    def receive(self, message: Message, now: float) -> list[Effect]:
        """Take in a message of this call."""
        if isinstance(message, Request):
            return self._asked(message, now)
        effects = self._client.response(message, now)
        return self._noted(effects, message, now)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""
        effects = self._noted(self._client.tick(now), None, now)
        if self._accept is not None:
            effects += self._repeat(*self._accept, now)
        session = self._session
        if session is not None and not self.is_over and now >= session.deadline:
            session.since = now
            effects += self._refresh(now) if session.ours else self._dead(now)
        return effects

    def dial(self, now: float) -> list[Effect]:
        """Call."""
        return self._refresh(now)

    def accept(self, request: Request, now: float) -> list[Effect]:
        """Answer the call that ``request`` makes.

        Raises:
            OfferError: its sound cannot be taken.
        """
        return self._offered(request, now)

    def probe(self, now: float) -> list[Effect]:
        """Ask whether the other side is there: ``Alive`` or ``Over`` follows."""
        return [] if self.is_over else self._client.ask("OPTIONS", now)

    def hang_up(self, now: float) -> list[Effect]:
        """End it; what is still to be sent is sent by ``tick``."""
        if self.is_over:
            return []
        self.is_over, self._accept = True, None
        return self._client.hang_up(now)

    def abandon(self) -> None:
        """End it without a word: nobody is there to hear it."""
        self.is_over, self._accept = True, None
        self._client.stop()

    # --- what the other side asks -----------------------------------------------

    def _asked(self, request: Request, now: float) -> list[Effect]:
        key = (parameter(first(request.headers, "via"), "branch") or "", request.method)
        if request.method == "ACK":
            return self._acknowledged(request, now)
        if key in self._answered:
            return [Send(self._answered[key])]
        handler = self._HANDLERS.get(request.method)
        if request.method != "CANCEL" and not self._dialog.has(request):
            return [Send(self._answer(request, 481, "Call Does Not Exist"))]
        if handler is None:
            return [Send(self._answer(request, 405, "Method Not Allowed", ("allow", ALLOW)))]
        return handler(self, request, now)

    def _answer(
        self,
        request: Request,
        status: int,
        reason: str,
        *more: tuple[str, str],
        body: bytes = b"",
    ) -> bytes:
        made = response(request, status, reason, more, tag=self._dialog.tag, body=body)
        data = render(made)
        branch = parameter(first(request.headers, "via"), "branch") or ""
        self._answered[branch, request.method] = data
        if len(self._answered) > _KEPT:
            del self._answered[next(iter(self._answered))]
        return data

    def _offered(self, request: Request, now: float) -> list[Effect]:
        """Take an INVITE or an UPDATE, the first one or another."""
        effects: list[Effect] = []
        if request.body:
            self.chosen = sdp.read(request.body)
            effects.append(Agreed(self.chosen))
            body = sdp.answer(self._place, self.chosen)
        elif request.method == "INVITE":
            body = sdp.offer(self._place)  # the answer comes with the ACK
        else:
            body = b""
        more = [("contact", f"<sip:{self._dialog.us.shown}>"), ("allow", ALLOW)]
        more += [("supported", "timer")] + ([("content-type", SDP)] if body else [])
        more += [("record-route", each) for each in every(request.headers, "record-route")]
        session = session_of(request, now, "uas")
        if session is not None and "timer" in every(request.headers, "supported"):
            self._session = session
            more += [session.header, ("require", "timer")]
        data = self._answer(request, 200, "OK", *more, body=body)
        if request.method == "INVITE":
            timer = Timer.begun(now, PATIENCE_S, reliable=False)
            self._accept = (data, cseq(request.headers)[0], timer)
        return [Send(data), *effects]

    def _reoffered(self, request: Request, now: float) -> list[Effect]:
        if self.is_over:
            return [Send(self._answer(request, 481, "Call Does Not Exist"))]
        if is_too_short(request):
            more = ("min-se", str(MIN_SESSION_S))
            return [Send(self._answer(request, 422, "Session Interval Too Small", more))]
        contact = uri_of(first(request.headers, "contact"))
        self._dialog.target = contact or self._dialog.target
        try:
            return self._offered(request, now)
        except sdp.OfferError:
            return [Send(self._answer(request, 488, "Not Acceptable Here"))]

    def _acknowledged(self, request: Request, _now: float) -> list[Effect]:
        accept = self._accept
        if accept is None or accept[1] != cseq(request.headers)[0]:
            return []
        self._accept = None
        if not request.body:
            return []
        try:
            self.chosen = sdp.read(request.body)
        except sdp.OfferError:
            return []  # it is silent then, and its silence ends it
        return [Agreed(self.chosen)]

    def _byed(self, request: Request, _now: float) -> list[Effect]:
        effects: list[Effect] = [Send(self._answer(request, 200, "OK"))]
        if not self.is_over:
            self.is_over, self._accept = True, None
            self._client.stop()
            effects.append(Over(Cause.LOST, "They hung up."))
        return effects

    def _informed(self, request: Request, _now: float) -> list[Effect]:
        key = info_key(first(request.headers, "content-type"), request.body)
        sent: list[Effect] = [Send(self._answer(request, 200, "OK"))]
        return [*sent, Key(key)] if key else sent

    def _looked_at(self, request: Request, _now: float) -> list[Effect]:
        return [Send(self._answer(request, 200, "OK", ("allow", ALLOW)))]

    _HANDLERS: ClassVar[Mapping[str, Callable[["Leg", Request, float], list[Effect]]]] = {
        "INVITE": _reoffered,
        "UPDATE": _reoffered,
        "BYE": _byed,
        "INFO": _informed,
        "OPTIONS": _looked_at,
        "CANCEL": _looked_at,  # too late: it was answered at once
    }

    # --- private ----------------------------------------------------------------

    def _noted(self, effects: list[Effect], message: Response | None, now: float) -> list[Effect]:
        """Keep in mind what our own requests led to."""
        for effect in effects:
            if isinstance(effect, Agreed):
                self.chosen = effect.chosen
                found = session_of(message, now, "uac") if message is not None else None
                self._session = found or self._session
            elif isinstance(effect, Over):
                self.is_over, self._accept = True, None
        return effects

    def _refresh(self, now: float) -> list[Effect]:
        return self._client.ask("INVITE", now, sdp.offer(self._place))

    def _repeat(self, data: bytes, _number: int, timer: Timer, now: float) -> list[Effect]:
        if timer.is_over(now):
            return self._dead(now)
        return [Send(data)] if timer.repeats(now) else []

    def _dead(self, now: float) -> list[Effect]:
        return [*self.hang_up(now), Over(Cause.LOST, "The other side does not answer any more.")]


def called(request: Request, us: Us, place: sdp.Place) -> Leg:
    """Return our side of a call that somebody makes."""
    return Leg(Dialog.called(request, us), place, None)


def calling(dialled: Dialled, us: Us, place: sdp.Place) -> Leg:
    """Return our side of a call that we make."""
    return Leg(Dialog.calling(dialled, us), place, dialled)
