"""A Discord of one server with one stage, for one bot: gateway, web service, voice by UDP.

It speaks as Discord's documentation says; nothing of it was recorded at Discord. discord.py
finds it by its own names and ports, by way of a connector that leads each name here, and
trusts it by a certificate that this run made. What the bot says is opened (XChaCha20-Poly1305)
and kept as the Opus packets that they were.
"""

import asyncio
import contextlib
import datetime as dt
import json
import socket
import ssl
import struct
import tempfile
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.bridges.discord_terms import Stage
from stagebox.media.rtp import AudioPacket
from tests.loopback.bridges.kit import Ears

WHY: Final = "needs discord.py and what seals its voice: pip install 'stagebox[discord]'"
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # audioop, which the library imports
    pytest.importorskip("discord", reason=WHY)
    pytest.importorskip("davey", reason=WHY)
    secret = pytest.importorskip("nacl.secret", reason=WHY)

GUILD, STAGE, BOT, TEXT = 100, 200, 300, 201
TOKEN: Final = "the-token-of-the-bot"
VOICE: Final = "voice.discord.example"
_NAMES: Final = ("discord.com", "gateway.discord.gg", VOICE)
_MODE: Final = "aead_xchacha20_poly1305_rtpsize"
_SSRC: Final = 4711
VIEW, CONNECT, SPEAK, MUTE_MEMBERS, REQUEST = 1 << 10, 1 << 20, 1 << 21, 1 << 22, 1 << 32
SILENCE: Final = b"\xf8\xff\xfe"


class _Here(AbstractResolver):
    """Whatever name, whatever port: it is here."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self._port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return how the double shows itself, and how a client trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAMES[0])])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in _NAMES]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "discord.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


class _Mouth(asyncio.DatagramProtocol):
    """The voice server's socket."""

    def __init__(self, discord: "Discord") -> None:
        self._discord = discord

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[:2] == b"\x00\x01" and len(data) == 74:  # where am I?
            place = addr[0].encode().ljust(64, b"\0")
            answer = struct.pack(">HHI64sH", 2, 70, _SSRC, place, addr[1])
            self._transport.sendto(answer, addr)
        elif data[:2] == b"\x80\x78":
            self._discord.take(data)


class Discord:
    """The double. What it is asked is in ``asked``, what it hears in ``ears``."""

    def __init__(self) -> None:
        self.rights = VIEW | CONNECT | SPEAK | REQUEST
        self.ears = Ears()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.speaking: list[int] = []
        self.bad = 0
        self.silences = 0
        self.identified = self.resumed = 0
        self.states: dict[int, dict[str, Any]] = {}
        self.names: dict[int, str] = {BOT: "Stagebox"}
        self.on_server = True
        self.lies: dict[str, Any] = {}  # by event or path, what is said instead
        self._key = bytes(range(32))
        self._gateways: set[web.WebSocketResponse[Any]] = set()
        self._voices: set[web.WebSocketResponse[Any]] = set()
        self._events: list[dict[str, Any]] = []
        self._folder = tempfile.TemporaryDirectory()

    @property
    def stage(self) -> Stage:
        return Stage(GUILD, STAGE)

    @property
    def bot(self) -> dict[str, Any]:
        """What the stage shows of the bot; empty: it is not in it."""
        return self.states.get(BOT, {})

    @property
    def hand(self) -> bool:
        return bool(self.bot.get("request_to_speak_timestamp"))

    def connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(resolver=_Here(self.port), ssl=self._trust)

    # --- what moderators and others do ------------------------------------------------

    async def let_up(self, person: int = BOT) -> None:
        await self._change(person, suppress=False, request_to_speak_timestamp=None)

    async def move_back(self, person: int = BOT) -> None:
        await self._change(person, suppress=True, request_to_speak_timestamp=None)

    async def put_out(self, person: int = BOT) -> None:
        await self._change(person, channel_id=None)
        for ws in list(self._voices) if person == BOT else ():
            await ws.close(code=4014)

    async def enter(self, person: int, name: str, *, suppress: bool = True) -> None:
        self.names[person] = name
        await self._change(person, channel_id=str(STAGE), suppress=suppress)

    async def raise_hand(self, person: int) -> None:
        await self._change(person, request_to_speak_timestamp=_now())

    async def remove_bot(self) -> None:
        self.on_server = False
        await self.tell("GUILD_DELETE", {"id": str(GUILD)})

    async def delete_stage(self) -> None:
        await self.tell("CHANNEL_DELETE", self._stage_channel())

    async def give(self, rights: int) -> None:
        self.rights = rights
        await self.tell("GUILD_ROLE_UPDATE", {"guild_id": str(GUILD), "role": self._role()})

    async def cut_gateway(self) -> None:
        """Break the gateway's connection without a word, as a network does."""
        for ws in list(self._gateways):
            if ws._req is not None and ws._req.transport is not None:
                ws._req.transport.abort()
        await asyncio.sleep(0)

    async def cut_voice(self) -> None:
        for ws in list(self._voices):
            await ws.close(code=4006)

    # --- sound ------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        header, sealed, nonce = data[:12], data[12:-4], data[-4:].ljust(24, b"\0")
        sequence, timestamp = struct.unpack(">HI", header[2:8])
        try:
            payload = secret.Aead(self._key).decrypt(sealed, header, nonce)
        except Exception:  # noqa: BLE001 - of another key, or broken
            self.bad += 1
            return
        if payload == SILENCE:
            self.silences += 1
            return
        if self.bot.get("suppress", True):
            return  # Discord drops what the audience says
        packet = AudioPacket(_SSRC, sequence, timestamp, payload, False)
        self.ears.heard(packet, asyncio.get_running_loop().time())

    # --- being there ------------------------------------------------------------------

    async def start(self) -> None:
        shown, self._trust = _certificate(Path(self._folder.name))
        app = web.Application()
        app.router.add_get("/", self._socket)
        app.router.add_get("/api/v10/users/@me", self._me)
        app.router.add_get("/api/v10/oauth2/applications/@me", self._application)
        app.router.add_patch("/api/v10/guilds/{guild}/voice-states/{user}", self._patch)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=shown).start()
        self.port = self._runner.addresses[0][1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Mouth(self), local_addr=("127.0.0.1", 0)
        )

    async def aclose(self) -> None:
        for ws in (*self._gateways, *self._voices):
            await ws.close()
        await self._runner.cleanup()
        self._udp.close()
        self._folder.cleanup()

    # --- web service ------------------------------------------------------------------

    async def _me(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, status=401)
        return _json(self.lies.get("me", _user(BOT, "Stagebox", bot=True)))

    async def _application(self, _request: web.Request) -> web.Response:
        answer = {"id": "1", "name": "Stagebox", "description": "", "icon": None, "flags": 0}
        answer |= {"bot_public": False, "bot_require_code_grant": False, "verify_key": "0"}
        return _json(answer | {"owner": _user(2, "Owner")})

    async def _patch(self, request: web.Request) -> web.Response:
        who, body = request.match_info["user"], await request.json()
        self.asked.append((who, body))
        person = BOT if who == "@me" else int(who)
        lets_up = body.get("suppress") is False
        needs = MUTE_MEMBERS if lets_up or person != BOT else 0
        if body.get("request_to_speak_timestamp") and person == BOT:
            needs |= REQUEST
        if self.rights & needs != needs:
            return _json({"message": "Missing Permissions", "code": 50013}, status=403)
        known = ("suppress", "request_to_speak_timestamp")
        change = {key: body[key] for key in known if key in body}
        if lets_up and person != BOT:
            change = {"request_to_speak_timestamp": _now()}  # people are invited
        await self._change(person, **change)
        return web.Response(status=204)

    # --- gateway ----------------------------------------------------------------------

    async def tell(self, event: str, data: dict[str, Any]) -> None:
        """Tell all gateways, now or when they resume."""
        number = len(self._events) + 1
        self._events.append({"op": 0, "t": event, "s": number, "d": data})
        for ws in list(self._gateways):
            with contextlib.suppress(ConnectionError):
                await ws.send_str(json.dumps(self._events[-1]))

    async def _socket(self, request: web.Request) -> web.WebSocketResponse[Any]:
        ws: web.WebSocketResponse[Any] = web.WebSocketResponse()
        await ws.prepare(request)
        is_voice = request.host.startswith(VOICE)
        serve = self._voice if is_voice else self._gateway
        hello = {"op": 8, "d": {"v": 8, "heartbeat_interval": 13_750}}
        if not is_voice:
            hello = {"op": 10, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None}
        await ws.send_str(json.dumps(hello))
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await serve(ws, json.loads(message.data))
        finally:
            self._gateways.discard(ws)
            self._voices.discard(ws)
        return ws

    async def _gateway(self, ws: web.WebSocketResponse[Any], asked: dict[str, Any]) -> None:
        match asked["op"]:
            case 1:
                await ws.send_str(json.dumps({"op": 11}))
            case 2 if asked["d"]["token"] != TOKEN:
                await ws.close(code=4004)
            case 2:
                self.identified += 1
                self._gateways.add(ws)
                await self.tell("READY", self._ready())
                if self.on_server:
                    await self.tell("GUILD_CREATE", self._guild())
            case 6:
                self.resumed += 1
                number = asked["d"]["seq"]
                while number < len(self._events):  # more may come meanwhile
                    await ws.send_str(json.dumps(self._events[number]))
                    number += 1
                self._gateways.add(ws)
                await self.tell("RESUMED", {})
            case 4 if asked["d"]["channel_id"] is None:
                await self._change(BOT, channel_id=None)
            case 4:
                await self._change(BOT, channel_id=str(STAGE), suppress=True)
                where = {"token": "voice", "guild_id": str(GUILD), "endpoint": VOICE}
                await self.tell("VOICE_SERVER_UPDATE", self.lies.get("VOICE_SERVER_UPDATE", where))

    async def _change(self, person: int, **change: object) -> None:
        state = self.states.setdefault(person, _state(person))
        state.update(change)
        if state["channel_id"] is None:
            del self.states[person]
        member = _member(person, self.names.get(person, ""))
        await self.tell("VOICE_STATE_UPDATE", state | {"member": member})

    # --- voice ------------------------------------------------------------------------

    async def _voice(self, ws: web.WebSocketResponse[Any], asked: dict[str, Any]) -> None:
        answer: dict[str, Any] = {}
        match asked["op"]:
            case 0:
                self._voices.add(ws)
                host, port = self._udp.get_extra_info("sockname")
                modes = ["aead_aes256_gcm_rtpsize", _MODE]
                answer = {"op": 2, "d": {"ssrc": _SSRC, "ip": host, "port": port, "modes": modes}}
            case 1:
                assert asked["d"]["data"]["mode"] == _MODE
                session = {"mode": _MODE, "secret_key": list(self._key), "dave_protocol_version": 0}
                answer = {"op": 4, "d": session}
            case 3:
                answer = {"op": 6, "d": asked["d"]}
            case 5:
                self.speaking.append(asked["d"]["speaking"])
        if answer:
            await ws.send_str(json.dumps(answer))

    # --- what things look like ----------------------------------------------------------

    def _ready(self) -> dict[str, Any]:
        guilds = [{"id": str(GUILD), "unavailable": True}] if self.on_server else []
        return {
            "v": 10,
            "user": _user(BOT, "Stagebox", bot=True),
            "guilds": guilds,
            "session_id": "session",
            "resume_gateway_url": "wss://gateway.discord.gg",
            "application": {"id": "1", "flags": 0},
        }

    def _guild(self) -> dict[str, Any]:
        people = {BOT: "Stagebox"} | {each: self.names.get(each, "") for each in self.states}
        return {
            "id": str(GUILD),
            "name": "Server",
            "unavailable": False,
            "owner_id": "2",
            "member_count": len(people),
            "roles": [self._role()],
            "channels": [
                self._stage_channel(),
                {"id": str(TEXT), "type": 0, "name": "text", "position": 1},
            ],
            "voice_states": list(self.states.values()),
            "members": [_member(each, name) for each, name in people.items()],
        }

    def _role(self) -> dict[str, Any]:
        return {"id": str(GUILD), "name": "@everyone", "permissions": str(self.rights)}

    def _stage_channel(self) -> dict[str, Any]:
        return {
            "id": str(STAGE),
            "guild_id": str(GUILD),
            "type": 13,
            "name": "Stage",
            "position": 0,
            "bitrate": 64_000,
            "user_limit": 0,
            "permission_overwrites": [],
        }


def _json(content: object, status: int = 200) -> web.Response:
    # The library reads JSON only where nothing is said of its characters.
    body = json.dumps(content).encode()
    return web.Response(body=body, status=status, content_type="application/json")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()


def _user(number: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(number),
        "username": name,
        "discriminator": "0",
        "avatar": None,
        "bot": bot,
    }


def _member(number: int, name: str) -> dict[str, Any]:
    user = _user(number, name or "nobody", bot=number == BOT)
    open_ears = {"deaf": False, "mute": False}
    return {"user": user, "roles": [], "flags": 0, "joined_at": _now()} | open_ears


def _state(number: int) -> dict[str, Any]:
    return {
        "guild_id": str(GUILD),
        "channel_id": str(STAGE),
        "user_id": str(number),
        "session_id": f"voice-{number}",
        "deaf": False,
        "mute": False,
        "self_deaf": False,
        "self_mute": False,
        "self_video": False,
        "suppress": True,
        "request_to_speak_timestamp": None,
    }


@contextlib.asynccontextmanager
async def discord_double() -> AsyncIterator[Discord]:
    """Run one."""
    made = Discord()
    await made.start()
    try:
        yield made
    finally:
        await made.aclose()
