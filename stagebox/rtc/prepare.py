"""Everything this product changes in the WebRTC libraries for the whole process."""

from aioice import ice
from aiortc.codecs import CODECS

from stagebox.rtc import addresses, guard
from stagebox.rtc.seams import verify_seams

# Consent checks (RFC 7675). A failing one takes 0.8 to 1.2 intervals plus the 0.5 s that
# the library waits for an answer, so six in a row take 6.1 to 7.7 s: a dead peer is
# noticed within 8 s, and a radio gap of 5 s, which meets at most five, is survived. So
# is 10 % loss each way for hours and 20 % for about ten minutes. More checks would
# survive more, and each costs about as much as 30 packets.
CONSENT_INTERVAL_S = 0.65
CONSENT_FAILURES = 6

# Steers the peer's encoder: FEC for single losses, mono, no DTX (no talk, no packets).
OPUS_PARAMETERS: dict[str, int | str | None] = {
    "minptime": 10,
    "useinbandfec": 1,
    "stereo": 0,
    "usedtx": 0,
}

_prepared = False


def prepare() -> None:
    """Verify the seams and apply all changes; only the first call does anything.

    Raises:
        SeamError: an installed library is not the one this package was written for.
    """
    global _prepared  # noqa: PLW0603 - the state of a process-wide change
    if _prepared:
        return
    verify_seams()
    addresses.install()
    guard.install()
    ice.CONSENT_INTERVAL = CONSENT_INTERVAL_S  # type: ignore[assignment]
    ice.CONSENT_FAILURES = CONSENT_FAILURES
    CODECS["audio"][0].parameters = dict(OPUS_PARAMETERS)
    _prepared = True
