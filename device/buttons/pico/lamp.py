"""Plays a lamp pattern by its name, and says what colour the lamp has now.

Red means that audio leaves the box, and only the box knows: without a word from it for
``RED_MS`` the lamp goes dark, and when the box is lost it says so.
"""

import patterns

# Twice a heartbeat: one torn frame does not make the lamp blink.
RED_MS = 1000


class Lamp:
    """The colour of now is ``red``, ``green`` and ``blue``, each 0 to 255."""

    def __init__(self) -> None:
        self.red = 0
        self.green = 0
        self.blue = 0
        self.name = ""
        self._steps = patterns.PATTERNS["off"]
        self._lead = 0
        self._index = 0
        self._left = 0
        self._is_red = False
        self.play("link_lost")

    def play(self, name: str) -> None:
        """Begin a pattern. One that this firmware does not know shows as a lost link."""
        words = name.split("+")
        base = words[-1]
        if base not in patterns.PATTERNS:
            base = "link_lost"
        first = patterns.LEADS.get(words[0], ())
        self.name = name
        self._steps = first + patterns.PATTERNS[base]
        self._lead = len(first)
        self._is_red = base in patterns.RED
        self._index = 0
        self._left = self._steps[0][0]

    def tick(self, ms: int, silence: int) -> bool:
        """Let ``ms`` pass; tell whether the colour changed. ``silence``: of the box, in ms."""
        self._left -= ms
        while self._left <= 0:
            self._index += 1
            if self._index == len(self._steps):
                self._index = self._lead
            self._left += self._steps[self._index][0]
        _, red, green, blue = self._steps[self._index]
        if self._is_red and silence >= RED_MS:
            red = green = blue = 0
        if red == self.red and green == self.green and blue == self.blue:
            return False
        self.red, self.green, self.blue = red, green, blue
        return True
