"""How long a code lives, and how many there may be: the same rules at both ends.

A window is open for ``WINDOW_S`` with one code. ``FAILURES`` failed runs end it, and after
``CODES`` windows within ``SPELL_S`` that came to nothing there is none for ``REST_S``. So
whoever guesses has at most a few guesses for each time that a person holds the buttons, one
in a million each.

Times are monotonic seconds; the caller brings them.
"""

from typing import Final

# Time to walk from the box to the hub, and to type six digits twice.
WINDOW_S: Final = 120.0
# A person mistypes once or twice; a machine that guesses gets five in a million.
FAILURES: Final = 5
CODES: Final = 3
SPELL_S: Final = 600.0
REST_S: Final = 600.0


class EnrolmentWindow:
    """Whether enrolment is open now. It opens on a person's wish and shuts by itself."""

    def __init__(self) -> None:
        self._ends: float | None = None
        self._left = 0
        self._opened: list[float] = []  # the latest windows that came to nothing, at most CODES

    def open(self, now: float) -> float:
        """Open anew, if that may be; return 0, or the seconds to wait until it may."""
        wait = self.wait_s(now)
        if wait > 0:
            return wait
        self._opened = [at for at in self._opened if now - at < SPELL_S][-CODES + 1 :]
        self._opened.append(now)
        self._ends = now + WINDOW_S
        self._left = FAILURES
        return 0.0

    def wait_s(self, now: float) -> float:
        """Return the seconds until a window may be opened; 0: at once."""
        if len(self._opened) < CODES or self._opened[-1] - self._opened[0] >= SPELL_S:
            return 0.0
        return max(0.0, self._opened[-1] + WINDOW_S + REST_S - now)

    def remaining_s(self, now: float) -> float:
        """Return the seconds that the window is still open; 0: it is shut."""
        return 0.0 if self._ends is None else max(0.0, self._ends - now)

    def is_open(self, now: float) -> bool:
        """Tell whether a run may begin or go on."""
        return self.remaining_s(now) > 0

    @property
    def failures_left(self) -> int:
        """How many runs may still fail before the window shuts."""
        return self._left

    def failed(self) -> None:
        """Count a run that failed; too many shut the window."""
        self._left = max(0, self._left - 1)
        if self._left == 0:
            self.close()

    def succeeded(self) -> None:
        """Shut the window, which has done its work and so does not count."""
        self.close()
        self._opened = self._opened[:-1]

    def close(self) -> None:
        """Shut the window."""
        self._ends = None
