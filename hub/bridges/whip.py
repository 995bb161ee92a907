"""WHIP and WHEP as a client: the hub publishes a space to a server, or plays one into a space.

Another hub takes a session with sound both ways: there the bridge is one member, so that
nobody's voice comes back. The two tell each other what is behind them (``hub.bridges.trunk``),
by which a ring is noticed; of an old hub its mark tells whether it has come here by itself.

One POST and one answer; then sound. What else the two drafts have for clients (trickle,
restarts) is for networks that change: a bridge that loses its connection makes a new one,
which takes 30 ms.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from hub.bridges.behind import BEHIND, BEHIND_HEADER, MAX_TEXT
from hub.bridges.line import Line, way_to
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError, System, reason
from hub.bridges.trunk import Trunk
from hub.bridges.whip_terms import LOOP, MARK_HEADER, SDP, check_status, redirected
from stagebox import __version__
from stagebox.rtc.peer import Direction
from stagebox.rtc.sdp import MAX_CHARACTERS

# A server across an ocean that looks a token up first.
ANSWER_S: Final = 5.0
GOODBYE_S: Final = 2.0
# A load balancer in front of a load balancer.
MAX_REDIRECTS: Final = 3

_DIRECTION: Final[Mapping[System, Direction]] = {
    System.WHIP: "sendonly",
    System.WHEP: "recvonly",
    System.HUB: "sendrecv",
}
_OK: Final = 200
_PORTS: Final = {"http": 80, "https": 443}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to post to. ``mark``: what a hub on the other end knows us by.

    ``is_here``: whether the hub of this mark has come here already, and may stay.
    """

    system: System
    url: str
    token: str = ""
    mark: str = ""
    is_here: Callable[[str], bool] = lambda _mark: False


class WhipFar:
    """Implements ``Far`` by a WHIP or WHEP endpoint. ``trunk``: where that is another hub."""

    can = Abilities()

    def __init__(self, endpoint: Endpoint, trunk: Trunk | None = None) -> None:
        self._endpoint = endpoint
        self._trunk = trunk
        self._http: aiohttp.ClientSession | None = None
        self._line: Line | None = None
        self._session = ""

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        parts = urlsplit(self._endpoint.url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        address = await way_to(host, port)
        self._line = line = Line(_DIRECTION[self._endpoint.system], address, ear)
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"Stagebox/{__version__}"},
        )
        try:
            answer = await self._post(await line.offer())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            why = f"{host} does not answer: {reason(error)}."
            raise FarError(Cause.UNREACHABLE, why) from None
        await line.accept(answer)

    async def stay(self) -> None:
        """See ``Far``."""
        if self._line is None:
            raise FarError(Cause.FAILED, "It was never joined.")
        if self._trunk is None or not self._trunk.tells:
            await self._line.watch()
        else:
            await _first(self._line.watch(), self._trunk.stay(self._exchange))

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """See ``Far``."""
        return self._line is not None and self._line.send(payload, sequence, timestamp, marker)

    def show(self, name: str) -> None:
        """See ``Far``: there are no names here."""

    async def leave(self) -> None:
        """See ``Far``."""
        http, self._http = self._http, None
        line, self._line = self._line, None
        if self._trunk is not None:
            self._trunk.close()
        if http is not None and self._session:
            await self._delete(http)
        if http is not None:
            await http.close()
        if line is not None:
            await line.aclose()

    # --- private --------------------------------------------------------------

    @property
    def _headers(self) -> dict[str, str]:
        token, mark = self._endpoint.token, self._endpoint.mark
        return {
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **({MARK_HEADER: mark} if mark else {}),
        }

    async def _post(self, offer: str) -> str:
        url = self._endpoint.url
        for _ in range(MAX_REDIRECTS + 1):
            async with self._request("POST", url, (SDP, offer)) as response:
                if redirected(response.status):
                    url = urljoin(url, response.headers.get("Location", ""))
                    self._check_redirect(url)
                    continue
                return await self._read(response, url)
        raise FarError(Cause.BAD_ANSWER, "The server sends us from place to place.")

    def _request(
        self, method: str, url: str, body: tuple[str, str] | None = None
    ) -> "aiohttp.client._RequestContextManager":
        if self._http is None:
            raise AssertionError("left")
        kind, data = body or ("", None)
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        if kind == SDP and self._trunk is not None:
            headers |= self._trunk.headers
        return self._http.request(method, url, data=data, headers=headers, allow_redirects=False)

    def _check_redirect(self, url: str) -> None:
        """Refuse to carry the token from a sealed connection to an open one."""
        was, becomes = urlsplit(self._endpoint.url).scheme, urlsplit(url).scheme
        if becomes not in _PORTS or (was == "https" and becomes == "http"):
            raise FarError(Cause.BAD_ANSWER, f"The server sends us to {becomes}: not followed.")

    async def _read(self, response: aiohttp.ClientResponse, url: str) -> str:
        retry_after = response.headers.get("Retry-After")
        if response.status == LOOP and self._trunk is not None:
            raise self._trunk.refused(response.headers.get(BEHIND_HEADER, ""))
        check_status(response.status, response.reason or "", retry_after)
        body = await _body(response, MAX_CHARACTERS)
        place = response.headers.get("Location", "")
        if not place:
            raise FarError(Cause.BAD_ANSWER, "The server does not say where its session is.")
        self._session = urljoin(url, place)
        self._check_ring(response.headers)
        if len(body) > MAX_CHARACTERS:
            raise FarError(Cause.BAD_ANSWER, f"Its answer is longer than {MAX_CHARACTERS} bytes.")
        try:
            return body.decode("ascii")
        except UnicodeDecodeError:
            raise FarError(Cause.BAD_ANSWER, "Its answer is no SDP.") from None

    def _check_ring(self, headers: Mapping[str, str]) -> None:
        if self._trunk is not None:
            self._trunk.accepted(headers.get(BEHIND_HEADER, ""))
        is_told = self._trunk is not None and self._trunk.tells
        if not is_told and self._endpoint.is_here(headers.get(MARK_HEADER, "")[:200]):
            why = "That hub has bridged this space to us already: one of the two is enough."
            raise FarError(Cause.ALREADY_BRIDGED, why)

    async def _exchange(self, told: str) -> str:
        """Tell the other hub what is behind us; return what it says, or nothing."""
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
            async with self._request("PATCH", self._session, (BEHIND, told)) as response:
                if response.status == _OK:
                    return (await _body(response, MAX_TEXT)).decode("ascii")
        return ""  # its connection tells whether it is there

    async def _delete(self, http: aiohttp.ClientSession) -> None:
        """End the session there, if that is to be had in time."""
        self._http = http
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
            async with asyncio.timeout(GOODBYE_S), self._request("DELETE", self._session) as gone:
                log.debug("DELETE: %d", gone.status)
        self._http = None
        self._session = ""


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return what was sent; of more than ``most`` bytes a few too many."""
    body = await response.content.read(most + 1)
    while len(body) <= most and (more := await response.content.read(most)):
        body += more
    return body


async def _first(*ways: Coroutine[Any, Any, None]) -> None:
    """Wait until one of them fails, and fail as it does. Of two at once the last one counts."""
    tasks = [asyncio.ensure_future(each) for each in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in reversed(results):
        if isinstance(result, Exception):
            raise result
