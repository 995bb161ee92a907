"""What NetworkManager's numbers for a Wi-Fi device mean to a person. Pure.

The numbers are those of its D-Bus interface: NMDeviceState and NMDeviceStateReason.
"""

from enum import IntEnum
from types import MappingProxyType
from typing import Final

from provisioning.network.terms import Cause, Down, Event


class State(IntEnum):
    """Where a device stands, as far as it matters here."""

    UNAVAILABLE = 20
    DISCONNECTED = 30
    PREPARE = 40
    NEED_AUTH = 60
    IP_CONFIG = 70
    ACTIVATED = 100
    DEACTIVATING = 110
    FAILED = 120


# Reasons that a failure to join has; every other one is said as "it does not work".
CAUSES: Final = MappingProxyType(
    {
        5: Cause.NO_ADDRESS,  # no configuration of IP
        6: Cause.NO_ADDRESS,  # an address that was not renewed
        7: Cause.WRONG_KEY,  # it asks for a key again, after the handshake failed
        8: Cause.WRONG_KEY,  # thrown out by the access point while it was let in
        15: Cause.NO_ADDRESS,  # DHCP did not start,
        16: Cause.NO_ADDRESS,  # said no,
        17: Cause.NO_ADDRESS,  # or failed
        53: Cause.NOT_FOUND,  # no access point has that name
    }
)


def failure(reason: int, reached: int) -> Cause:
    """Return why a network was not joined; ``reached``: the furthest state on the way.

    An access point that throws a device out after the handshake did not mind the key.
    """
    cause = CAUSES.get(reason, Cause.FAILED)
    if cause is Cause.WRONG_KEY and reached >= State.IP_CONFIG:
        return Cause.FAILED
    return cause


class Road:
    """Follows one device's states, and says what came of each try.

    ``Up`` needs facts from elsewhere, so that state is left to who asks for them.
    """

    def __init__(self) -> None:
        self._reached = 0

    def feed(self, new: int, reason: int) -> Event | None:
        """Take a change of state; return what it means, or None for a step on the way."""
        reached = self._reached
        if State.PREPARE <= new <= State.ACTIVATED:
            self._reached = new if new == State.PREPARE else max(reached, new)
            return None
        if new == State.FAILED:
            self._reached = 0
            return _failed(reason, reached)
        if new <= State.DISCONNECTED:
            self._reached = 0
            return Down(Cause.GONE) if reached else None
        return None


def _failed(reason: int, reached: int) -> Event | None:
    if not reached:
        return None
    return Down(Cause.GONE if reached == State.ACTIVATED else failure(reason, reached))
