"""Enrolment: both cores against each other, and against whoever stands in between."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stagebox.wire.enrolment import (
    BoxEnrolment,
    BoxSelf,
    Effect,
    EnrolledBox,
    EnrolledHub,
    EnrolmentError,
    Finished,
    HubEnrolment,
    HubSelf,
    Send,
    StoreActive,
    StorePending,
)
from stagebox.wire.handshake import member_id
from stagebox.wire.terms import Role

CODE = "123456"
CERTIFICATE = b"c" * 32
PINS = ("c" * 64, "d" * 64)


def draw(seed: int) -> Callable[[int], bytes]:
    state = [seed]

    def random(n: int) -> bytes:
        state[0] += 1
        return b"".join((state[0] * 7919 + k * 104729).to_bytes(8, "big")[-1:] for k in range(n))

    return random


BOX_KEY = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
HUB_KEY = Ed25519PrivateKey.from_private_bytes(b"h" * 32)


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def new_box(code: str = CODE, certificate: bytes = CERTIFICATE, seed: int = 1) -> BoxEnrolment:
    me = BoxSelf(public(BOX_KEY), "Küche", Role.GUEST, BOX_KEY.sign)
    return BoxEnrolment(me, code=code, certificate=certificate, random=draw(seed))


def new_hub(certificate: bytes = CERTIFICATE, seed: int = 100) -> HubEnrolment:
    me = HubSelf(public(HUB_KEY), "Haus", HUB_KEY.sign, PINS)
    return HubEnrolment(me, certificate=certificate, random=draw(seed))


@dataclass
class Meeting:
    """Both cores and what became of them; ``between`` may change what goes by."""

    box: BoxEnrolment = field(default_factory=new_box)
    hub: HubEnrolment = field(default_factory=new_hub)
    code: str = CODE
    between: Callable[[str, str], str] = lambda to, text: text
    done: list[tuple[str, Effect]] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    failed: dict[str, EnrolmentError] = field(default_factory=dict)

    def run(self) -> "Meeting":
        self.carry("box", self.box.start)
        return self

    def carry(self, who: str, step: Callable[[], tuple[Effect, ...]]) -> None:
        try:
            effects = step()
        except EnrolmentError as error:
            self.failed[who] = error
            if error.farewell:
                self.deliver(who, error.farewell)
            return
        for effect in effects:
            if isinstance(effect, Send):
                self.deliver(who, effect.text)
                continue
            self.done.append((who, effect))
            if not isinstance(effect, Finished):
                self.carry(who, (self.box if who == "box" else self.hub).stored)

    def deliver(self, sender: str, text: str) -> None:
        assert len(text.encode()) <= 1024
        other = "hub" if sender == "box" else "box"
        self.sent.append((sender, text))
        text = self.between(other, text)
        core = self.hub if other == "hub" else self.box
        first = other == "hub" and self.hub.hello is None
        self.carry(other, lambda: core.receive(text))
        if first and "hub" not in self.failed and self.code:
            self.carry("hub", lambda: self.hub.enter(self.code))


BOX = EnrolledBox(member_id(public(BOX_KEY)), public(BOX_KEY), "Küche", Role.GUEST)
HUB = EnrolledHub(member_id(public(HUB_KEY)), public(HUB_KEY), "Haus", PINS)


def test_with_the_right_code_both_know_each_other_and_store_in_two_phases() -> None:
    meeting = Meeting().run()
    assert meeting.failed == {}
    assert meeting.done == [
        ("hub", StorePending(BOX)),
        ("box", StorePending(HUB)),
        ("hub", StoreActive(BOX)),
        ("box", StoreActive(HUB)),
        ("box", Finished(HUB)),
        ("hub", Finished(BOX)),
    ]
