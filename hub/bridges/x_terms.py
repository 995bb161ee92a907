"""What is asked of X Spaces: where each thing is asked for, by whose session, and how. Pure.

None of it is official: it is what is publicly known of the web client. So every address
stands in one table, which the settings can replace when X moves something.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from hub.bridges.terms import Cause, FarError

RISK: Final = (
    "This way into X Spaces is unofficial: X may suspend the account that it uses."
    " Take a spare one."
)
MAX_SESSION: Final = 16 * 1024
Body = Mapping[str, Any]
Address = Annotated[str, Meta(min_length=8, max_length=500, pattern=r"^https?://[\x21-\x7e]+\Z")]

_SPACE: Final = re.compile(r"^/i/spaces/([A-Za-z0-9]{1,32})(?:/.*)?\Z")
_SECRET: Final = re.compile(r"^[\x21-\x3a\x3c-\x7e]{8,2000}\Z")  # neither spaces nor ";"
_MEDIA_KEY: Final = re.compile(r"^[A-Za-z0-9_-]{1,100}\Z")
_SESSION_KEYS: Final = ("auth_token", "ct0", "bearer")
# Where in the broadcast an act belongs, of which X's own clients say so while it is live.
_NOW: Final = "2208988800002000000"
# Names the web client to the service that gives out Periscope's cookies; no secret.
_VENDOR: Final = "m5-proxsee-login-a2011357b73e"


class Endpoints(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where everything is (the ``[x.endpoints]`` table). The first two hold ids that move."""

    space: Address = "https://x.com/i/api/graphql/Tvv_cNXCbtTcgdy1vWYPMw/AudioSpaceById"
    periscope: Address = "https://x.com/i/api/graphql/r7VUmxbfqNkx7uwjgONSNw/AuthenticatePeriscope"
    stream: Address = "https://x.com/i/api/1.1/live_video_stream/status"
    proxsee: Address = "https://proxsee.pscp.tv/api/v2"
    guest: Address = "https://guest.pscp.tv/api/v1/audiospace"
    region: Address = "https://signer.pscp.tv/region"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's own session with X, as their browser has it. Never shown."""

    auth_token: str = field(repr=False)
    ct0: str = field(repr=False)
    bearer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One question. ``what``: its name for people; ``body`` None: a GET."""

    what: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = field(default=None, repr=False)


def session_of(text: str) -> Session:
    """Return the session that a file holds; see the guide for how it is written.

    Raises:
        FarError: it holds none. The text never quotes the file.
    """
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        found = {}
    words = [found.get(key) for key in _SESSION_KEYS]
    for key, word in zip(_SESSION_KEYS, words, strict=True):
        if not isinstance(word, str) or not _SECRET.match(word):
            why = f'The file of the session with X must have a line {key} = "…": see the guide.'
            raise FarError(Cause.WRONG_SECRET, why)
    return Session(*map(str, words))


def space_id(url: str) -> str:
    """Return the id of the Space that a link leads to; empty: it leads to none."""
    found = _SPACE.match(urlsplit(url).path)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Web:
    """What is asked of X itself, with the session of the user."""

    at: Endpoints
    session: Session

    def space(self, space: str) -> Request:
        """Ask for a Space: its state, its people, and the key of its sound."""
        wish = {
            "id": space,
            "isMetatagsQuery": False,
            "withReplays": False,
            "withListeners": False,
        }
        query = {"variables": msgspec.json.encode(wish).decode(), "features": "{}"}
        return Request("this Space", self.at.space, self._headers, query)

    def stream(self, media_key: str) -> Request:
        """Ask for where it is heard, and for the token of its chat."""
        if not _MEDIA_KEY.match(media_key):
            raise FarError(Cause.BAD_ANSWER, "X gives this Space no key of its sound.")
        url = f"{self.at.stream}/{media_key}"
        return Request("the sound of this Space", url, self._headers, {"client": "web"})

    def periscope(self) -> Request:
        """Ask for a pass to the service that carries Spaces."""
        query = {"variables": "{}", "features": "{}"}
        return Request("a pass", self.at.periscope, self._headers, query)

    @property
    def _headers(self) -> dict[str, str]:
        own = self.session
        return {
            "Authorization": f"Bearer {own.bearer}",
            "Cookie": f"auth_token={own.auth_token}; ct0={own.ct0}",
            "X-Csrf-Token": own.ct0,
            "X-Twitter-Active-User": "yes",
            "X-Twitter-Auth-Type": "OAuth2Session",
        }


@dataclass(frozen=True, slots=True)
class Service:
    """What is asked of the service that carries Spaces, before anybody speaks."""

    at: Endpoints

    def login(self, jwt: str) -> Request:
        """Show the pass of X; the answer is a cookie, and who we are."""
        return self._ask("loginTwitterToken", jwt=jwt, vendor_id=_VENDOR, create_user=True)

    def authorize(self, cookie: str) -> Request:
        """Ask for the right to ask for the floor."""
        return self._ask("authorizeToken", cookie=cookie, service="guest")

    def chat(self, cookie: str, chat_token: str) -> Request:
        """Ask for the way into the chat, by which everything is told."""
        return self._ask("accessChat", cookie=cookie, chat_token=chat_token)

    def _ask(self, name: str, **body: object) -> Request:
        return Request(name, f"{self.at.proxsee}/{name}", {}, body=body)


@dataclass(frozen=True, slots=True)
class Guest:
    """What somebody asks who wants to speak, or speaks."""

    at: Endpoints
    authorization: str = field(repr=False)
    space: str
    chat_token: str = field(repr=False)

    def submit(self) -> Request:
        """Ask for the floor over there; the answer is the id of the wish."""
        return self._ask("request/submit", broadcast_id=self.space, chat_token=self.chat_token)

    def cancel(self, wish: str) -> Request:
        """Ask for it no more."""
        return self.of("request/cancel", wish)

    def negotiate(self, wish: str) -> Request:
        """Ask for the gateway through which one speaks."""
        return self._ask("stream/negotiate", session_uuid=wish)

    def mute(self, wish: str, *, muted: bool) -> Request:
        """Be shown as muted, or not."""
        return self.of("muteSpeaker" if muted else "unmuteSpeaker", wish)

    def of(self, name: str, wish: str) -> Request:
        """Ask something about a wish, or about whoever speaks by it."""
        return self._ask(
            name,
            ntpForBroadcasterFrame=_NOW,
            ntpForLiveFrame=_NOW,
            broadcast_id=self.space,
            session_uuid=wish,
            chat_token=self.chat_token,
        )

    def _ask(self, name: str, **body: object) -> Request:
        headers = {"Authorization": self.authorization}
        return Request(name, f"{self.at.guest}/{name}", headers, body=body)
