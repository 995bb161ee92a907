"""A browser as the hub's HTTP side sees one: cookies, and requests to its API."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec
from msgspec.structs import replace

from hub.config import HubConfig, SpaceConfig, WebConfig
from hub.web.route import BASE
from stagebox.wire.terms import Kind, Mode
from tests.loopback.hub.crew import Guest, Hub, running_hub

PASSWORD = "correct horse battery"
# No limit is in the way of a test that is about something else.
AT_EASE = WebConfig(
    requests_per_s=10_000,
    request_burst=100_000,
    wrong_codes=100_000,
    wrong_codes_in_all=100_000,
    wrong_passwords=100_000,
    wrong_passwords_in_all=100_000,
)
SPACES = (
    SpaceConfig(id="main", name="Main"),
    SpaceConfig(id="talk", name="Talk show", mode=Mode.MODERATED),
)
HOUSE = HubConfig(space=SPACES, web=AT_EASE)


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: "aiohttp.typedefs.LooseHeaders", text: str) -> None:
        self.status = status
        self.headers: Any = headers
        self.text = text

    @property
    def json(self) -> Any:  # noqa: ANN401
        return msgspec.json.decode(self.text)

    @property
    def code(self) -> str:
        """The code of a problem, which must be one."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self.text
        problem = self.json
        assert problem["status"] == self.status
        assert problem["detail"]
        return str(problem["code"])

    def __repr__(self) -> str:
        return f"{self.status} {self.text[:300]}"


class Browser:
    """One browser; its cookies stay its own."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await self.http.close()

    async def ask(self, method: str, path: str, body: object = None, **more: Any) -> Answer:  # noqa: ANN401
        """Send a request to the API; ``body`` is sent as JSON unless it is None or bytes."""
        headers = dict(more.pop("headers", {}))
        if isinstance(body, bytes):
            headers.setdefault("Content-Type", "application/json")
            more["data"] = body
        elif body is not None:
            more["json"] = body
        url = self.hub.url(path if path.startswith("/api") else BASE + path)
        async with self.http.request(method, url, headers=headers, **more) as response:
            return Answer(response.status, response.headers, await response.text())

    async def name(self, name: str) -> dict[str, Any]:
        """Become a visitor."""
        answer = await self.ask("PUT", "/me", {"name": name})
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.json
        return found

    async def administer(self) -> None:
        """Become the administrator, the first one or the same one again."""
        answer = await self.ask("POST", "/setup", {"password": PASSWORD})
        if answer.status != 200:
            answer = await self.ask("POST", "/login", {"password": PASSWORD})
        assert answer.status == 200, answer

    @property
    def cookies(self) -> str:
        return "; ".join(f"{each.key}={each.value}" for each in self.http.cookie_jar)


class Tab(Guest):
    """A page's WebSocket: says hello as ``me`` with the browser's cookies."""

    def __init__(self, browser: Browser, me: dict[str, Any]) -> None:
        super().__init__(me["name"], number=0)
        hello = self.handshake._hello
        self.handshake._hello = replace(hello, id=me["id"], key=me["key"], kind=Kind.BROWSER)
        self.browser = browser

    async def connect(
        self, hub: Hub, host: str = "127.0.0.1", headers: Mapping[str, str] | None = None
    ) -> Guest:
        own = {"Origin": hub.url("", host), "Cookie": self.browser.cookies}
        return await super().connect(hub, host, {**own, **(headers or {})})


@contextlib.asynccontextmanager
async def a_hub(data: Path, config: HubConfig = HOUSE, **more: Any) -> AsyncIterator[Hub]:  # noqa: ANN401
    """Run a hub with two spaces and no limits in the way."""
    async with running_hub(data, config, **more) as hub:
        yield hub
