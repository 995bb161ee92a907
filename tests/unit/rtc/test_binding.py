"""Checks as bytes, read back by an independent STUN parser."""

import dataclasses

from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from stagebox.rtc.binding import TRANSACTION_SIZE, Credentials, Words

OURS = Credentials("hubb", "h" * 22, "boxes", "b" * 23, False, 0x0123456789ABCDEF)
THEIRS = Credentials("boxes", "b" * 23, "hubb", "h" * 22, True, 1 << 63)
HUB, BOX = ("192.0.2.1", 5004), ("192.0.2.77", 40_000)
BOX_6 = ("2001:db8::77", 65_535)
PRIORITY = 1_853_824_767
NUMBER = bytes(range(TRANSACTION_SIZE))
ours = Words(OURS, BOX, PRIORITY)
theirs = Words(THEIRS, HUB, PRIORITY)

transactions = st.binary(min_size=TRANSACTION_SIZE, max_size=TRANSACTION_SIZE)


def request(**attributes: object) -> stun.Message:
    """Make a peer's check by the other library."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, transaction_id=NUMBER)
    message.attributes["USERNAME"] = "hubb:boxes"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    for name, value in attributes.items():
        message.attributes[name.replace("_", "-")] = value
    return message


def sealed(message: stun.Message, key: str = OURS.local_key) -> bytes:
    message.add_message_integrity(key.encode())
    return bytes(message)


@given(transactions)
def test_a_check_is_what_another_parser_reads(transaction: bytes) -> None:
    message = stun.parse_message(ours.ask(transaction))
    assert message.message_class is stun.Class.REQUEST
    assert message.message_method is stun.Method.BINDING
    assert message.transaction_id == transaction
    assert message.check_message_integrity(OURS.remote_key.encode())
    assert list(message.attributes) == [
        "USERNAME",
        "PRIORITY",
        "ICE-CONTROLLED",
        "MESSAGE-INTEGRITY",
        "FINGERPRINT",
    ]
    assert message.attributes["USERNAME"] == "boxes:hubb"
    assert message.attributes["PRIORITY"] == PRIORITY
    assert message.attributes["ICE-CONTROLLED"] == OURS.tie_breaker
    controlling = stun.parse_message(theirs.ask(transaction))
    assert controlling.attributes["ICE-CONTROLLING"] == THEIRS.tie_breaker


@given(transactions, st.sampled_from([BOX, BOX_6, ("::ffff:1.2.3.4", 1)]))
def test_an_answer_is_what_another_parser_reads(
    transaction: bytes, remote: tuple[str, int]
) -> None:
    asked = request()
    asked.transaction_id = transaction
    answer = Words(OURS, remote, PRIORITY).answer(sealed(asked))
    assert answer is not None
    message = stun.parse_message(answer)
    assert message.message_class is stun.Class.RESPONSE
    assert message.transaction_id == transaction
    assert message.check_message_integrity(OURS.local_key.encode())
    expected = ("::ffff:102:304", 1) if remote[1] == 1 else remote
    assert message.attributes["XOR-MAPPED-ADDRESS"] in (expected, remote)


@given(transactions)
def test_two_ends_understand_each_other(transaction: bytes) -> None:
    answer = theirs.answer(ours.ask(transaction))
    assert answer is not None
    assert ours.answered(answer) == transaction
    assert theirs.answered(answer) is None, "sealed by the other end"


def test_a_check_may_nominate_again_and_tell_of_the_network() -> None:
    assert ours.answer(sealed(request(USE_CANDIDATE=None)))
    assert ours.answer(sealed(request(SOFTWARE="a browser")))
    assert ours.answer(sealed(request())[:-8]) is None, "its length counts the fingerprint"


def test_a_check_without_fingerprint_is_answered() -> None:
    message = request()
    message.add_message_integrity(OURS.local_key.encode())
    del message.attributes["FINGERPRINT"]
    assert ours.answer(bytes(message))


def test_what_is_not_plain_is_left_to_others() -> None:
    plain = request()
    for message in (
        request(USERNAME="hubb:others"),
        request(ICE_CONTROLLED=1),  # our own role: a conflict
        request(REALM="x"),  # has to be understood, and is not
    ):
        assert ours.answer(sealed(message)) is None
    del plain.attributes["PRIORITY"]
    assert ours.answer(sealed(plain)) is None
    assert ours.answer(sealed(request(), key="x" * 22)) is None
    assert ours.answer(bytes(request())) is None, "no seal"
    response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    assert ours.answer(sealed(response)) is None
    assert ours.answer(b"") is None


def test_what_follows_the_seal_is_a_right_fingerprint_or_nothing() -> None:
    whole = sealed(request())
    assert ours.answer(whole[:-1] + bytes([whole[-1] ^ 1])) is None
    longer = whole[:2] + (len(whole) - 20 + 4).to_bytes(2) + whole[4:] + bytes(4)
    assert ours.answer(longer) is None


@given(st.binary(max_size=40), st.integers(0, 120))
def test_no_bytes_raise_or_pass(noise: bytes, at: int) -> None:
    whole = sealed(request())
    data = whole[:at] + noise
    if data != whole:
        assert ours.answer(data) is None
        assert ours.answered(data) is None


@given(st.data())
def test_a_check_with_one_bit_wrong_is_not_answered(data: st.DataObject) -> None:
    whole = bytearray(sealed(request()))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert ours.answer(bytes(whole)) is None


def test_keys_of_another_connection_open_nothing() -> None:
    other = Words(dataclasses.replace(OURS, local_key="z" * 22), BOX, PRIORITY)
    assert other.answer(sealed(request())) is None
