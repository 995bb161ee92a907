"""All ways between this hub and others, for whoever shows them."""

from dataclasses import dataclass

from hub.bridges.bridges import Bridges
from hub.bridges.guests import Guests


@dataclass(frozen=True, slots=True)
class Ways:
    """Rooms that the hub goes to, and guests that come to it."""

    bridges: Bridges
    guests: Guests
