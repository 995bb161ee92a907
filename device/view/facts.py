"""How the box is doing, gathered over the time between two reports to the hub."""

from collections.abc import Iterable
from typing import Final

from stagebox.wire.messages import Health

# Often enough to see trouble come, seldom enough to cost nothing.
REPORT_S: Final = 10.0
_QUIETEST_DBFS: Final = -120.0
_LONGEST_MS: Final = 60_000.0
# Packets that did not come in time: mended from the next one, or made up.
_MISSED: Final = frozenset({"fec", "plc"})
_DUE: Final = _MISSED | {"real"}


class Facts:
    """Counts and highest values since the last report. Pure."""

    def __init__(self) -> None:
        self._due = self._missed = 0
        self._late_s = 0.0
        self._mic_dbfs = _QUIETEST_DBFS
        self._round_trip_s = 0.0

    def played(self, kinds: Iterable[str]) -> None:
        """Take how frames of the programme came about."""
        for kind in kinds:
            self._due += kind in _DUE
            self._missed += kind in _MISSED

    def heard(self, mic_dbfs: float) -> None:
        """Take a level of the microphone."""
        self._mic_dbfs = max(self._mic_dbfs, mic_dbfs)

    def waited(self, seconds: float) -> None:
        """Take how much programme waits in the jitter buffer."""
        self._late_s = max(self._late_s, seconds)

    def answered(self, round_trip_s: float) -> None:
        """Take how long a ping took; the last one counts."""
        self._round_trip_s = round_trip_s

    def take(self, *, xruns: int, uptime_s: float, media: bool) -> Health:
        """Return the report, and begin anew."""
        health = Health(
            loss=self._missed / self._due if self._due else 0.0,
            late_ms=min(_LONGEST_MS, 1000 * self._late_s),
            round_trip_ms=min(_LONGEST_MS, 1000 * self._round_trip_s),
            mic_dbfs=min(0.0, self._mic_dbfs),
            xruns=xruns,
            uptime_s=int(uptime_s),
            media=media,
        )
        self._due = self._missed = 0
        self._late_s, self._mic_dbfs = 0.0, _QUIETEST_DBFS
        return health
