"""Whole numbers in words, as they are said. From a hundred on the figures stay."""

from typing import Final

# Queues, seconds and people of a space: beyond this a listener wants figures, too.
IN_WORDS: Final = 100

_ENGLISH: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_ENGLISH_TENS: Final = (
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)
_GERMAN: Final = (
    *("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"),
    *("elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn"),
    *("achtzehn", "neunzehn"),
)
_GERMAN_TENS: Final = (
    *("zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"),
)


def english(number: int) -> str:
    """Return a number as English says it."""
    if not 0 <= number < IN_WORDS:
        return str(number)
    if number < len(_ENGLISH):
        return _ENGLISH[number]
    tens, ones = divmod(number, 10)
    return _ENGLISH_TENS[tens - 2] + (f"-{_ENGLISH[ones]}" if ones else "")


def german(number: int) -> str:
    """Return a number as German says it."""
    if not 0 <= number < IN_WORDS:
        return str(number)
    if number < len(_GERMAN):
        return _GERMAN[number]
    tens, ones = divmod(number, 10)
    first = "ein" if ones == 1 else _GERMAN[ones]
    return (f"{first}und" if ones else "") + _GERMAN_TENS[tens - 2]
