"""Who may call the hub, and where they come out (the ``[telephone]`` table)."""

import ipaddress
from typing import Annotated, Final

from msgspec import Meta, Struct

from stagebox.config import WrongKeyError
from stagebox.configtypes import SpaceIdInWords
from stagebox.phrases import Language

Port = Annotated[int, Meta(ge=0, le=65_535)]
_PLAIN: Final = r"^[\x21\x23-\x5b\x5d-\x7e]+\Z"  # no quotes, no spaces
User = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
Password = Annotated[str, Meta(min_length=8, max_length=128, pattern=_PLAIN)]
Called = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.+*#-]+\Z")]
_ANYBODY: Final = 8  # a prefix this short is no house any more


class CallerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A telephone that may call with its password (a ``[[telephone.user]]`` table)."""

    name: User
    password: Password


class NumberConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a number that is called comes out (a ``[[telephone.number]]`` table)."""

    called: Called
    space: SpaceIdInWords


class TelephoneConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls by SIP. Nobody is let in who is neither in ``allow`` nor has a password."""

    on: bool = False
    bind: str = "0.0.0.0"  # noqa: S104 - a telephone is elsewhere
    port: Port = 5_060
    # The sound of calls, two ports for each; 0 and 0: whichever are free.
    sound_ports: tuple[Port, Port] = (0, 0)
    # Each is a codec each way: a hundred take half a core while all of them speak.
    calls: Annotated[int, Meta(ge=1, le=500)] = 100
    # Networks from which anybody may call, such as that of the PBX: "192.168.178.1/32".
    allow: Annotated[tuple[str, ...], Meta(max_length=64)] = ()
    user: Annotated[tuple[CallerConfig, ...], Meta(max_length=500)] = ()
    # Whoever calls something else types the six figures of an invitation.
    number: Annotated[tuple[NumberConfig, ...], Meta(max_length=500)] = ()
    language: Language = Language.ENGLISH

    def __post_init__(self) -> None:
        """Refuse a telephone that lets everybody in, or nobody."""
        try:
            ipaddress.ip_address(self.bind)
        except ValueError:
            raise WrongKeyError("bind", f'"{self.bind}" is no IP address.') from None
        for each in self.networks():
            if each.prefixlen < _ANYBODY:
                why = f'"{each}" is half the world: name the network of your telephones.'
                raise WrongKeyError("allow", why)
        first, last = self.sound_ports
        if (first, last) != (0, 0) and not (first % 2 == 0 and 1_024 <= first <= last):
            why = "it must be [0, 0], or an even first port from 1024 on and a last one."
            raise WrongKeyError("sound_ports", why)
        if self.on and not self.allow and not self.user:
            why = "name the network of your telephones, or give them passwords: [[telephone.user]]."
            raise WrongKeyError("allow", why)
        for name, values in (
            ("user", [each.name for each in self.user]),
            ("number", [each.called for each in self.number]),
        ):
            if len(set(values)) < len(values):
                raise WrongKeyError(name, "the same one is given twice.")

    def networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Return the networks from which anybody may call."""
        found = []
        for each in self.allow:
            try:
                found.append(ipaddress.ip_network(each, strict=False))
            except ValueError:
                why = f'"{each}" is no network; write one such as "192.168.1.0/24".'
                raise WrongKeyError("allow", why) from None
        return found

    def is_allowed(self, address: str) -> bool:
        """Say whether anybody at an address may call."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in each for each in self.networks())
