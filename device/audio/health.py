"""What a sound device's thread tells the rest of the box about its device."""

from dataclasses import dataclass
from enum import StrEnum


class DeviceStatus(StrEnum):
    """Where a device stands."""

    READY = "ready"
    LOST = "lost"  # it worked and went away
    ABSENT = "absent"  # it has not worked since the start


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One change of standing. ``detail`` is in plain words, empty when READY."""

    status: DeviceStatus
    label: str
    detail: str = ""
