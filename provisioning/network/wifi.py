"""A Wi-Fi network as people name it, and what its parts may be. Pure."""

import re
from dataclasses import dataclass, field
from typing import Final

MOST_SSID_BYTES: Final = 32  # IEEE 802.11, 9.4.2.2
_PASSPHRASE: Final = re.compile(r"[ -~]{8,63}")  # WPA2: printable ASCII (IEEE 802.11, J.4)
_RAW_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class WifiError(ValueError):
    """A part of a network cannot be; ``part`` names it, the text says what it must be."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(why)
        self.part = part


@dataclass(frozen=True, slots=True)
class Wifi:
    """A network to join. ``key`` empty: an open one. Its key is in no repr.

    Raises:
        WifiError: the name or the key is of no network.
    """

    ssid: str
    key: str = field(repr=False)
    is_hidden: bool = False

    def __post_init__(self) -> None:
        """Refuse what no access point could have."""
        if _CONTROL.search(self.ssid) or not 1 <= len(_bytes(self.ssid)) <= MOST_SSID_BYTES:
            raise WifiError("ssid", f"the network's name has 1 to {MOST_SSID_BYTES} bytes")
        if self.key and not (_PASSPHRASE.fullmatch(self.key) or _RAW_KEY.fullmatch(self.key)):
            raise WifiError("key", "a Wi-Fi password has 8 to 63 plain letters, digits and signs")


@dataclass(frozen=True, slots=True)
class Seen:
    """A network in reach. ``strength`` in percent."""

    ssid: str
    strength: int
    is_secured: bool


# A phone shows them on one page; who lives among more has the field for a name.
MOST_SEEN: Final = 30


def in_reach(found: list[tuple[bytes, int, bool]]) -> tuple[Seen, ...]:
    """Return the networks that can be chosen, strongest first, each once.

    ``found``: name, strength in percent, and whether it wants a key, as access points say.
    """
    best: dict[str, Seen] = {}
    for raw, strength, is_secured in found:
        ssid = _text(raw)
        if ssid is not None and (ssid not in best or best[ssid].strength < strength):
            best[ssid] = Seen(ssid, strength, is_secured)
    ordered = sorted(best.values(), key=lambda seen: (-seen.strength, seen.ssid))
    return tuple(ordered[:MOST_SEEN])


def checked_country(text: str) -> str:
    """Return a country as the radio's rules name it, such as ``DE`` (ISO 3166-1).

    Raises:
        WifiError: it is no such name.
    """
    if not _COUNTRY.fullmatch(text):
        raise WifiError("country", "a country is two capital letters, such as DE, AT, GB or US")
    return text


def _bytes(ssid: str) -> bytes:
    return ssid.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str | None:
    try:
        ssid = raw.decode()
    except UnicodeDecodeError:
        return None
    return None if not ssid or _CONTROL.search(ssid) else ssid
