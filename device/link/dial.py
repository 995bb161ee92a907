"""From an address to an open session: connect, upgrade, shake hands.

Everything that can go wrong on the way becomes a ``LinkError`` with a sentence that
a person can act on. Nothing in here tries again.
"""

import asyncio
import errno
import secrets
import socket
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import WSMsgType

from device.link.candidates import MAX_CANDIDATES, Candidate, Source, admits
from device.link.tls import certificate_of, context, fingerprint
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import MAX_HUB_MESSAGE, DecodeError, decode_hub, encode
from stagebox.wire.handshake import HandshakeError, MemberHandshake, hub_transcript
from stagebox.wire.keys import Sign, is_signed
from stagebox.wire.messages import Challenge, Error, Hello, HubMessage, Welcome
from stagebox.wire.sni import server_name
from stagebox.wire.terms import Kind, Role

# One lost SYN is sent again after 1 s. Kept below the pause between tries, see reconnect.
CONNECT_S: Final = 1.5
# Connecting and the HTTP upgrade together.
DIAL_S: Final = 3.0
# The hub answers from memory; the rest is a slow network.
HANDSHAKE_S: Final = 5.0
# A peer that is alive answers a close at once; one that is dead never does.
CLOSE_S: Final = 0.3
# The kernel gives a silent connection up after this, so that none lingers for minutes.
USER_TIMEOUT_MS: Final = 4_000
# The certificate of now, the next, and none; an old one goes.
MAX_POOLS: Final = 3


class LinkError(Exception):
    """No connection, or no more; ``code`` where the hub said no, itself."""

    def __init__(
        self, detail: str, code: ErrorCode | None = None, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.retry_after_s = retry_after_s


class OtherHubError(LinkError):
    """A hub answered, but not ours."""

    def __init__(self, hub_id: str, url: str) -> None:
        super().__init__(
            f"Another hub ({hub_id[:8]}) answers at {url}; this box stays with its own."
        )
        self.hub_id = hub_id


class StrangeHubError(LinkError):
    """Who answered is not the hub that this box belongs to, or cannot prove it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a box says of itself in the handshake."""

    name: str
    kind: Kind
    role: Role
    software: str

    def handshake(self, key: str) -> MemberHandshake:
        """Return a fresh handshake; ``key`` is the public key in base64."""
        return MemberHandshake(
            key=key,
            nonce=secrets.token_hex(32),
            name=self.name,
            kind=self.kind,
            role=self.role,
            software=self.software,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A socket with an open session on it."""

    socket: aiohttp.ClientWebSocketResponse
    candidate: Candidate
    challenge: Challenge
    welcome: Welcome


def make_http(pin: str | None = None) -> aiohttp.ClientSession:
    """Return what opens the sockets: no proxy, no redirects, no cookies, no name cache.

    With ``pin``, nothing is sent to whoever shows another certificate.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=MAX_CANDIDATES,
            force_close=True,
            use_dns_cache=False,
            ttl_dns_cache=None,
            ssl=fingerprint(pin),
        ),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        middlewares=(_refuse_redirects,),
    )


class Lines:
    """The connections of a box: one pool for each certificate, at most ``MAX_POOLS``."""

    def __init__(self) -> None:
        self._pools: dict[str | None, aiohttp.ClientSession] = {}

    async def at(self, pin: str | None) -> aiohttp.ClientSession:
        """Return what opens sockets to whoever shows this certificate; None: to anybody."""
        if pin not in self._pools:
            self._pools[pin] = make_http(pin)
            while len(self._pools) > MAX_POOLS:
                await self._pools.pop(next(iter(self._pools))).close()
        return self._pools[pin]

    async def close(self) -> None:
        """Close them all."""
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()


async def open_socket(
    lines: Lines,
    candidate: Candidate,
    handshake: MemberHandshake,
    turn: asyncio.Lock,
    sign: Sign | None = None,
) -> Opened:
    """Dial the candidate and open a session there.

    ``turn`` is shared by all who race: only its holder says hello, so that two
    addresses of one hub never become two sessions. ``sign`` signs with the box's key, and is
    used where there is TLS.

    Raises:
        LinkError: with what went wrong, and the hub's code where it said no.
    """
    socket_ = await _dial(await lines.at(candidate.pin), candidate)
    try:
        if candidate.pin is not None and sign is not None:
            seen = certificate_of(socket_)
            handshake.seal(sign=sign, certificate=seen, hub_key=candidate.hub_key)
        challenge, hello = await _challenge(socket_, candidate, handshake)
        async with turn:
            welcome = await _welcome(socket_, candidate, handshake, hello)
        if candidate.pin is not None:
            _check_proof(candidate, challenge, hello, welcome, certificate_of(socket_))
    except BaseException:
        await hang_up(socket_)
        raise
    return Opened(socket_, candidate, challenge, welcome)


async def ask_who(lines: Lines, candidate: Candidate) -> Challenge:
    """Return who answers at the candidate's address, without opening a session there.

    Raises:
        LinkError: nobody, or no hub.
    """
    socket_ = await _dial(await lines.at(candidate.pin), candidate)
    try:
        message = await _receive(socket_, candidate)
    finally:
        await hang_up(socket_)
    if not isinstance(message, Challenge):
        raise LinkError(f"{candidate.url}: the hub did not say who it is.")
    return message


async def hang_up(socket_: aiohttp.ClientWebSocketResponse) -> None:
    """Close the socket within ``CLOSE_S``, whatever the other end does."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await socket_.close()
    except (TimeoutError, OSError, aiohttp.ClientError):
        return


def local_address(socket_: aiohttp.ClientWebSocketResponse) -> str:
    """Return this machine's address on the socket, without a scope; empty if it is gone."""
    name = socket_.get_extra_info("sockname")
    return str(name[0]).partition("%")[0] if name else ""


def refusal(error: Error) -> LinkError:
    """Return the hub's complaint as the reason for the end of a session."""
    return LinkError(f"The hub said: {error.detail}", error.code, error.retry_after_s)


async def _refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise aiohttp.RedirectClientError(request.url, "A hub does not redirect.")
    return response


async def _dial(
    http: aiohttp.ClientSession, candidate: Candidate
) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(DIAL_S):
            socket_ = await http.ws_connect(
                candidate.url,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                max_msg_size=MAX_HUB_MESSAGE,
                compress=0,
                ssl=True if candidate.pin is None else context(),
                server_hostname=None if candidate.pin is None else server_name(candidate.pin),
            )
    except aiohttp.ServerFingerprintMismatch:
        raise _strange(candidate) from None
    except (TimeoutError, OSError, ValueError, aiohttp.ClientError) as error:
        raise LinkError(f"{candidate.url}: {why(error)}") from None
    transport = socket_.get_extra_info("socket")
    if transport is not None:
        transport.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    return socket_


def _check_proof(
    candidate: Candidate, challenge: Challenge, hello: Hello, welcome: Welcome, seen: bytes
) -> None:
    """See to it that the hub holds the key that it names, where the box knew none before."""
    transcript = hub_transcript(challenge, hello, seen, welcome)
    if not is_signed(challenge.hub_key, welcome.signature, transcript):
        raise _strange(candidate)


def _strange(candidate: Candidate) -> LinkError:
    """Return what to tell of somebody else at an address.

    Whoever is on the network can announce one; at an address that was the hub's it is news.
    """
    kind = LinkError if candidate.source is Source.FOUND else StrangeHubError
    return kind(f"{candidate.url}: {STRANGE}")


async def _challenge(
    socket_: aiohttp.ClientWebSocketResponse, candidate: Candidate, handshake: MemberHandshake
) -> tuple[Challenge, Hello]:
    """Wait for the hub to say who it is, check that it is ours; return it and our answer."""
    message = await _receive(socket_, candidate)
    if isinstance(message, Challenge) and not admits(candidate, message.hub_id):
        raise OtherHubError(message.hub_id, candidate.url)
    hello = _feed(handshake, message, candidate)
    if handshake.challenge is None or hello is None:
        raise LinkError(f"{candidate.url}: the hub did not say who it is.")
    return handshake.challenge, hello


async def _welcome(
    socket_: aiohttp.ClientWebSocketResponse,
    candidate: Candidate,
    handshake: MemberHandshake,
    hello: Hello,
) -> Welcome:
    """Say who we are and wait for the session to open."""
    try:
        await socket_.send_str(encode(hello))
    except (OSError, aiohttp.ClientError):
        raise LinkError(f"{candidate.url}: the hub hung up during the handshake.") from None
    _feed(handshake, await _receive(socket_, candidate), candidate)
    if handshake.welcome is None:
        raise LinkError(f"{candidate.url}: the hub did not open the session.")
    return handshake.welcome


def _feed(handshake: MemberHandshake, message: HubMessage, candidate: Candidate) -> Hello | None:
    if isinstance(message, Error):
        raise refusal(message)
    try:
        return handshake.receive(message)
    except HandshakeError as error:
        detail = f"{candidate.url}: {error.detail}"
        if error.code is ErrorCode.IDENTITY and candidate.pin is not None:
            raise StrangeHubError(detail) from None
        raise LinkError(detail, error.code) from None


async def _receive(socket_: aiohttp.ClientWebSocketResponse, candidate: Candidate) -> HubMessage:
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            frame = await socket_.receive()
    except TimeoutError:
        detail = f"{candidate.url}: no handshake within {HANDSHAKE_S:.0f} s."
        raise LinkError(detail) from None
    if frame.type is not WSMsgType.TEXT:
        raise LinkError(f"{candidate.url}: the hub hung up during the handshake.")
    try:
        return decode_hub(frame.data)
    except DecodeError as error:
        detail = f"{candidate.url}: what answers there is no Stagebox hub ({error.detail})"
        raise LinkError(detail) from None


STRANGE: Final = "what answers there is not the hub that this box belongs to."
_REASONS: Final = {
    errno.ECONNREFUSED: "the machine is there, but no hub runs on it.",
    errno.ENETUNREACH: "this box has no network, or none that leads there.",
    errno.EHOSTUNREACH: "no machine answers at this address.",
    errno.ECONNRESET: "the connection was cut.",
}


def why(error: Exception) -> str:
    """Return what a failed connect means, in plain words."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "this name is not known on the network."
    if isinstance(error, TimeoutError):
        return "no answer in time."
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"a web server answers there, but no hub (HTTP {error.status})."
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "the hub's certificate cannot be trusted."
    if isinstance(error, OSError) and error.errno in _REASONS:
        return _REASONS[error.errno]
    return f"no connection ({type(error).__name__})."
