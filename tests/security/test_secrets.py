"""No secret gets into a log: a hub that logs all it can, and one secret of each kind."""

import asyncio
import base64
import json
import re
import secrets
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from stagebox.wire.messages import MediaAnswer
from tests.security.intruder import Intruder, attribute
from tests.support.crew import Hub, free_port
from tests.support.processes import family

pytestmark = pytest.mark.timeout(120)

SETTINGS: Final = """
[web]
secure_port = {secure}
[[space]]
id = "main"
name = "Main"
mode = "open"
"""
MOST_CHARACTERS: Final = 512


@dataclass
class Evening:
    """What a hub wrote, and what must not be in it."""

    log: str = ""
    processes: str = ""
    data: Path = Path()
    secrets: dict[str, str] = field(default_factory=dict)

    def keep(self, what: str, secret: str) -> str:
        assert len(secret) >= 6, what
        self.secrets[what] = secret
        return secret


class Visitor:
    """Talks to the hub's API and keeps what it says secret."""

    def __init__(self, hub: Hub, http: aiohttp.ClientSession) -> None:
        self.base, self.http = hub.http + "/api/v1", http

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        async with self.http.request(method, self.base + path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, (path, answer.status, text)
            found: dict[str, Any] = json.loads(text) if text else {}
            return found

    async def is_refused(self, method: str, path: str, body: object) -> None:
        async with self.http.request(method, self.base + path, json=body) as answer:
            assert 400 <= answer.status < 500


async def _use(hub: Hub, evening: Evening) -> None:
    """Let everything secret pass through the hub."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        visitor = Visitor(hub, http)
        await visitor.ask("PUT", "/me", {"name": evening.keep("a name", "Canary Underwood")})
        password = evening.keep("a password", secrets.token_urlsafe(12))
        await visitor.ask("POST", "/setup", {"password": password})
        wrong = evening.keep("a wrong password", secrets.token_urlsafe(12))
        await visitor.is_refused("POST", "/login", {"password": wrong})
        await visitor.ask("POST", "/login", {"password": password})
        topic = evening.keep("the body of a request", "Canary " + secrets.token_hex(8))
        await visitor.ask("PATCH", "/spaces/main", {"topic": topic})
        invite = await visitor.ask("POST", "/spaces/main/invites", {})
        evening.keep("an invitation's token", invite["token"])
        evening.keep("an invitation's code", f" {invite['code']} ")
        await visitor.ask("POST", "/codes", {"code": invite["code"]})
        await visitor.is_refused("POST", "/codes", {"code": invite["code"], "what": topic})
        hook = await visitor.ask("POST", "/webhooks", {"url": "http://127.0.0.1:9/canary"})
        if "secret" in hook:
            evening.keep("a webhook's secret", hook["secret"])
        for cookie in jar:
            evening.keep(f"the cookie {cookie.key}", cookie.value)
    async with Intruder(hub.url, "127.0.5.7", "Mallory", space="main") as mallory:
        offer = await mallory.offer()
        answer = await mallory.answer_to(offer)
        assert isinstance(answer, MediaAnswer)
        for who, sdp in (("a member's", offer), ("the hub's", answer.sdp)):
            evening.keep(f"{who} ICE password", attribute(sdp, "ice-pwd"))
            evening.keep(f"{who} fingerprint", attribute(sdp, "fingerprint").split()[1])
        await mallory.peer.accept(answer.sdp)
        await mallory.peer.wait_connected(20)
        said = evening.keep("a payload", "canary-" + secrets.token_hex(8))
        mallory.speak(b"\x78" + said.encode())
        broken = offer.replace("a=fingerprint:", "a=fingerprint:sha-1 ")
        await mallory.answer_to(broken)
        for number in range(3):
            await mallory.line.send_str(f'{{"t":"{topic}","n":{number}}}')
        await asyncio.sleep(0.5)


def _keys(data: Path, evening: Evening) -> None:
    """Add the private keys that lie in the hub's folder."""
    for path in data.rglob("*"):
        if not path.is_file() or path.suffix in {".sqlite3", ".sqlite3-wal", ".sqlite3-shm"}:
            continue
        raw = path.read_bytes()
        for number, found in enumerate(re.findall(rb"[A-Za-z0-9+/=]{40,}", raw)):
            evening.keep(f"{path.name}, {number}", found.decode())
        if 16 <= len(raw) <= 64:
            evening.keep(f"{path.name} in hex", raw.hex())
            evening.keep(f"{path.name} in base64", base64.b64encode(raw).decode())


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    folder = tmp_path_factory.mktemp("secrets")
    evening = Evening()
    settings = folder / "hub.toml"
    settings.write_text(SETTINGS.format(secure=free_port()))
    hub = Hub(folder, free_port(), extra=("--open", "--config", str(settings), "--verbose"))
    try:
        hub.wait_up()
        evening.data = folder / "hub"
        asyncio.run(_use(hub, evening))
        _keys(evening.data, evening)
        for pid in family(hub.pid):
            for name in ("cmdline", "environ"):
                raw = Path(f"/proc/{pid}/{name}").read_bytes()
                evening.processes += raw.replace(b"\0", b"\n").decode(errors="replace")
        hub.process.send_signal(signal.SIGABRT)  # it dies as it would of a fault of ours
        hub.process.wait(20)
    finally:
        hub.stop()
    evening.log = hub.logged()
    return evening


def test_no_secret_is_in_the_log(evening: Evening) -> None:
    found = [what for what, secret in evening.secrets.items() if secret in evening.log]
    assert not found
    assert len(evening.secrets) > 12
    assert "hub.app" in evening.log, "the hub wrote its log somewhere else"


def test_no_secret_is_in_the_list_of_processes(evening: Evening) -> None:
    found = [what for what, secret in evening.secrets.items() if secret in evening.processes]
    assert not found
    assert "stagebox" in evening.processes


def test_lines_are_short_and_printable(evening: Evening) -> None:
    # What the interpreter itself says as it dies is not ours.
    ours, _, _ = evening.log.partition("Fatal Python error")
    for line in ours.splitlines():
        assert len(line) <= MOST_CHARACTERS
        assert line.isprintable()


def test_what_is_kept_is_kept_from_others(evening: Evening) -> None:
    for path in (evening.data, *evening.data.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077, f"{path.name} has mode {mode:o}"


def test_passwords_are_kept_as_hashes(evening: Evening) -> None:
    for path in (each for each in evening.data.rglob("*") if each.is_file()):
        raw = path.read_bytes()
        for what in ("a password", "a wrong password"):
            assert evening.secrets[what].encode() not in raw, path.name


def test_the_search_finds_what_is_there(evening: Evening) -> None:
    """A canary that is in the log on purpose: the hub's own port."""
    assert re.search(r"listens on port \d+", evening.log)


def test_nothing_secret_is_asked_for_on_a_command_line() -> None:
    for program in ("hub", "box"):
        text = subprocess.run(
            [sys.executable, "-m", "stagebox", program, "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        assert not re.search(r"--\S*(password|secret|psk|passphrase)", text)
