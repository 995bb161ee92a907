"""Links that other people can open: by an address of this hub that they can reach."""

from typing import Final

from aiohttp import web

from hub.web.call import Call
from hub.web.trust import is_loopback

# The console finds its pages behind the #, so what is there never reaches a server's log.
SPACE: Final = "/#/space/{}"
JOIN: Final = "/#/join/{}"


def link_to(call: Call, page: str, name: str) -> str:
    """Return the address of one of the console's pages."""
    return f"{origin_of(call)}{page.format(name)}"


def origin_of(call: Call) -> str:
    """Return where others reach the console: over HTTPS, where a browser may open a microphone.

    Who asks at the hub itself calls it localhost; everybody else calls it something else.
    """
    request, desk = call.request, call.desk
    host, port = _split(request)
    if is_loopback(host.strip("[]")) or host == "localhost":
        host = desk.public_name
    if desk.secure_port and not request.secure:
        return f"https://{host}:{desk.secure_port}"
    return f"{request.scheme}://{host}{port}"


def player_origin(call: Call) -> str:
    """Return where players reach the hub: without TLS, as they know nothing of our certificate."""
    request, desk = call.request, call.desk
    host, port = _split(request)
    if is_loopback(host.strip("[]")) or host == "localhost":
        host = desk.public_name
    return f"http://{host}{f':{desk.config.port}' if request.secure else port}"


def _split(request: web.Request) -> tuple[str, str]:
    host, colon, port = request.host.rpartition(":")
    return (host, f":{port}") if colon and port.isdigit() else (request.host, "")
