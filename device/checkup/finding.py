"""What a check has found, and how a check is kept from failing or hanging."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

# Each check takes milliseconds; the one for sound has a limit of its own, of 20 s.
LIMIT_S: Final = 30.0
_AGAIN: Final = "Run the doctor again; if it stays so, start the machine anew."


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: is it there, what was found, and what to do if it is not."""

    name: str
    ok: bool
    sentence: str
    mend: str = ""
    required: bool = True


def kept(name: str, check: Callable[[], Finding], limit_s: float = LIMIT_S) -> Finding:
    """Return what a check finds; where it fails or hangs, a finding that says so.

    For the main thread: what waits there is interrupted by a signal.
    """
    try:
        with _limited(limit_s):
            return check()
    except TimeoutError:
        sentence = f"This could not be looked at: no answer within {limit_s:.0f} s."
    except Exception as error:  # noqa: BLE001 - the other checks are to be made
        sentence = f"This could not be looked at ({type(error).__name__}: {error})."
    return Finding(name, ok=False, sentence=sentence, mend=_AGAIN, required=False)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block after so long; another timer goes on afterwards."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    left, every = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, every)
        signal.signal(signal.SIGALRM, before)
