"""By which addresses a speaker fetches a space from this hub."""

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import Final

_PATHS: Final = {"hls": "hls/live.m3u8"}
_DISCARD: Final = 9


def towards(host: str) -> str:
    """Return this computer's address as a host with that IP address sees it.

    Raises:
        OSError: there is no way to that host.
        ValueError: it is no IP address; a name would have to be asked for, which waits.
    """
    ipaddress.ip_address(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((host, _DISCARD))  # sends nothing: the kernel looks up the route
        return str(probe.getsockname()[0])


def urls(space: str, host: str, port: int, kinds: Iterable[str]) -> Mapping[str, str]:
    """Return where a space is fetched by a speaker at ``host``, by format.

    None where no way leads to that host.
    """
    try:
        own = towards(host)
    except (OSError, ValueError):
        return {}
    shown = f"[{own.partition('%')[0]}]" if ":" in own else own
    base = f"http://{shown}:{port}/api/v1/spaces/{space}"
    return {kind: f"{base}/{_PATHS.get(kind, f'stream.{kind}')}" for kind in kinds}
