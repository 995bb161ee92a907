"""The words of one side of a call: what it does, who we are, and why it is over. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.bridges.terms import Cause
from hub.telephone.digest import Login
from hub.telephone.message import Request, Response, first, parameter
from hub.telephone.sdp import Chosen

ALLOW: Final = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"
SDP: Final = "application/sdp"
# RFC 3261, 17.1.1.1: the first repetition, the longest wait between two, the end of patience.
T1_S: Final = 0.5
T2_S: Final = 4.0
PATIENCE_S: Final = 32.0
# From the first INVITE to any answer: seven repetitions would be 32 s of a silent console.
FIRST_ANSWER_S: Final = 5.0
# How long it may ring: a person walks to the telephone.
RING_S: Final = 60.0
# A goodbye that is not answered is said three times.
GOODBYE_S: Final = 2.0
# Who does not answer a question within a call for so long is gone: a radio gap is over by then.
GONE_S: Final = 6.0
# The shortest session timer that RFC 4028 lets anybody refuse to undercut.
MIN_SESSION_S: Final = 90
MAX_SESSION_S: Final = 86_400
_SLACK_S: Final = 32.0


@dataclass(frozen=True, slots=True)
class Us:
    """Our end of the signalling. ``unique``: makes tags and branches that nobody guesses."""

    host: str
    port: int
    transport: str  # "UDP" or "TCP"
    agent: str
    unique: Callable[[], str]

    @property
    def reliable(self) -> bool:
        """Whether what is sent arrives, so that nothing is sent twice."""
        return self.transport == "TCP"

    @property
    def shown(self) -> str:
        """Host and port, as a URI has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Dialled:
    """Whom to call, and as whom. ``more``: headers of our own."""

    uri: str
    login: Login | None = None
    name: str = ""
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Send this to the other side."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Agreed:
    """The sound goes so from now on."""

    chosen: Chosen


@dataclass(frozen=True, slots=True)
class Key:
    """A key came in a SIP INFO."""

    key: str


@dataclass(frozen=True, slots=True)
class Alive:
    """The other side has answered a probe."""


@dataclass(frozen=True, slots=True)
class Over:
    """The call is over, or did not come about."""

    cause: Cause
    detail: str


Effect = Send | Agreed | Key | Alive | Over

_CAUSES: Final[Mapping[int, tuple[Cause, str]]] = {
    401: (Cause.WRONG_SECRET, "It refuses our name or password."),
    403: (Cause.WRONG_SECRET, "It does not let us call: is the name or password wrong?"),
    404: (Cause.NOTHING_THERE, "There is no such number or name."),
    407: (Cause.WRONG_SECRET, "It refuses our name or password."),
    408: (Cause.NO_ANSWER, "Nobody is there at present."),
    410: (Cause.NOTHING_THERE, "There is no such number or name any more."),
    480: (Cause.BUSY, "Nobody can be reached there at present."),
    482: (Cause.ALREADY_BRIDGED, "This call would come back to this hub."),
    484: (Cause.NOTHING_THERE, "The number is not whole."),
    486: (Cause.BUSY, "It is busy."),
    487: (Cause.NO_ANSWER, "Nobody answered."),
    488: (Cause.BAD_ANSWER, "It speaks neither Opus, G.722 nor G.711 with us."),
    600: (Cause.BUSY, "It is busy."),
    603: (Cause.NOT_ALLOWED, "They declined the call."),
}


def refusal(status: int, reason: str) -> Over:
    """Return why a call did not come about."""
    cause, detail = _CAUSES.get(status, (Cause.BUSY if status == 503 else Cause.FAILED, ""))
    return Over(cause, detail or f"It refuses the call: {status} {reason[:60]}.")


@dataclass(slots=True)
class Timer:
    """When to repeat something, and when to give it up. Seconds of the shell's clock."""

    next_at: float
    until: float
    wait_s: float = T1_S

    @classmethod
    def begun(cls, now: float, patience_s: float, *, reliable: bool) -> "Timer":
        """Return one that begins now."""
        until = now + patience_s
        return cls(until if reliable else now + T1_S, until)

    @property
    def deadline(self) -> float:
        """When it has to be looked at."""
        return min(self.next_at, self.until)

    def is_over(self, now: float) -> bool:
        """Say whether there is no more patience."""
        return now >= self.until

    def repeats(self, now: float) -> bool:
        """Say whether it is time for a repetition, and plan the next one."""
        if now < self.next_at:
            return False
        self.wait_s = min(self.wait_s * 2, T2_S)
        self.next_at = now + self.wait_s
        return True


@dataclass(slots=True)
class Session:
    """A session timer (RFC 4028): who keeps a call alive, and when it counts as dead."""

    seconds: int
    ours: bool
    since: float

    @property
    def deadline(self) -> float:
        """When we have to refresh, or to hang up."""
        if self.ours:
            return self.since + self.seconds / 2
        return self.since + self.seconds - min(_SLACK_S, self.seconds / 3)

    @property
    def header(self) -> tuple[str, str]:
        """As the answer to an INVITE says it; who answers is the ``uas``."""
        return ("session-expires", f"{self.seconds};refresher={'uas' if self.ours else 'uac'}")


def session_of(message: Request | Response, now: float, ours: str) -> Session | None:
    """Return what a message asks for; ``ours``: "uac" or "uas", which of the two we are."""
    value = first(message.headers, "session-expires")
    digits = value.partition(";")[0].strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return None
    seconds = max(MIN_SESSION_S, min(int(digits), MAX_SESSION_S))
    refresher = parameter(value, "refresher") or "uac"
    return Session(seconds, refresher == ours, now)


def is_too_short(request: Request) -> bool:
    """Say whether a request wants to be refreshed more often than anybody has to."""
    digits = first(request.headers, "session-expires").partition(";")[0].strip()
    return digits.isascii() and digits.isdigit() and 0 < int(digits[:9]) < MIN_SESSION_S
