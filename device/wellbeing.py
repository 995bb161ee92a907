"""What a box says of itself to whoever looks after its machine: the updater, a bundle."""

from typing import Final
from urllib.parse import urlsplit

from device.link.candidates import Candidate
from device.view.status import Status
from stagebox.health import Health, HubAt

_UP: Final = "up"
_PORTS: Final = {"wss": 443, "ws": 80}


def health(
    status: Status, candidate: Candidate | None, *, pid: int, build: int, audio: bool
) -> Health:
    """Return how the box does. ``candidate``: how its hub was reached, while it is connected."""
    joined = status.link == _UP and candidate is not None
    return Health(
        pid=pid,
        build=build,
        joined=joined,
        audio=audio,
        busy=bool(status.talkers),
        hub=hub_at(candidate) if joined and candidate else None,
    )


def hub_at(candidate: Candidate) -> HubAt | None:
    """Return where a hub was reached."""
    parts = urlsplit(candidate.url)
    if parts.hostname is None:
        return None
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return HubAt(host=parts.hostname, port=port, pin=candidate.pin or "")
