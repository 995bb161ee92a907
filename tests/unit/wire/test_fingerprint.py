"""A key in four words, and under which names certificates are asked for."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from stagebox.wire.fingerprint import _word, in_words
from stagebox.wire.sni import ENROL_NAME, server_name

KEYS = st.binary(min_size=32, max_size=32).map(lambda raw: base64.b64encode(raw).decode())


@given(KEYS, KEYS)
def test_four_words_that_differ_with_the_key(one: str, other: str) -> None:
    words = in_words(one).split()
    assert [len(word) for word in words] == [5] * 4
    assert (in_words(one) == in_words(other)) == (one == other)


def test_words_are_as_they_were_published() -> None:
    # 127.0.0.1 and 63.84.220.193, the examples of arXiv:0901.4016.
    assert (_word(0x7F00), _word(0x0001)) == ("lusab", "babad")
    assert (_word(0x3F54), _word(0xDCC1)) == ("gutih", "tugad")


def test_a_server_name_is_a_label_of_the_pins_first_half() -> None:
    assert server_name("ab" * 32) == f"{'ab' * 16}.box.stagebox.internal"
    assert ENROL_NAME == "enrol.box.stagebox.internal"
