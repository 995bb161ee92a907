"""Enrolment, both ends, without I/O: a box and a hub that a person vouches for by a code.

A person holds the box's buttons; the box says six digits; the person types them into the
hub. The code goes through SPAKE2, so listening in gives nothing to guess with, and the
certificate that each side sees goes into what both confirm, so nobody can stand in between.

    box                                   hub                     (WebSocket at ENROL_PATH)
     | enrol.hello   id, key, nonce, A     |
     |------------------------------------>|  ... waits until somebody types a code
     |   id, key, nonce, B, confirmation   |  enrol.answer
     |<------------------------------------|
     | enrol.confirm  confirmation, sealed{signature}
     |------------------------------------>|  StorePending
     |   sealed{signature, name, pins}     |  enrol.grant
     |<------------------------------------|
     |  StorePending                       |
     | enrol.stored                        |
     |------------------------------------>|  StoreActive
     |                                     |  enrol.stored
     |<------------------------------------|
     |  StoreActive                        |

How a shell drives either core (one per connection; ``text`` is one text frame):

    box = BoxEnrolment(BoxSelf(...), code="123456", certificate=C, random=os.urandom)
    effects = box.start()                 # [Send]: the hello
    effects = box.receive(text)           # after each frame; raises EnrolmentError
    effects = box.stored()                # after a Store effect is on the disk (fsynced)

    hub = HubEnrolment(HubSelf(...), certificate=C, random=os.urandom)
    effects = hub.receive(text); hub.hello says who waits
    effects = hub.enter("123456")         # somebody typed a code
    effects = hub.stored()

Effects are carried out in order: ``Send`` a text, ``StorePending``/``StoreActive`` write
and then call ``stored()``, ``Finished`` the two know each other. On ``EnrolmentError`` send
its ``farewell`` (if not empty) and close; the core takes nothing more. A wrong code ends the
run on both sides with ``WRONG_CODE``: the box counts it (``enrolment_window``) and may start
another run with a new connection. ``C`` is SHA-256 of the certificate's DER. ``start``,
``receive`` of the answer and ``enter`` calculate for up to 20 ms on a PC, 200 ms on a board.

If the power fails, or the connection breaks, after ``StorePending`` at both ends: the box
logs in with its key as usual, the hub takes a pending box that proves its key for active,
and the box takes a welcome signed by its pending hub the same way. If only one side has
stored it, the box is told ``identity`` and a pending entry is dropped after ``PENDING_S``.
"""

import hmac
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, TypeVar

from stagebox.wire.enrolment_effects import (
    BoxSelf,
    Effect,
    EnrolledBox,
    EnrolledHub,
    Finished,
    HubSelf,
    Send,
    StoreActive,
    StorePending,
)
from stagebox.wire.enrolment_messages import (
    ENROL_VERSION,
    EnrolAnswer,
    EnrolConfirm,
    EnrolError,
    EnrolFailure,
    EnrolGrant,
    EnrolHello,
    EnrolmentError,
    EnrolMessage,
    EnrolStored,
    Grant,
    decode,
    decode_grant,
    encode,
    encode_grant,
)
from stagebox.wire.enrolment_secrets import Half, derive
from stagebox.wire.handshake import member_id
from stagebox.wire.keys import is_signed, is_usable, signature, verifies
from stagebox.wire.pake import BoxPake, HubPake, PakeError, Random

__all__ = [
    "PENDING_S",
    "BoxEnrolment",
    "BoxSelf",
    "Effect",
    "EnrolFailure",
    "EnrolledBox",
    "EnrolledHub",
    "EnrolmentError",
    "Finished",
    "HubEnrolment",
    "HubSelf",
    "Send",
    "StoreActive",
    "StorePending",
]

# A box that could not finish tries to log in for a day; then it counts as never enrolled.
PENDING_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class _Typed:
    """Somebody typed a code."""

    code: str


@dataclass(frozen=True, slots=True)
class _Stored:
    """What was to be stored is stored."""


_Input = EnrolMessage | _Typed | _Stored
_Script = Generator[tuple[Effect, ...], _Input, tuple[Effect, ...]]
_T = TypeVar("_T", bound=_Input)


class _Run:
    """A script that is fed; its first error is its end."""

    def __init__(self, script: _Script) -> None:
        self._script = script

    def receive(self, text: str | bytes) -> tuple[Effect, ...]:
        """Take the other side's next message.

        Raises:
            EnrolmentError: the run is over, and why.
        """
        try:
            message = decode(text)
            if isinstance(message, EnrolError):
                raise EnrolmentError(message.code, message.detail, told=True)
        except EnrolmentError:
            self._script.close()
            raise
        return self._feed(message)

    def stored(self) -> tuple[Effect, ...]:
        """Go on: what the last effect said is on the disk.

        Raises:
            EnrolmentError: nothing was to be stored.
        """
        return self._feed(_Stored())

    def _feed(self, given: _Input) -> tuple[Effect, ...]:
        try:
            return self._script.send(given)
        except StopIteration as end:
            if end.value is None:
                raise EnrolmentError(EnrolFailure.OUT_OF_ORDER, "The run is over.") from None
            return tuple(end.value)


class BoxEnrolment(_Run):
    """The box's side of one run with one hub."""

    def __init__(self, box: BoxSelf, *, code: str, certificate: bytes, random: Random) -> None:
        super().__init__(self._steps(box, code, certificate, random))

    def start(self) -> tuple[Effect, ...]:
        """Say hello; the first thing to do, and once."""
        return next(self._script)

    @staticmethod
    def _steps(box: BoxSelf, code: str, certificate: bytes, random: Random) -> _Script:
        own = member_id(box.key)
        pake = BoxPake(code, own, random)
        hello = EnrolHello(
            version=ENROL_VERSION,
            id=own,
            key=box.key,
            name=box.name,
            role=box.role,
            nonce=random(32).hex(),
            element=pake.element,
        )
        answer = _want(EnrolAnswer, (yield (Send(encode(hello)),)))
        _check(answer)
        try:
            key = pake.finish(answer.element, answer.id)
        except PakeError as error:
            raise EnrolmentError(EnrolFailure.ELEMENT, str(error)) from None
        secrets = derive(key, hello, Half.of(answer), certificate)
        _confirm(secrets.hub_confirmation(), answer.confirmation)
        proof = secrets.box_seal.close(box.sign(secrets.signed_by_box()))
        confirm = EnrolConfirm(confirmation=secrets.box_confirmation(), sealed=proof)
        sealed = _want(EnrolGrant, (yield (Send(encode(confirm)),))).sealed
        grant = decode_grant(secrets.hub_seal.open(sealed))
        if not is_signed(answer.key, grant.signature, secrets.signed_by_hub()):
            raise EnrolmentError(EnrolFailure.IDENTITY, "The hub does not hold its key.")
        hub = EnrolledHub(answer.id, answer.key, grant.name, grant.pins)
        _want(_Stored, (yield (StorePending(hub),)))
        stored = EnrolStored(sealed=secrets.box_seal.close(b""))
        done = _want(EnrolStored, (yield (Send(encode(stored)),)))
        secrets.hub_seal.open(done.sealed)
        _want(_Stored, (yield (StoreActive(hub),)))
        return (Finished(hub),)


class HubEnrolment(_Run):
    """The hub's side of one run with one box."""

    def __init__(self, hub: HubSelf, *, certificate: bytes, random: Random) -> None:
        super().__init__(self._steps(hub, certificate, random))
        self.hello: EnrolHello | None = None  # who waits for a code
        next(self._script)

    def enter(self, code: str) -> tuple[Effect, ...]:
        """Try the code that somebody typed; once, and after the hello.

        Raises:
            EnrolmentError: nobody waits, or the box's element is none.
        """
        return self._feed(_Typed(code))

    def _steps(self, hub: HubSelf, certificate: bytes, random: Random) -> _Script:
        self.hello = hello = _want(EnrolHello, (yield ()))
        _check(hello)
        code = _want(_Typed, (yield ())).code
        own = member_id(hub.key)
        pake = HubPake(code, hello.id, own, random)
        half = Half(own, hub.key, random(32).hex(), pake.element)
        try:
            key = pake.finish(hello.element)
        except PakeError as error:
            raise EnrolmentError(EnrolFailure.ELEMENT, str(error)) from None
        secrets = derive(key, hello, half, certificate)
        answer = half.confirmed(secrets.hub_confirmation())
        confirm = _want(EnrolConfirm, (yield (Send(encode(answer)),)))
        _confirm(secrets.box_confirmation(), confirm.confirmation)
        proof = secrets.box_seal.open(confirm.sealed)
        if not verifies(hello.key, proof, secrets.signed_by_box()):
            raise EnrolmentError(EnrolFailure.IDENTITY, "The box does not hold its key.")
        box = EnrolledBox(hello.id, hello.key, hello.name, hello.role)
        _want(_Stored, (yield (StorePending(box),)))
        mine = signature(hub.sign, secrets.signed_by_hub())
        grant = Grant(signature=mine, name=hub.name, pins=hub.pins)
        sealed = EnrolGrant(sealed=secrets.hub_seal.close(encode_grant(grant)))
        done = _want(EnrolStored, (yield (Send(encode(sealed)),)))
        secrets.box_seal.open(done.sealed)
        _want(_Stored, (yield (StoreActive(box),)))
        return (Send(encode(EnrolStored(sealed=secrets.hub_seal.close(b"")))), Finished(box))


def _want(kind: type[_T], given: _Input) -> _T:
    """Return what was given if it is what has its turn now."""
    if not isinstance(given, kind):
        detail = f"{type(given).__name__.strip('_')} came out of order."
        raise EnrolmentError(EnrolFailure.OUT_OF_ORDER, detail)
    return given


def _check(them: EnrolHello | EnrolAnswer) -> None:
    """Refuse another version, and an id or a key that cannot be theirs."""
    if them.version != ENROL_VERSION:
        older = "yours" if them.version < ENROL_VERSION else "mine"
        detail = f"You speak version {them.version}, I speak {ENROL_VERSION}: update {older}."
        raise EnrolmentError(EnrolFailure.VERSION, detail)
    if not is_usable(them.key) or them.id != member_id(them.key):
        raise EnrolmentError(EnrolFailure.IDENTITY, "The id is not the key's, or the key is none.")


def _confirm(due: str, given: str) -> None:
    if not hmac.compare_digest(due, given):
        detail = "Another code was typed than spoken, or somebody is in between."
        raise EnrolmentError(EnrolFailure.WRONG_CODE, detail)
