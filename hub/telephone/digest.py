"""Passwords over SIP: digests (RFC 7616, as RFC 3261 has them), asked for and given. Pure.

Telephones of today know MD5 only, so that is what is asked for. The nonce carries its time
and a seal over it and over who was asked, so that nothing has to be kept for whoever never
answers; what was answered once is not taken twice.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.telephone.message import split

REALM: Final = "stagebox"
# From the question to the answer of a telephone: two ways over a bad line.
FRESH_S: Final = 60.0
# Answers that are remembered for as long; more in a minute are floods, and then old ones go.
_REMEMBERED: Final = 4_096
_MAX_TEXT: Final = 512


class Verdict(StrEnum):
    """What an answer is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    STALE = "stale"  # it may be right; ask again


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password."""

    user: str
    password: str


class Doorkeeper:
    """Asks for passwords and checks them. ``secret``: nobody else's."""

    def __init__(self, users: Mapping[str, str], secret: bytes) -> None:
        self._users = users
        self._secret = secret
        self._used: dict[tuple[str, str], None] = {}

    def challenge(self, address: str, now: float, *, stale: bool = False) -> str:
        """Return the question for whoever is at ``address``."""
        again = ", stale=true" if stale else ""
        nonce = self._nonce(address, int(now))
        return f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"{again}'

    def check(self, header: str, method: str, address: str, now: float) -> tuple[Verdict, str]:
        """Return what an answer is worth, and whose it is."""
        given = parameters(header)
        user = given.get("username", "")
        password = self._users.get(user)
        nonce = given.get("nonce", "")
        if not self._is_ours(nonce, address):
            return Verdict.STALE, user
        # A password is computed for strangers, too: how long it takes tells nothing.
        wanted = _response(given, Login(user, password or "?"), method)
        right = hmac.compare_digest(wanted.encode(), given.get("response", "").encode())
        if password is None or not right or given.get("qop") != "auth":
            return Verdict.WRONG, user
        if now - int(nonce.partition(".")[0]) > FRESH_S or not self._is_first(given):
            return Verdict.STALE, user
        return Verdict.RIGHT, user

    def _nonce(self, address: str, at: int) -> str:
        seal = hmac.new(self._secret, f"{at} {address}".encode(), hashlib.sha256)
        return f"{at}.{seal.hexdigest()[:32]}"

    def _is_ours(self, nonce: str, address: str) -> bool:
        at = nonce.partition(".")[0]
        if not (at.isascii() and at.isdigit() and len(at) <= 12):
            return False
        return hmac.compare_digest(nonce.encode(), self._nonce(address, int(at)).encode())

    def _is_first(self, given: Mapping[str, str]) -> bool:
        key = (given.get("nonce", ""), given.get("nc", "") + given.get("cnonce", ""))
        if key in self._used:
            return False
        self._used[key] = None
        if len(self._used) > _REMEMBERED:
            del self._used[next(iter(self._used))]
        return True


def answer(challenge: str, login: Login, method: str, uri: str, cnonce: str) -> str | None:
    """Return the answer to somebody's question; None: it asks for what nobody here knows."""
    asked = parameters(challenge)
    algorithm = asked.get("algorithm", "MD5")
    offered = [each.strip() for each in asked.get("qop", "").split(",") if each.strip()]
    known = algorithm.upper() in _HASHES and (not offered or "auth" in offered)
    if not challenge.lower().startswith("digest ") or not known or "nonce" not in asked:
        return None
    given = {
        "username": login.user,
        "realm": asked.get("realm", ""),
        "nonce": asked["nonce"],
        "uri": uri,
        "algorithm": algorithm,
    }
    if offered:
        given |= {"qop": "auth", "nc": "00000001", "cnonce": cnonce}
    given["response"] = _response(given, login, method)
    if "opaque" in asked:
        given["opaque"] = asked["opaque"]
    plain = {"algorithm", "qop", "nc"}
    pairs = (
        f"{key}={value}" if key in plain else f'{key}="{value}"' for key, value in given.items()
    )
    return "Digest " + ", ".join(pairs)


def parameters(header: str) -> dict[str, str]:
    """Return what stands behind the scheme of a header, names in lower case."""
    found = {}
    for item in split(header.partition(" ")[2])[:32]:
        key, _, value = item.partition("=")
        found[key.strip().lower()] = value.strip().strip('"')[:_MAX_TEXT]
    return found


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_HASHES: Final = {"MD5": _md5, "SHA-256": _sha256}


def _response(given: Mapping[str, str], login: Login, method: str) -> str:
    hashed = _HASHES.get(given.get("algorithm", "MD5").upper(), _md5)
    secret = hashed(f"{login.user}:{given.get('realm', '')}:{login.password}")
    what = hashed(f"{method}:{given.get('uri', '')}")
    nonce = given.get("nonce", "")
    if "qop" not in given:
        return hashed(f"{secret}:{nonce}:{what}")
    counted = f"{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
    return hashed(f"{secret}:{nonce}:{counted}:{what}")
