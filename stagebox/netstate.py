"""What the set-up of the network has to tell a box: one step at a time, in one small file.

The provisioning helper writes the file, whole and at once, into a folder of its own; the box
reads it each second, and says and shows what is new. The box asks for the set-up hotspot, and
for its networks to be forgotten, by files in its own folder. Neither writes where the other
does, so neither can fool the other with a link, and a restart of one takes nothing away from the
other. Pure.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

# Made by systemd for the helper's unit: written by the helper, read by the box's group.
HELPER_DIR: Final = "/run/stagebox-network"
STATE_FILE: Final = "network.json"
# What the boot file says about the box itself: settings, over those of the box's own file.
SETTINGS_FILE: Final = "box.toml"
# In the box's own runtime folder.
ASK_FILE: Final = "/run/stagebox/ask-hotspot"
# Beside it: the box was wiped, and its networks are to go, too.
FORGET_FILE: Final = "forget-networks"
# More than any state takes; a longer file is none of the helper's.
MOST_BYTES: Final = 1_024


class NetworkStep(StrEnum):
    """Where the set-up of the network stands."""

    QUIET = "quiet"  # nothing to say: there never was a network, and nobody asked
    CABLE = "cable"  # an address over a cable
    JOINING = "joining"  # ``detail``: the network
    JOINED = "joined"  # ``detail``: the network
    WRONG_KEY = "wrong_key"
    NO_ADDRESS = "no_address"  # the network gives none
    NOT_FOUND = "not_found"  # ``detail``: the network that is not in reach
    NO_ROUTE = "no_route"  # an address that leads nowhere, and not to the hub
    JOIN_FAILED = "join_failed"  # none of these: it is tried again
    AWAY = "away"  # a network that worked is gone; it is waited for, for ever
    BAD_FILE = "bad_file"  # ``detail``: which key, ``line``: where in the boot file
    NO_COUNTRY = "no_country"  # the radio stays off until somebody says where it is
    SCANNING = "scanning"  # before the hotspot: it cannot look and be one at once
    HOTSPOT = "hotspot"  # ``detail``: its name, ``secret``: its key
    HOTSPOT_OVER = "hotspot_over"  # nobody came in its time
    HOTSPOT_FAILED = "hotspot_failed"
    NO_RADIO = "no_radio"  # no Wi-Fi here, and no cable
    NO_MANAGER = "no_manager"  # NetworkManager does not answer


class NetworkState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step. ``number`` rises with each, so that the same one can be told again."""

    number: Annotated[int, Meta(ge=0, lt=2**53)]
    step: NetworkStep
    detail: Annotated[str, Meta(max_length=64)] = ""
    line: Annotated[int, Meta(ge=0, le=99_999)] = 0
    secret: Annotated[str, Meta(max_length=64)] = ""

    def __repr__(self) -> str:
        """Return it without its secret, for logs and tracebacks."""
        return f"NetworkState({self.number}, {self.step.value}, {self.detail!r}, line={self.line})"


class NetworkStateError(ValueError):
    """The file is not one of the helper's."""


def encode(state: NetworkState) -> bytes:
    """Return the file's bytes."""
    return msgspec.json.encode(state) + b"\n"


def decode(data: bytes) -> NetworkState:
    """Return what the file says.

    Raises:
        NetworkStateError: it is too long, or says something else.
    """
    if len(data) > MOST_BYTES:
        raise NetworkStateError(f"more than {MOST_BYTES} bytes")
    try:
        return msgspec.json.decode(data, type=NetworkState)
    except ValueError as error:
        raise NetworkStateError(str(error)) from error


def groups(digits: str, size: int = 4) -> str:
    """Return a key as it is read aloud: ``1 2 3 4, 5 6 7 8``."""
    parts = (digits[i : i + size] for i in range(0, len(digits), size))
    return ", ".join(" ".join(part) for part in parts)
