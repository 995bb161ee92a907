"""A public key in four words, for a person to compare by eye or ear.

Each word stands for 16 bits: consonant, vowel, consonant, vowel, consonant (after Daniel
Wilkerson's proquints), so four of them hold 64 bits of the key's SHA-256: too many to find
another key with the same words, few enough to read out. They belong to no language.
"""

import base64
import hashlib
from typing import Final

from stagebox.wire.terms import Key

_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aiou"
_WORDS: Final = 4


def in_words(key: Key) -> str:
    """Return four words of five letters, with blanks between."""
    digest = hashlib.sha256(base64.b64decode(key)).digest()
    return " ".join(_word(int.from_bytes(digest[2 * n : 2 * n + 2], "big")) for n in range(_WORDS))


def _word(bits: int) -> str:
    return "".join(
        (
            _CONSONANTS[bits >> 12],
            _VOWELS[bits >> 10 & 3],
            _CONSONANTS[bits >> 6 & 15],
            _VOWELS[bits >> 4 & 3],
            _CONSONANTS[bits & 15],
        )
    )
