"""What tests of spaces share: names that can be foreseen."""

from itertools import count


class CountedNames:
    """Implements ``Names`` without any randomness."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new_token(self) -> str:
        return f"token-{next(self._numbers):010d}"

    def new_code(self) -> str:
        return f"{next(self._numbers):06d}"
