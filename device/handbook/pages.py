"""Puts what is made from the code into pages that people write.

On a page ``<!-- made: NAME -->`` stands before what is made and ``<!-- end -->`` after it.
"""

import re
from collections.abc import Mapping
from typing import Final

_PLACE: Final = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with each made part put in its place.

    Raises:
        KeyError: the page asks for a part that nobody makes.
    """

    def fill(place: re.Match[str]) -> str:
        begin, name, end = place.groups()
        return f"{begin}\n{parts[name].strip()}\n\n{end}"

    return _PLACE.sub(fill, page)


def places(page: str) -> list[str]:
    """Return the names of the parts that a page asks for."""
    return [match[2] for match in _PLACE.finditer(page)]
