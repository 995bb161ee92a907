"""Enrolment: both cores against each other, and against whoever stands in between."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from stagebox.wire.enrolment import (
    BoxEnrolment,
    BoxSelf,
    Effect,
    EnrolFailure,
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
from stagebox.wire.enrolment_messages import (
    MAX_ENROL_MESSAGE,
    EnrolError,
    EnrolHello,
    decode,
    decode_grant,
)
from stagebox.wire.enrolment_secrets import Half, derive
from stagebox.wire.handshake import member_id
from stagebox.wire.keys import is_usable, verifies
from stagebox.wire.pake import BoxPake, HubPake, PakeError
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


def test_every_message_is_within_its_limit_and_strict() -> None:
    for who, text in Meeting().run().sent:
        assert len(text.encode()) <= MAX_ENROL_MESSAGE, who
        known = json.loads(text)
        with pytest.raises(EnrolmentError, match="malformed"):
            decode(json.dumps({**known, "more": 1}))
        for name in known:
            with pytest.raises(EnrolmentError, match="malformed"):
                decode(json.dumps({**known, name: None}))


@given(st.from_regex(r"[0-9]{6}", fullmatch=True))
@settings(max_examples=20)
def test_any_other_code_ends_the_run_on_both_sides_and_nothing_is_stored(code: str) -> None:
    meeting = Meeting(code=code).run()
    if code == CODE:
        assert not meeting.failed
        return
    assert meeting.done == []
    assert meeting.failed["box"].reason is EnrolFailure.WRONG_CODE
    assert not meeting.failed["box"].told
    assert (meeting.failed["hub"].reason, meeting.failed["hub"].told) == (
        EnrolFailure.WRONG_CODE,
        True,
    )


def test_another_certificate_fails_even_with_the_right_code() -> None:
    meeting = Meeting(box=new_box(certificate=b"m" * 32)).run()
    assert meeting.failed["box"].reason is EnrolFailure.WRONG_CODE
    assert meeting.done == []


def with_fields(kind: str, **fields: object) -> Callable[[str, str], str]:
    """Return somebody in between who changes these fields of one kind of message."""

    def between(_to: str, text: str) -> str:
        message = json.loads(text)
        return json.dumps({**message, **fields}) if message["t"] == kind else text

    return between


OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
CHANGES = {
    "name": ("enrol.hello", {"name": "Bath"}),
    "role": ("enrol.hello", {"role": "studio"}),
    "box nonce": ("enrol.hello", {"nonce": "0" * 64}),
    "box": ("enrol.hello", {"id": member_id(public(OTHER)), "key": public(OTHER)}),
    "hub nonce": ("enrol.answer", {"nonce": "0" * 64}),
    "hub": ("enrol.answer", {"id": member_id(public(OTHER)), "key": public(OTHER)}),
    "confirmation": ("enrol.answer", {"confirmation": "0" * 64}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_on_the_way_is_noticed_before_anything_is_stored(change: str) -> None:
    kind, fields = CHANGES[change]
    meeting = Meeting(between=with_fields(kind, **fields)).run()
    assert meeting.failed["box"].reason is EnrolFailure.WRONG_CODE
    assert meeting.done == []


@pytest.mark.parametrize(
    ("kind", "fields", "who"),
    [
        ("enrol.confirm", {"confirmation": "0" * 64}, "hub"),
        ("enrol.confirm", {"sealed": "AAAA"}, "hub"),
        ("enrol.grant", {"sealed": "AAAA"}, "box"),
        ("enrol.stored", {"sealed": "AAAA"}, "hub"),
    ],
)
def test_a_broken_confirmation_or_seal_ends_the_run(
    kind: str, fields: dict[str, object], who: str
) -> None:
    meeting = Meeting(between=with_fields(kind, **fields)).run()
    assert meeting.failed[who].reason in {EnrolFailure.WRONG_CODE, EnrolFailure.MALFORMED}
    assert not meeting.failed[who].told
    assert not any(isinstance(effect, StoreActive) for _, effect in meeting.done)


@pytest.mark.parametrize(
    ("kind", "fields", "who", "reason"),
    [
        ("enrol.hello", {"version": 2}, "hub", EnrolFailure.VERSION),
        ("enrol.answer", {"version": 7}, "box", EnrolFailure.VERSION),
        ("enrol.hello", {"id": "0" * 32}, "hub", EnrolFailure.IDENTITY),
        ("enrol.answer", {"id": "0" * 32}, "box", EnrolFailure.IDENTITY),
        ("enrol.hello", {"element": "A" * 44}, "hub", EnrolFailure.ELEMENT),
        ("enrol.answer", {"element": "A" * 44}, "box", EnrolFailure.ELEMENT),
    ],
)
def test_other_versions_and_false_ids_are_refused(
    kind: str, fields: dict[str, object], who: str, reason: EnrolFailure
) -> None:
    meeting = Meeting(between=with_fields(kind, **fields)).run()
    assert meeting.failed[who].reason is reason
    assert meeting.done == []


def test_the_older_side_is_told_to_update() -> None:
    with pytest.raises(EnrolmentError, match="update mine"):
        new_hub().receive(with_fields("enrol.hello", version=2)("hub", hello_text()))


def hello_text() -> str:
    (effect,) = new_box().start()
    assert isinstance(effect, Send)
    return effect.text


@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18])
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_of_small_order_is_nobodys(y: int, sign: int) -> None:
    weak = base64.b64encode((y + (sign << 255)).to_bytes(32, "little")).decode()
    assert not is_usable(weak)
    assert not verifies(weak, bytes(64), b"anything")
    with pytest.raises(EnrolmentError) as caught:
        new_hub().receive(
            with_fields("enrol.hello", id=member_id(weak), key=weak)("hub", hello_text())
        )
    assert caught.value.reason is EnrolFailure.IDENTITY


P = 2**255 - 19
ELEMENTS = {
    "zero": b"A" + (1).to_bytes(32, "little"),
    "zero in another spelling": b"A" + (P + 1).to_bytes(32, "little"),
    "minus zero": b"A" + (1 + (1 << 255)).to_bytes(32, "little"),
    "order two": b"A" + (P - 1).to_bytes(32, "little"),
    "order four": b"A" + bytes(32),
    "off the curve": b"A" + (2).to_bytes(32, "little"),
    "outside the group": b"A" + (3).to_bytes(32, "little"),
    "all ones": b"A" + b"\xff" * 32,
    "the other side's": b"B" + base64.b64decode(BoxPake(CODE, "0" * 32, draw(1)).element)[1:],
    "no side's": b"X" + bytes(32),
}


@pytest.mark.parametrize("element", ELEMENTS.values(), ids=ELEMENTS)
def test_an_element_that_is_none_is_refused(element: bytes) -> None:
    pake = HubPake(CODE, "0" * 32, "1" * 32, draw(1))
    with pytest.raises(PakeError):
        pake.finish(base64.b64encode(element).decode())


def test_a_reflected_element_is_refused_and_a_good_one_gives_both_the_same_key() -> None:
    box = BoxPake(CODE, "0" * 32, draw(1))
    mirror = base64.b64encode(b"B" + base64.b64decode(box.element)[1:]).decode()
    with pytest.raises(PakeError):
        box.finish(mirror, "1" * 32)
    box, hub = BoxPake(CODE, "0" * 32, draw(1)), HubPake(CODE, "0" * 32, "1" * 32, draw(2))
    key = hub.finish(box.element)
    assert box.finish(hub.element, "1" * 32) == key
    box = BoxPake(CODE, "0" * 32, draw(1))
    assert box.finish(hub.element, "2" * 32) != key  # meant for another hub


def test_who_does_not_hold_its_key_is_found_out_by_the_signature() -> None:
    liar = BoxEnrolment(
        BoxSelf(public(BOX_KEY), "Küche", Role.GUEST, OTHER.sign),
        code=CODE,
        certificate=CERTIFICATE,
        random=draw(1),
    )
    meeting = Meeting(box=liar).run()
    assert meeting.failed["hub"].reason is EnrolFailure.IDENTITY
    assert meeting.done == []
    false_hub = HubEnrolment(
        HubSelf(public(HUB_KEY), "Haus", OTHER.sign, PINS), certificate=CERTIFICATE, random=draw(2)
    )
    meeting = Meeting(hub=false_hub).run()
    assert meeting.failed["box"].reason is EnrolFailure.IDENTITY
    assert [who for who, _ in meeting.done] == ["hub"]  # pending at the hub alone


def test_a_replayed_run_is_of_no_use() -> None:
    heard = [text for who, text in Meeting().run().sent if who == "box"]
    hub = new_hub(seed=500)
    hub.receive(heard[0])
    hub.enter(CODE)
    with pytest.raises(EnrolmentError) as caught:
        hub.receive(heard[1])
    assert caught.value.reason is EnrolFailure.WRONG_CODE


def test_reflected_and_swapped_messages_come_out_of_order() -> None:
    sent = Meeting().run().sent
    for _, text in sent[1:]:
        hub = new_hub()
        with pytest.raises(EnrolmentError) as caught:
            hub.receive(text)
        assert caught.value.reason is EnrolFailure.OUT_OF_ORDER
    for n, (_, text) in enumerate(sent):
        if n == 1:
            continue
        box = new_box()
        box.start()
        with pytest.raises(EnrolmentError) as caught:
            box.receive(text)
        assert caught.value.reason is EnrolFailure.OUT_OF_ORDER


def test_after_its_end_a_run_takes_nothing_more() -> None:
    hub = new_hub()
    with pytest.raises(EnrolmentError):
        hub.receive("{}")
    for act in (lambda: hub.receive(hello_text()), hub.stored, lambda: hub.enter(CODE)):
        with pytest.raises(EnrolmentError) as caught:
            act()
        assert caught.value.reason is EnrolFailure.OUT_OF_ORDER
    meeting = Meeting().run()
    with pytest.raises(EnrolmentError, match="over"):
        meeting.box.stored()


def test_a_code_before_the_hello_and_a_word_that_was_not_asked_for_are_out_of_order() -> None:
    hub = new_hub()
    with pytest.raises(EnrolmentError, match="out_of_order"):
        hub.enter(CODE)
    box = new_box()
    box.start()
    with pytest.raises(EnrolmentError, match="out_of_order"):
        box.stored()


@given(st.one_of(st.binary(max_size=1100), st.text(max_size=400)))
def test_noise_is_malformed(noise: bytes | str) -> None:
    with pytest.raises(EnrolmentError) as caught:
        decode(noise)
    assert caught.value.reason is EnrolFailure.MALFORMED
    assert decode(caught.value.farewell) == EnrolError(
        code=EnrolFailure.MALFORMED, detail=caught.value.detail
    )


def test_a_lone_surrogate_and_a_seal_around_no_grant_are_malformed() -> None:
    with pytest.raises(EnrolmentError, match="malformed"):
        decode("\ud800")
    with pytest.raises(EnrolmentError, match="malformed"):
        decode_grant(b'{"pins":[]}')


def test_neither_the_code_nor_what_is_derived_shows_up_in_print() -> None:
    meeting = Meeting(code="654321").run()
    shown = [repr(meeting.box), repr(meeting.hub), str(meeting.failed["box"])]
    shown += [repr(derive(b"k" * 32, decode_hello(), HALF, CERTIFICATE))]
    assert not [text for text in shown if "123456" in text or "654321" in text]
    assert shown[-1] == "Secrets()"


def decode_hello() -> EnrolHello:
    hello = decode(hello_text())
    assert isinstance(hello, EnrolHello)
    return hello


HALF = Half(member_id(public(HUB_KEY)), public(HUB_KEY), "0" * 64, "A" * 44)


@pytest.mark.parametrize("where", range(6))
def test_the_other_side_may_end_it_at_any_step(where: int) -> None:
    count = 0

    def between(_to: str, text: str) -> str:
        nonlocal count
        count += 1
        refused = EnrolmentError(EnrolFailure.REFUSED, "not today").farewell
        return refused if count == where + 1 else text

    meeting = Meeting(between=between).run()
    (error,) = meeting.failed.values()
    assert (error.reason, error.told, error.farewell) == (EnrolFailure.REFUSED, True, "")


def test_a_message_over_the_limit_is_not_looked_at() -> None:
    with pytest.raises(EnrolmentError, match="1024 bytes"):
        decode(hello_text() + " " * MAX_ENROL_MESSAGE)
