"""Which speakers a hub looks for (the ``[speakers]`` table)."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from stagebox.config import WrongKeyError

_HOST: Final = r"^[A-Za-z0-9:._%\[\]-]+\Z"
_URL: Final = r"^http://[\x21-\x7e]+\Z"


class SpeakersConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Speakers that people own. Which plays what is chosen on the console."""

    # On the network, by mDNS and SSDP. A hub that does not announce itself asks nobody, either.
    find: bool = True
    # Snapcast servers that are not announced: "music.local", or "10.0.0.7:1705".
    snapcast: Annotated[
        tuple[Annotated[str, Meta(max_length=253, pattern=_HOST)], ...], Meta(max_length=16)
    ] = ()
    # Descriptions of renderers that no search finds: "http://10.0.0.8:49494/description.xml".
    dlna: Annotated[
        tuple[Annotated[str, Meta(max_length=500, pattern=_URL)], ...], Meta(max_length=16)
    ] = ()

    def __post_init__(self) -> None:
        """Refuse addresses that are none."""
        for each in self.dlna:
            try:
                usable = urlsplit(each).hostname and urlsplit(each).port != 0
            except ValueError:
                usable = None
            if not usable:
                why = 'give an address such as "http://10.0.0.8:49494/description.xml".'
                raise WrongKeyError("dlna", why)
        for each in self.snapcast:
            if each.count(":") == 1 and not each.rpartition(":")[2].isdigit():
                why = 'give an address such as "music.local" or "10.0.0.7:1705".'
                raise WrongKeyError("snapcast", why)
