"""A Cast device that is none: it speaks the protocol over TLS, and really fetches what it plays.

Only its player is there (the default media receiver). The frames are those of the library's
own description of the protocol; what comes in them is as Google documents it.
"""

import asyncio
import contextlib
import datetime as dt
import json
import ssl
import struct
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pychromecast.generated.cast_channel_pb2 import CastMessage

ADDRESS: Final = "127.0.0.1"
PLAYER: Final = "CC1AD845"
_NS: Final = "urn:x-cast:com.google.cast."
_SESSION, _TRANSPORT = "session-1", "transport-1"
MAX_FRAME: Final = 65_536


class Device:
    """One device, always at the same port; use as a context. It may be killed and started."""

    def __init__(self, folder: Path) -> None:
        self.port = 0
        self.app = ""
        self.level = 0.5
        self.url = self.title = self.kind = ""
        self.state, self.reason = "IDLE", ""
        self.played: list[np.ndarray] = []
        self.loud_at = 0.0
        self.said: list[dict[str, Any]] = []
        self.refuses_load = self.is_deaf = False
        self._context = _certified(folder)
        self._writers: set[asyncio.StreamWriter] = set()
        self._fetching: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, ADDRESS, self.port, ssl=self._context
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        """Pull the plug."""
        self._rest()
        self.app = self.url = ""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        self._server = None
        await asyncio.sleep(0)

    @property
    def is_loud(self) -> bool:
        """Whether sound came lately."""
        return asyncio.get_running_loop().time() - self.loud_at < 0.6

    def press(self, state: str, reason: str = "") -> None:
        """Stop or pause it, as a person does who is there."""
        self._rest()
        self.state, self.reason = state, reason
        self._tell_media()

    def ask_for(self, app: str) -> None:
        """Start something else on it, or (``""``) nothing."""
        self._rest()
        self.app, self.url = app, ""
        self._tell_status()

    def turn(self, level: float) -> None:
        """Turn its knob."""
        self.level = level
        self._tell_status()

    # --- private --------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                assert size <= MAX_FRAME
                message = CastMessage.FromString(await reader.readexactly(size))
                if not self.is_deaf:
                    self._hear(writer, message)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _hear(self, writer: asyncio.StreamWriter, message: CastMessage) -> None:
        data = json.loads(message.payload_utf8)
        space, kind = message.namespace.removeprefix(_NS), data["type"]
        self.said.append(data)
        number = data.get("requestId", 0)
        match space, kind:
            case "tp.heartbeat", "PING":
                self._send(writer, space, {"type": "PONG"})
            case "receiver", "GET_STATUS":
                self._send(writer, space, self._status(number))
            case "receiver", "LAUNCH":
                self.app = data["appId"]
                self._send(writer, space, self._status(number))
            case "receiver", "SET_VOLUME":
                self.level = float(data["volume"]["level"])
                self._send(writer, space, self._status(number))
            case "receiver", "STOP":
                self._rest()
                self.app = self.url = ""
                self._send(writer, space, self._status(number))
            case "media", "LOAD":
                self._load(writer, data["media"], number)
            case "media", "GET_STATUS":
                self._send(writer, space, self._media(number), _TRANSPORT)
            case _:
                pass

    def _load(self, writer: asyncio.StreamWriter, media: dict[str, Any], number: int) -> None:
        assert media["streamType"] == "LIVE"
        if self.refuses_load:
            failed = {"type": "LOAD_FAILED", "requestId": number, "itemId": 1}
            self._send(writer, "media", failed, _TRANSPORT)
            return
        self.url, self.kind = media["contentId"], media["contentType"]
        self.title = media["metadata"]["title"]
        self.state, self.reason = "BUFFERING", ""
        self._send(writer, "media", self._media(number), _TRANSPORT)
        self._fetching = asyncio.create_task(self._fetch(self.url))

    async def _fetch(self, url: str) -> None:
        """Play what there is at an address: fetched, and decoded to be sure that it is sound."""
        codec = av.CodecContext.create("mp3", "r")
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                async for piece in answer.content.iter_any():
                    sound = _decoded(codec, piece)
                    self.played.append(sound)
                    if sound.size and np.abs(sound).max() > 0.01:
                        self.loud_at = asyncio.get_running_loop().time()
                        if self.state != "PLAYING":
                            self.state = "PLAYING"
                            self._tell_media()
        self.state, self.reason = "IDLE", "ERROR"
        self._tell_media()

    def _rest(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
        self._fetching, self.state, self.reason = None, "IDLE", "CANCELLED"

    def _status(self, number: int) -> dict[str, Any]:
        player = {
            "appId": self.app,
            "displayName": "Player",
            "namespaces": [{"name": f"{_NS}media"}] if self.app == PLAYER else [],
            "sessionId": _SESSION,
            "statusText": "",
            "transportId": _TRANSPORT,
        }
        status = {
            "volume": {"level": self.level, "muted": False, "controlType": "master"},
            "applications": [player] if self.app else [],
        }
        return {"type": "RECEIVER_STATUS", "requestId": number, "status": status}

    def _media(self, number: int) -> dict[str, Any]:
        status = {
            "mediaSessionId": 1,
            "playerState": self.state,
            "currentTime": 0,
            "supportedMediaCommands": 15,
            "media": {"contentId": self.url, "contentType": self.kind, "streamType": "LIVE"},
            **({"idleReason": self.reason} if self.reason else {}),
        }
        found = [status] if self.url else []
        return {"type": "MEDIA_STATUS", "requestId": number, "status": found}

    def _tell_media(self) -> None:
        for writer in self._writers:
            self._send(writer, "media", self._media(0), _TRANSPORT)

    def _tell_status(self) -> None:
        for writer in self._writers:
            self._send(writer, "receiver", self._status(0))

    def _send(
        self,
        writer: asyncio.StreamWriter,
        space: str,
        data: dict[str, Any],
        source: str = "receiver-0",
    ) -> None:
        message = CastMessage(
            protocol_version=CastMessage.CASTV2_1_0,
            source_id=source,
            destination_id="*" if not data.get("requestId") else "sender-0",
            namespace=_NS + space,
            payload_type=CastMessage.STRING,
            payload_utf8=json.dumps(data),
        )
        self.send_raw(writer, message.SerializeToString())

    @staticmethod
    def send_raw(writer: asyncio.StreamWriter, frame: bytes) -> None:
        if not writer.is_closing():
            writer.write(struct.pack(">I", len(frame)) + frame)


def _decoded(codec: Any, piece: bytes) -> np.ndarray:  # noqa: ANN401 - a class without types
    sound = [np.zeros(0, np.float32)]
    for packet in codec.parse(piece):
        with contextlib.suppress(av.error.InvalidDataError):  # the tags before the sound
            sound += [frame.to_ndarray()[0] for frame in codec.decode(packet)]
    return np.concatenate(sound)


def _certified(folder: Path) -> ssl.SSLContext:
    """Return what a device shows: a certificate that nobody signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "device.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
