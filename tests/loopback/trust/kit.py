"""A box as the hub's TLS port sees one: asks by server name, pins, signs."""

import asyncio
import contextlib
import hashlib
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import aiohttp

from stagebox.identity import Identity
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.enrolment import (
    BoxEnrolment,
    BoxSelf,
    EnrolledHub,
    Finished,
    Send,
    StorePending,
)
from stagebox.wire.enrolment_messages import ENROL_PATH
from stagebox.wire.handshake import MemberHandshake
from stagebox.wire.messages import Error, HubMessage, Pins, Welcome
from stagebox.wire.sni import ENROL_NAME, server_name
from stagebox.wire.terms import MEMBER_PATH, Kind, Role
from tests.loopback.hub.crew import PATIENCE_S, Hub
from tests.loopback.web.kit import HOUSE, Browser, a_hub

CODE = "482915"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def blind() -> ssl.SSLContext:
    """Return how a box speaks: TLS 1.3, no authority; the pin is looked at afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def certificate_of(socket_: aiohttp.ClientWebSocketResponse) -> bytes:
    """Return SHA-256 of what the other side showed."""
    tls: ssl.SSLObject = socket_.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True)
    assert der is not None
    return hashlib.sha256(der).digest()


@contextlib.asynccontextmanager
async def enrolling_hub(data: Path, **more: Any) -> AsyncIterator[Hub]:  # noqa: ANN401
    """Run a hub that takes enrolled boxes only, with TLS."""
    async with a_hub(data, HOUSE, secure_port=free_port(), boxes="enrolled", **more) as hub:
        yield hub


@contextlib.asynccontextmanager
async def keeper(hub: Hub) -> AsyncIterator[Browser]:
    """Be the administrator."""
    async with Browser(hub) as browser:
        await browser.administer()
        yield browser


class TlsBox:
    """One box."""

    def __init__(self, hub: Hub, name: str = "Kitchen", *, code: str = CODE) -> None:
        self.hub, self.name, self.code = hub, name, code
        self.port = hub.server.secure_port
        self.identity = Identity.generate()
        self.known: EnrolledHub | None = None
        self.pending: EnrolledHub | None = None
        self.pins: Pins | None = None
        self.http = aiohttp.ClientSession()
        self.ws: aiohttp.ClientWebSocketResponse
        self.handshake: MemberHandshake

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def dial(self, path: str, name: str) -> aiohttp.ClientWebSocketResponse:
        url = f"https://127.0.0.1:{self.port}{path}"
        self.ws = await self.http.ws_connect(url, ssl=blind(), server_hostname=name)
        return self.ws

    async def enrol(self, *, cut_when_pending: bool = False) -> None:
        """Go through one run of enrolment; raises EnrolmentError if it fails."""
        ws = await self.dial(ENROL_PATH, ENROL_NAME)
        me = BoxSelf(self.identity.key, self.name, Role.GUEST, self.identity.sign)
        core = BoxEnrolment(
            me, code=self.code, certificate=certificate_of(ws), random=secrets.token_bytes
        )
        effects = core.start()
        while True:
            for effect in effects:
                if isinstance(effect, Send):
                    await ws.send_str(effect.text)
                elif isinstance(effect, Finished):
                    assert isinstance(effect.record, EnrolledHub)
                    self.known = effect.record
                    await ws.close()
                    return
                elif isinstance(effect, StorePending) and cut_when_pending:
                    assert isinstance(effect.record, EnrolledHub)
                    self.pending = effect.record
                    await ws.close()
                    return
            if effects and not isinstance(effects[-1], Send):
                effects = core.stored()
                continue
            try:
                effects = core.receive(await ws.receive_str(timeout=PATIENCE_S))
            except Exception as error:
                farewell = getattr(error, "farewell", "")
                if farewell:
                    await ws.send_str(farewell)
                await ws.close()
                raise

    async def login(self, *, pin: str | None = None, signed: bool = True) -> HubMessage:
        """Say hello; return the welcome, or the error."""
        hub = self.known or self.pending
        wanted = pin or (hub.pins[-1] if hub else "")
        ws = await self.dial(MEMBER_PATH, server_name(wanted))
        seen = certificate_of(ws)
        self.handshake = MemberHandshake(
            key=self.identity.key,
            nonce=secrets.token_hex(32),
            name=self.name,
            kind=Kind.BOX,
            role=Role.GUEST,
            software="test",
        )
        if signed:
            key = hub.key if hub else None
            self.handshake.seal(sign=self.identity.sign, certificate=seen, hub_key=key)
        while True:
            message = await self.next()
            if isinstance(message, Error):
                return message
            answer = self.handshake.receive(message)
            if isinstance(message, Welcome):
                return message
            if answer is not None:
                await ws.send_str(encode(answer))

    async def next(self) -> HubMessage:
        frame = await self.ws.receive(timeout=PATIENCE_S)
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionResetError(f"closed with {self.ws.close_code}")
        return decode_hub(frame.data)

    async def closed(self) -> int | None:
        with contextlib.suppress(ConnectionResetError):
            while True:
                await self.next()
        return self.ws.close_code


async def here(browser: Browser, boxes: int = 1) -> dict[str, Any]:
    """Wait until so many boxes wait for their code; return what the console sees."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            seen: dict[str, Any] = (await browser.ask("GET", "/enrolment")).json
            if sum(each["step"] == "code" for each in seen["coming"]) == boxes:
                return seen
            await asyncio.sleep(0.01)


async def added(hub: Hub, browser: Browser, box: TlsBox) -> None:
    """Add a box."""
    assert (await browser.ask("POST", "/enrolment")).status == 200
    run = asyncio.create_task(box.enrol())
    await here(browser)
    answer = await browser.ask("POST", "/enrolment/code", {"code": box.code})
    assert answer.status == 200, answer
    await run
