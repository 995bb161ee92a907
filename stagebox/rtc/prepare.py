"""Everything this product changes in the WebRTC libraries for the whole process."""

from aiortc.codecs import CODECS

from stagebox.rtc import addresses, checks, guard
from stagebox.rtc.seams import verify_seams

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
    checks.install()
    CODECS["audio"][0].parameters = dict(OPUS_PARAMETERS)
    _prepared = True
