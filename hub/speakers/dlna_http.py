"""Requests to a renderer, in bounds: its address only, so many, so large and so long.

The one place that knows async-upnp-client and the XML that strangers send.
"""

import asyncio
import contextlib
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

import aiohttp
from async_upnp_client.client import UpnpDevice, UpnpRequester, UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import UpnpActionError, UpnpError
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from hub.speakers.dlna_terms import RENDERER
from hub.speakers.terms import Cause, SpeakerError

REQUEST_S: Final = 3.0
MAX_ANSWER: Final = 256 * 1024
# A description and those of its services: a renderer has three to ten.
MAX_SET_UP: Final = 24
_DEVICE: Final = "{urn:schemas-upnp-org:device-1-0}"
_ILLEGAL_MIME: Final = 714


class Requester(UpnpRequester):
    """Asks one host, over a session of its own, from its making to ``aclose``."""

    def __init__(self, location: str) -> None:
        self._host = urlsplit(location).hostname
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=2, force_close=True),
            timeout=aiohttp.ClientTimeout(total=REQUEST_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self.left = MAX_SET_UP

    async def aclose(self) -> None:
        """End it."""
        await self._session.close()

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        """See ``UpnpRequester``.

        Raises:
            SpeakerError: there is no answer, or none that is fit.
        """
        self.left -= 1
        if urlsplit(http_request.url).hostname != self._host or self.left < 0:
            raise SpeakerError(Cause.BAD_ANSWER, "Its description leads elsewhere, or nowhere.")
        try:
            # Small servers now and then drop a connection before they answer. Whatever is
            # asked of a renderer here may be asked twice.
            with contextlib.suppress(aiohttp.ServerDisconnectedError):
                return await self._exchange(http_request)
            return await self._exchange(http_request)
        except TimeoutError:
            raise SpeakerError(Cause.NO_ANSWER, "It does not answer.") from None
        except aiohttp.ClientConnectionError as error:
            raise SpeakerError(Cause.UNREACHABLE, f"It cannot be reached ({error}).") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise SpeakerError(Cause.BAD_ANSWER, f"It answers nonsense ({error}).") from None

    async def _exchange(self, asked: HttpRequest) -> HttpResponse:
        async with self._session.request(
            asked.method, asked.url, headers=asked.headers, data=asked.body, allow_redirects=False
        ) as response:
            body = await _bounded(response)
            return HttpResponse(response.status, dict(response.headers), body)


class Renderer:
    """A renderer that can be told something."""

    def __init__(self, device: UpnpDevice, requester: Requester) -> None:
        self._requester = requester
        every = (s for each in device.all_devices for s in each.services.values())
        self._services: list[UpnpService] = list(every)

    @classmethod
    async def open(cls, location: str, requester: Requester) -> "Renderer":
        """Read its description.

        Raises:
            SpeakerError: there is none, or it makes no sense.
        """
        try:
            factory = UpnpFactory(requester, non_strict=True)
            device = await factory.async_create_device(location)
        except SpeakerError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's XML makes of the library
            raise _nonsense(error) from None
        return cls(device, requester)

    def has(self, service: str, action: str) -> bool:
        """Tell whether it can do that. ``service``: the type without its version."""
        found = self._service(service)
        return found is not None and found.has_action(action)

    async def ask(self, service: str, action: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - UPnP's
        """Have it do something, and return what it says.

        Raises:
            SpeakerError: it does not do it.
        """
        found = self._service(service)
        if found is None or not found.has_action(action):
            raise SpeakerError(Cause.BAD_ANSWER, f"It is no renderer: it has no {action}.")
        self._requester.left = 1
        try:
            return dict(await found.action(action).async_call(**arguments))
        except SpeakerError:
            raise
        except UpnpActionError as error:
            raise _refused(action, error) from None
        except Exception as error:  # noqa: BLE001 - whatever a stranger's XML makes of the library
            raise _nonsense(error) from None

    def _service(self, type_: str) -> UpnpService | None:
        found = [each for each in self._services if each.service_type.startswith(type_)]
        return found[0] if found else None


async def describe(location: str) -> tuple[str, str]:
    """Return a renderer's lasting name (its UDN), and what people call it.

    Raises:
        SpeakerError: there is no renderer.
    """
    requester = Requester(location)
    try:
        async with asyncio.timeout(2 * REQUEST_S):
            answer = await requester.async_http_request(HttpRequest("GET", location, {}, None))
        root = fromstring(answer.body or "")
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        raise _nonsense(error) from None
    finally:
        await requester.aclose()
    for device in root.iter(f"{_DEVICE}device"):
        if _text(device, "deviceType").startswith(RENDERER):
            return _text(device, "UDN"), _text(device, "friendlyName")
    raise SpeakerError(Cause.BAD_ANSWER, "What answers there is no renderer.")


def _text(device: Element, name: str) -> str:
    return (device.findtext(f"{_DEVICE}{name}") or "").strip()


def _refused(action: str, error: UpnpActionError) -> SpeakerError:
    cause = Cause.NO_FORMAT if error.error_code == _ILLEGAL_MIME else Cause.BAD_ANSWER
    return SpeakerError(cause, f"It refuses {action} ({error.error_code}: {error.error_desc}).")


def _nonsense(error: Exception) -> SpeakerError:
    why = str(error) if isinstance(error, UpnpError) else type(error).__name__
    return SpeakerError(Cause.BAD_ANSWER, f"It answers nonsense ({why}).")


async def _bounded(response: aiohttp.ClientResponse) -> str:
    body = b""
    async for piece in response.content.iter_chunked(16 * 1024):
        body += piece
        if len(body) > MAX_ANSWER:
            raise SpeakerError(Cause.BAD_ANSWER, "It says too much at once.")
    return body.decode("utf-8", "replace")
