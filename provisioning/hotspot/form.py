"""What the page's form says, and what is wrong with it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Final

from provisioning.network.terms import Target
from provisioning.network.wifi import Wifi, WifiError, checked_country

# The radio button for a network that is not in the list.
OTHER: Final = "\t"  # no network's name has one


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in. ``wrong``: the field that has to be mended, if any."""

    network: str = ""
    other: str = ""
    key: str = field(default="", repr=False)
    country: str = ""
    wrong: str = ""

    @property
    def ssid(self) -> str:
        """The network that was meant: a name that was written counts over one that was chosen."""
        return self.other or (self.network if self.network != OTHER else "")


class StrangeFormError(ValueError):
    """The form is not from this page."""


def read(fields: Mapping[str, str], token: str) -> Filled | Target:
    """Return the network to join, or the form with what is wrong in it.

    Raises:
        StrangeFormError: the token is not this hotspot's.
    """
    if not compare_digest(fields.get("token", "").encode(), token.encode()):
        raise StrangeFormError
    filled = Filled(
        network=fields.get("network", ""),
        other=fields.get("other", ""),
        key=fields.get("key", ""),
        country=fields.get("country", ""),
    )
    try:
        country = checked_country(filled.country)
        # Whoever writes a name does so because it is not to be seen.
        wifi = Wifi(filled.ssid, filled.key, is_hidden=bool(filled.other))
    except WifiError as error:
        return replace(filled, wrong=error.part)
    return Target(wifi, country, from_file=False)
