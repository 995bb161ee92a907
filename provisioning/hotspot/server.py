"""Serves the phone page, on the hotspot's address alone, to one phone."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from provisioning.hotspot.countries import guessed
from provisioning.hotspot.form import Filled, StrangeFormError, read
from provisioning.hotspot.page import HEADERS, Offer, elsewhere_page, form_page, trying_page
from provisioning.hotspot.words import language_of
from provisioning.network.terms import Cause, Submitted
from provisioning.network.wifi import Seen
from stagebox.phrases import Language

_MOST_BYTES: Final = 4_096  # a form with every field full has some 700
_MOST_FIELDS: Final = 8
# The answer is on its way before the hotspot that carries it goes.
_BEFORE_IT_CLOSES_S: Final = 2.0
_BIND_TRIES: Final = 20
_BIND_WAIT_S: Final = 0.25


class Page:
    """The page, while a hotspot is up."""

    def __init__(self, on_submitted: Callable[[Submitted], None]) -> None:
        self._on_submitted = on_submitted
        self._offer = Offer((), "")
        self._phone: str | None = None
        self._runner: web.AppRunner | None = None
        self._host = ""

    async def open(
        self,
        address: tuple[str, int],
        networks: tuple[Seen, ...],
        failure: Cause | None,
        country: str | None,
    ) -> None:
        """Serve it at an address of this machine's.

        Raises:
            OSError: the address is not there, or taken.
        """
        await self.close()
        self._offer = Offer(networks, secrets.token_urlsafe(16), failure, country or "")
        self._phone = None
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_get("/", self._show)
        app.router.add_post("/", self._take)
        app.router.add_get("/{rest:.*}", self._lead_here)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=5)
        await self._runner.setup()
        self._host = address[0] if address[1] == 80 else f"{address[0]}:{address[1]}"
        await self._bind(self._runner, address)

    async def close(self) -> None:
        """Serve it no longer."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @staticmethod
    async def _bind(runner: web.AppRunner, address: tuple[str, int]) -> None:
        # The address may come a moment after the word that it is there.
        for left in reversed(range(_BIND_TRIES)):
            try:
                await web.TCPSite(runner, *address, backlog=16).start()
            except OSError:
                if not left:
                    raise
                await asyncio.sleep(_BIND_WAIT_S)
            else:
                return

    async def _show(self, request: web.Request) -> web.Response:
        if request.host != self._host:
            return await self._lead_here(request)
        if self._is_second(request):
            return _html(elsewhere_page(_language(request)), 403)
        languages = request.headers.get("Accept-Language", "")
        filled = Filled(country=self._offer.country or guessed(languages) or "")
        return _html(form_page(self._offer, filled, _language(request)))

    async def _take(self, request: web.Request) -> web.Response:
        if request.host != self._host or self._is_second(request):
            return _html(elsewhere_page(_language(request)), 403)
        text = (await request.read()).decode("utf-8", "replace")
        try:
            fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
            filled = read(fields, self._offer.token)
        except (StrangeFormError, ValueError):
            return _html(form_page(self._offer, Filled(), _language(request)), 400)
        if isinstance(filled, Filled):
            return _html(form_page(self._offer, filled, _language(request)), 422)
        loop = asyncio.get_running_loop()
        loop.call_later(_BEFORE_IT_CLOSES_S, self._on_submitted, Submitted(filled))
        return _html(trying_page(_language(request)))

    async def _lead_here(self, _request: web.Request) -> web.Response:
        """Send a phone that looks for the internet to the page: it shows it by itself then."""
        where = {"Location": f"http://{self._host}/"}
        return web.Response(status=302, headers={**HEADERS, **where})

    def _is_second(self, request: web.Request) -> bool:
        self._phone = self._phone or request.remote
        return request.remote != self._phone


def _language(request: web.Request) -> Language:
    return language_of(request.headers.get("Accept-Language", ""))


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)
