"""A space as a stream: what is said into it comes out of any player's address, and never stops."""

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub.recording.ogg import read_pages
from hub.recording.opusfile import SILENCE
from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE, Pcm
from tests.support import icecast
from tests.support.crew import Box, Hub, free_port, running, wait_until
from tests.support.icecast import Icecast
from tests.support.voices import speaker
from tests.unit.hub.recording_kit import decoded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SETTINGS = """
[web]
secure_port = 0

[streams]
listeners = 3

[[space]]
id = "main"
name = "Main"
mode = "walkie"
"""
PATH = "/api/v1/spaces/main/stream.opus"
PASSWORD = "eight letters"
_LIKE = 0.9
_PRESS = "2 talk down\n6 talk up\n"


class Listener(threading.Thread):
    """A player of the old kind (HTTP/1.0): reads until somebody ends it."""

    def __init__(self, server: Hub | Icecast, path: str = PATH) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self.data = b""
        self.start()

    def run(self) -> None:
        # What comes after `stop` is a reset.
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65_536):
                self.data += piece

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.join(5)
        self.socket.close()

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    def samples(self) -> m.Samples:
        """Return what a player makes of it, which is somebody else's decoder."""
        return (decoded(self.body) / 32_768).astype(np.float32)


class Chief:
    """The hub's administrator, with a session."""

    def __init__(self, hub: Hub) -> None:
        self.base = f"{hub.http}/api/v1"
        self.told = b""
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.ask("POST", "/setup", {"password": PASSWORD})

    def ask(self, method: str, path: str, body: object = None) -> int:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path,
            data,
            {"Content-Type": "application/json", "Origin": self.base.removesuffix("/api/v1")},
            method=method,
        )
        try:
            with self.opener.open(request, timeout=20) as answer:
                self.told = answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def station(self) -> dict[str, str]:
        """Return how the one station of the space is."""
        assert self.ask("GET", "/spaces/main/streams") == 200
        (found,) = json.loads(self.told)["stations"]
        return dict(found)


def alike(said: Pcm, heard: m.Samples) -> float:
    """Return how whole two seconds of the burst were heard."""
    spoken = (said / 32768).astype(np.float32)
    return m.best_lag(spoken[3 * SAMPLE_RATE : 5 * SAMPLE_RATE], heard)[1]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = tmp_path / "hub.toml"
    settings.write_text(SETTINGS)
    hub = Hub(tmp_path, free_port(), extra=("--config", str(settings)))
    try:
        yield hub.wait_up()
    finally:
        hub.stop()


def status_of(hub: Hub) -> int:
    try:
        with urllib.request.urlopen(hub.http + PATH) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_what_a_box_says_comes_out_of_a_player(tmp_path: Path, hub: Hub) -> None:
    assert status_of(hub) == 404
    chief = Chief(hub)
    assert chief.ask("PATCH", "/spaces/main", {"streamed": True}) == 204
    early = Listener(hub)
    said = speaker(1, 8.0)
    mouth = Box(tmp_path, "Mouth", hub.url, mic=said, script=_PRESS, wait_joined=30)
    with running(mouth):
        mouth.wait_for(lambda one: one.last_state("floor") == "live", 40, "on air")
        began = time.monotonic()
        late = Listener(hub)
        mouth.wait_for(lambda one: one.last_state("floor") == "idle_free", 40, "let go")
        time.sleep(3.0)
        heard_for = time.monotonic() - began
    assert chief.ask("PATCH", "/spaces/main", {"streamed": False}) == 204
    for listener in (early, late):
        listener.join(5)
        assert not listener.is_alive()
        listener.stop()
        assert alike(said, listener.samples()) > _LIKE
    assert late.samples().size / SAMPLE_RATE > heard_for - 1.0
    assert status_of(hub) == 404


def test_players_of_today_get_it_in_chunks(hub: Hub) -> None:
    assert Chief(hub).ask("PATCH", "/spaces/main", {"streamed": True}) == 204
    with urllib.request.urlopen(hub.http + PATH, timeout=20) as answer:
        assert answer.headers["Content-Type"] == "audio/ogg; codecs=opus"
        assert answer.headers["Transfer-Encoding"] == "chunked"
        pages = read_pages(answer.read(2_000))
    packets = [packet for _at, page in pages for packet in page.packets]
    assert packets[0].startswith(b"OpusHead")
    assert SILENCE in packets


def test_no_more_listen_than_the_settings_say(hub: Hub) -> None:
    assert Chief(hub).ask("PATCH", "/spaces/main", {"streamed": True}) == 204
    listeners = [Listener(hub) for _ in range(3)]
    wait_until(lambda: all(each.body for each in listeners), 20, "all three hear it")
    assert status_of(hub) == 503
    assert hub.metric("stagebox_stream_listeners", space="main") == 3
    listeners.pop().stop()
    wait_until(lambda: hub.metric("stagebox_stream_listeners") == 2, 20, "one is gone")
    listeners.append(Listener(hub))
    wait_until(lambda: listeners[-1].body, 20, "there is room for another")
    for each in listeners:
        each.stop()


def test_who_goes_without_a_word_is_noticed_and_nobody_else_notices(hub: Hub) -> None:
    assert Chief(hub).ask("PATCH", "/spaces/main", {"streamed": True}) == 204
    reader = Listener(hub)
    with socket.create_connection(("127.0.0.1", hub.port)) as asleep:
        asleep.sendall(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        wait_until(lambda: hub.metric("stagebox_stream_listeners") == 2, 20, "both are there")
    # It went without a word; the next page that cannot be sent says so.
    wait_until(lambda: hub.metric("stagebox_stream_listeners") == 1, 20, "one is gone")
    heard = len(reader.body)
    wait_until(lambda: len(reader.body) > heard, 20, "the other goes on hearing")
    reader.stop()


STATION = """
[[streams.icecast]]
space = "main"
url = "http://127.0.0.1:{port}/stream.opus"
password = "{password}"
"""


@pytest.mark.skipif(not icecast.is_here(), reason="Icecast is not installed: apt install icecast2")
def test_an_icecast_server_is_fed_and_found_again(tmp_path: Path) -> None:
    settings, port = tmp_path / "hub.toml", free_port()
    settings.write_text(SETTINGS + STATION.format(port=port, password="source"))
    hub = Hub(tmp_path, free_port(), extra=("--config", str(settings)))
    said = speaker(1, 8.0)
    try:
        chief = Chief(hub.wait_up())
        assert chief.station()["state"] == "off"
        assert chief.ask("PATCH", "/spaces/main", {"streamed": True}) == 204
        wait_until(lambda: chief.station()["state"] == "down", 20, "there is no server yet")
        with Icecast(tmp_path, port=port) as server:
            wait_until(lambda: chief.station()["state"] == "up", 20, "it is fed")
            time.sleep(2.0)
            assert chief.station() == {"url": server.url, "state": "up", "detail": ""}
            player = Listener(server, server.path)
            mouth = Box(tmp_path, "Mouth", hub.url, mic=said, script=_PRESS, wait_joined=30)
            with running(mouth):
                mouth.wait_for(lambda one: one.last_state("floor") == "live", 40, "on air")
                mouth.wait_for(lambda one: one.last_state("floor") == "idle_free", 40, "let go")
                time.sleep(3.0)
            player.stop()
            assert alike(said, player.samples()) > _LIKE
        wait_until(lambda: chief.station()["state"] == "down", 5, "it is known to be gone")
        with Icecast(tmp_path, port=port) as server:
            wait_until(lambda: chief.station()["state"] == "up", 15, "it is fed again")
            again = Listener(server, server.path)
            wait_until(lambda: len(again.body) > 2_000, 20, "it plays again")
            again.stop()
            assert chief.ask("PATCH", "/spaces/main", {"streamed": False}) == 204
            wait_until(lambda: chief.station()["state"] == "off", 10, "nobody wants it")
    finally:
        hub.stop()


@pytest.mark.skipif(not icecast.is_here(), reason="Icecast is not installed: apt install icecast2")
def test_a_wrong_password_is_said_so_and_never_written_down(tmp_path: Path) -> None:
    settings = tmp_path / "hub.toml"
    with Icecast(tmp_path) as server:
        secret = "not-what-it-takes"
        settings.write_text(SETTINGS + STATION.format(port=server.port, password=secret))
        hub = Hub(tmp_path, free_port(), extra=("--config", str(settings), "--verbose"))
        try:
            chief = Chief(hub.wait_up())
            assert chief.ask("PATCH", "/spaces/main", {"streamed": True}) == 204
            wait_until(lambda: chief.station()["state"] == "refused", 20, "it is refused")
            assert "password" in chief.station()["detail"]
        finally:
            hub.stop()
        assert secret not in hub.logged()
        assert "does not take this password" in hub.logged()
