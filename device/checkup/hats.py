"""Which HAT is on the header, from its identity memory and from who answers on I2C."""

from collections.abc import Mapping
from typing import Final

from device.profiles.model import Board

# Sound chips of boards that there is no profile for; the address is what their makers chose.
OTHERS: Final = {0x1B: "a WM8731 or a like sound chip"}


def fitting(boards: Mapping[str, Board], product: str, answered: frozenset[int]) -> tuple[str, ...]:
    """Return the profiles of the HATs that this may be, the likeliest first; none: unknown.

    A HAT with a memory says what it is. Without one the addresses tell: of those whose chips
    all answer the ones with most chips, as a board with two is not one with the first alone.
    """
    named = [name for name, board in boards.items() if _says(board, product)]
    if named:
        return tuple(named)
    silent = {name: set(board.i2c) for name, board in boards.items() if not board.product}
    known = {name: set(board.i2c) for name, board in boards.items()}
    chips = silent if product else known
    there = {name: each for name, each in chips.items() if each and each <= answered}
    most = max(map(len, there.values()), default=0)
    alike = [name for name, each in there.items() if len(each) == most]
    # Those whose memory would have said so come after those that have none.
    return tuple(sorted(alike, key=lambda name: bool(boards[name].product)))


def addresses(boards: Mapping[str, Board]) -> tuple[int, ...]:
    """Return the addresses worth asking for."""
    return tuple(sorted({*OTHERS, *(each for board in boards.values() for each in board.i2c)}))


def _says(board: Board, product: str) -> bool:
    return any(each.casefold() in product.casefold() for each in board.product)
