"""Makes clean edges of contacts that bounce. A key is one bit of a number, set while down."""

import link

# Contacts bounce while they close, and a long cable catches sparks; neither lasts this long.
PRESS_MS = 4
# A finger that slides over a worn contact opens it for some milliseconds.
RELEASE_MS = 10
# However late a sample comes, it is only one: two at least make a press, four a release.
SAMPLE_MS = 3


class Keys:
    """The keys that are down, by their bits: ``mask``. A key that begins down is down."""

    def __init__(self, levels: int) -> None:
        self.mask = levels
        self._ages = bytearray(len(link.KEYS))
        self._is_moving = False

    def sample(self, levels: int, ms: int) -> bool:
        """Take the contacts as they are, ``ms`` after the last time; tell whether mask changed."""
        before = self.mask
        if levels == before and not self._is_moving:
            return False
        self._is_moving = levels != before
        step = min(ms, SAMPLE_MS)
        for i in range(len(self._ages)):
            bit = 1 << i
            if not (levels ^ self.mask) & bit:
                self._ages[i] = 0
                continue
            self._ages[i] += step
            if self._ages[i] >= (RELEASE_MS if self.mask & bit else PRESS_MS):
                self._ages[i] = 0
                self.mask ^= bit
        return self.mask != before
