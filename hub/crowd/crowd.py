"""Everybody who hears a space without being in it, for whoever shows them."""

from dataclasses import dataclass

from hub.crowd.stations import Stations
from hub.crowd.streams import Streams


@dataclass(frozen=True, slots=True)
class Crowd:
    """Players that ask the hub, and servers that the hub tells it to."""

    streams: Streams
    stations: Stations
