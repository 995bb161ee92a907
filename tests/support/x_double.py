"""A double of X Spaces: its answers in their publicly known shapes, its chat, and a broadcast.

Nobody here has spoken with X. What speaks in it is AAC made by FFmpeg, cut into pieces as
they grow; where people speak, it names the Janus that a test has started.
"""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path
from typing import Any

import av
from aiohttp import WSMsgType, web

from hub.bridges.x_settings import XConfig
from hub.bridges.x_terms import Endpoints
from stagebox.media.frames import SAMPLE_RATE
from tests.loopback.bridges.kit import words

SPACE = "1TestSpace"
OWN = "1hub"
ZOE = "1zoe"
AUTH, CSRF, BEARER = "auth-token-of-the-test", "ct0-of-the-test", "bearer-of-the-test"
SESSION = f'auth_token = "{AUTH}"\nct0 = "{CSRF}"\nbearer = "{BEARER}"\n'
LINK = f"https://x.com/i/spaces/{SPACE}?s=20"
_AAC_FRAME = 1_024
_WINDOW = 6


@cache
def pieces_of(number: int, length_s: float, seconds: float) -> list[bytes]:
    """Return what one of four people says as pieces of AAC (ADTS), of some seconds each."""
    pcm = words(number, length_s)
    file = io.BytesIO()
    with av.open(file, "w", format="adts") as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = 96_000
        resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE, _AAC_FRAME)
        whole = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        whole.sample_rate = SAMPLE_RATE
        for frame in (*resampler.resample(whole), *resampler.resample(None)):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames = _frames(file.getvalue())
    many = int(seconds * SAMPLE_RATE / _AAC_FRAME)
    return [b"".join(frames[at : at + many]) for at in range(0, len(frames) - many, many)]


def _frames(data: bytes) -> list[bytes]:
    """Return the frames of AAC, each of which says how long it is."""
    found = []
    while data:
        size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        found.append(data[:size])
        data = data[size:]
    return found


def tagged(piece: bytes) -> bytes:
    """Return a piece behind a tag, as broadcasts have it."""
    note = b"PRIV" + bytes(196)
    return b"ID3\x04\x00\x00" + bytes((0, 0, len(note) >> 7, len(note) & 0x7F)) + note + piece


class Broadcast:
    """Sound that grows by a piece at a time and begins anew at its end, for ever."""

    def __init__(self, number: int, length_s: float, seconds: float = 1.0) -> None:
        self._pieces = pieces_of(number, length_s, seconds)
        self.piece_s = int(seconds * SAMPLE_RATE / _AAC_FRAME) * _AAC_FRAME / SAMPLE_RATE
        # When its first sample was said; three pieces are there by now.
        self.begun_at = asyncio.get_running_loop().time() - 3.5 * self.piece_s
        self.over = False

    @property
    def length_s(self) -> float:
        """How long it is until it begins anew."""
        return len(self._pieces) * self.piece_s

    def playlist(self) -> str:
        since = asyncio.get_running_loop().time() - self.begun_at
        count = int(since / self.piece_s)
        first = max(0, count - _WINDOW)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first}")
        for number in range(first, count):
            lines += [f"#EXTINF:{self.piece_s:.3f},", f"chunk_{number}.aac"]
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if self.over else [])])

    def piece(self, name: str) -> bytes:
        number = int(name.removeprefix("chunk_").removesuffix(".aac"))
        return tagged(self._pieces[number % len(self._pieces)])


class XDouble:
    """One Space. ``lies``: what is answered instead, by the last word of a path."""

    def __init__(self, broadcast: Broadcast, gateway: str = "") -> None:
        self.broadcast = broadcast
        self.gateway = gateway
        self.state = "Running"
        self.lies: dict[str, Any] = {}
        self.asked: list[str] = []
        self.wishes: list[str] = []
        self.withdrawn: list[str] = []
        self.unmuted: list[str] = []
        self.approved: list[str] = []
        self.ejected: list[dict[str, Any]] = []
        self.published: list[dict[str, Any]] = []
        self.ended: list[str] = []
        self._chats: set[web.WebSocketResponse[Any]] = set()
        self.base = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["XDouble"]:
        app = web.Application()
        app.router.add_get("/q1/AudioSpaceById", self._of_x(self._space))
        app.router.add_get("/q2/AuthenticatePeriscope", self._of_x(self._pass))
        app.router.add_get("/status/{key}", self._of_x(self._stream))
        app.router.add_post("/region", self._region)
        app.router.add_post("/proxsee/{name}", self._proxsee)
        app.router.add_post("/guest/{name:.*}", self._guest)
        app.router.add_get("/hls/{name}", self._hls)
        app.router.add_get("/chatapi/v1/chatnow", self._chat)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            for each in list(self._chats):
                await each.close()
            await runner.cleanup()

    def endpoints(self, base: str = "") -> Endpoints:
        at = base or self.base
        return Endpoints(
            space=f"{at}/q1/AudioSpaceById",
            periscope=f"{at}/q2/AuthenticatePeriscope",
            stream=f"{at}/status",
            proxsee=f"{at}/proxsee",
            guest=f"{at}/guest",
            region=f"{at}/region",
        )

    def config(self, folder: Path, session: str = SESSION, base: str = "") -> XConfig:
        """Return settings that lead here, with a session in a file of ``folder``."""
        path = folder / "x-session.toml"
        path.touch(mode=0o600)
        path.write_text(session)
        return XConfig(
            i_accept_that_x_may_suspend_this_account=True,
            session_file=str(path),
            endpoints=self.endpoints(base),
        )

    async def tell(self, event: int, user: str, wish: str = "", **more: object) -> None:
        """Let the chat tell something."""
        body = {"guestBroadcastingEvent": event, "guestRemoteID": user, "type": 40}
        await self.say(body | {"guestUsername": user, "sessionUUID": wish} | more)

    async def say(self, body: object) -> None:
        """Let the chat say something."""
        payload = {"room": SPACE, "body": json.dumps(body), "sender": {"user_id": "1"}}
        for each in list(self._chats):
            await each.send_str(json.dumps({"kind": 1, "payload": json.dumps(payload)}))

    async def hang_up(self) -> None:
        """Break the chat of everybody."""
        for each in list(self._chats):
            await each.close()
        self._chats.clear()

    @property
    def chatting(self) -> int:
        """How many are in the chat."""
        return len(self._chats)

    # --- private --------------------------------------------------------------

    def _of_x(self, answer: Callable[[], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            self.asked.append(request.path)
            own = f"auth_token={AUTH}; ct0={CSRF}"
            shown = request.headers.get("Cookie"), request.headers.get("X-Csrf-Token")
            if request.headers.get("Authorization") != f"Bearer {BEARER}" or shown != (own, CSRF):
                return web.json_response({"errors": [{"message": AUTH}]}, status=401)
            return self._answer(request, answer())

        return handle

    def _answer(self, request: web.Request, body: object) -> web.Response:
        lie = self.lies.get(request.path.rpartition("/")[2], body)
        if isinstance(lie, int):
            return web.Response(status=lie, text=f"no, {AUTH}")
        return web.Response(text=lie if isinstance(lie, str) else json.dumps(lie))

    def _space(self) -> dict[str, Any]:
        person = {"periscope_user_id": ZOE, "display_name": "Zoe", "is_muted_by_guest": False}
        people = {"admins": [person], "speakers": [], "listeners": [], "total": 1}
        metadata = {"rest_id": SPACE, "state": self.state, "media_key": "28_1", "title": "Test"}
        return {"data": {"audioSpace": {"metadata": metadata, "participants": people}}}

    def _pass(self) -> dict[str, Any]:
        return {"data": {"authenticate_periscope": "the-pass"}}

    def _stream(self) -> dict[str, Any]:
        source = {"location": f"{self.base}/hls/master_playlist.m3u8", "status": "LIVE_PUBLIC"}
        return {"source": source, "chatToken": "the-chat-token", "lifecycleToken": "the-life"}

    async def _region(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return self._answer(request, {"region": "eu-central-1"})

    def _made(self) -> dict[str, Any]:
        way = {"webrtc_gw_url": self.gateway, "credential": "the-jwt", "endpoint": self.base}
        return way | {"room_id": SPACE, "stream_name": "the-stream", "access_token": "the-door"}

    async def _proxsee(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        given = await request.json()
        name = request.match_info["name"]
        found: dict[str, dict[str, Any]] = {
            "loginTwitterToken": {"cookie": "the-cookie", "user": {"id": OWN}},
            "authorizeToken": {"authorization_token": "the-right"},
            "accessChat": {"access_token": "the-door", "endpoint": self.base, "room_id": SPACE},
            "createBroadcast": self._made(),
            "publishBroadcast": {"success": True},
        }
        right = {"jwt": "the-pass"} if name == "loginTwitterToken" else {"cookie": "the-cookie"}
        if any(given.get(key) != value for key, value in right.items()):
            return web.Response(status=403)
        if name == "publishBroadcast":
            self.published.append(given)
        return self._answer(request, found[name])

    async def _guest(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        given, name = await request.json(), request.match_info["name"]
        if request.headers.get("Authorization") != "the-right":
            return web.Response(status=401)
        wish = given.get("session_uuid", "")
        if name == "request/submit":
            wish = f"wish-{len(self.wishes) + 1}"
            self.wishes.append(wish)
            return self._answer(request, {"session_uuid": wish})
        if name == "admin/endAudiospace":
            self.ended.append(given["broadcast_id"])
        elif wish not in self.wishes:
            return web.Response(status=404)
        if name == "request/cancel":
            self.withdrawn.append(wish)
        if name == "unmuteSpeaker":
            self.unmuted.append(wish)
        if name == "request/approve":
            self.approved.append(wish)
        if name == "stream/eject":
            self.ejected.append(given)
        gateway = {"webrtc_gw_url": self.gateway, "janus_jwt": "the-jwt"}
        return self._answer(request, gateway if name == "stream/negotiate" else {"success": True})

    async def _hls(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "master_playlist.m3u8":
            text = "#EXTM3U\n#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=96000\nlist.m3u8\n"
            return self._answer(request, text)
        if name == "list.m3u8":
            return self._answer(request, self.broadcast.playlist())
        lie = self.lies.get("piece")
        return web.Response(body=self.broadcast.piece(name) if lie is None else lie)

    async def _chat(self, request: web.Request) -> web.WebSocketResponse[Any]:
        ws: web.WebSocketResponse[Any] = web.WebSocketResponse()
        await ws.prepare(request)
        shown = [json.loads((await ws.receive_json())["payload"]) for _ in range(2)]
        if shown[0] != {"access_token": "the-door"}:
            await ws.close()
            return ws
        assert json.loads(shown[1]["body"]) == {"room": SPACE}
        self._chats.add(ws)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                break
        self._chats.discard(ws)
        return ws
