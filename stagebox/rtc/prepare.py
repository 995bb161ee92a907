"""Everything this product changes in the WebRTC libraries for the whole process."""

from aioice import ice
from aiortc.codecs import CODECS

from stagebox.rtc import addresses, guard
from stagebox.rtc.seams import verify_seams

# Consent checks (RFC 7675): one each half second, each waiting half a second for its
# answer, seven failures in a row. A dead peer is noticed after 6.3 to 7.7 s (7 x 0.9 to
# 1.1 s); a radio gap of 5 s is survived, and so is 20 % loss for about half an hour.
CONSENT_INTERVAL_S = 0.5
CONSENT_FAILURES = 7

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
