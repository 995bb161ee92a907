"""A space in the formats that players of all kinds take, heard by decoders that are not ours."""

import io
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest

from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE
from tests.support.crew import Box, Hub, free_port, running, wait_until
from tests.support.hls_player import Player
from tests.support.processes import commands
from tests.support.voices import speaker
from tests.system.test_streams import Chief, Listener

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

BASE = "/api/v1/spaces/main"
SETTINGS = """
[web]
secure_port = 0

[streams]
listeners = 6
encoders = 2

[[space]]
id = "main"
name = "Main"
mode = "walkie"
"""
_LIKE = 0.9
# Two talkers, one after the other, silence before and after each.
_FIRST, _SECOND = "2 talk down\n7 talk up\n", "2 talk down\n5 talk up\n"


@dataclass
class Sound:
    """What a decoder made of a stream; ``jumps``: where its time did not go on evenly."""

    samples: np.ndarray
    jumps: list[float] = field(default_factory=list)


def decode(data: bytes, *, rounding_s: float = 0.0) -> Sound:
    pieces, jumps = [], []
    until: float | None = None
    with av.open(io.BytesIO(data)) as container:
        for frame in container.decode(audio=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            at = float(frame.pts * frame.time_base)
            if until is not None and abs(at - until) > rounding_s + 1e-6:
                jumps.append(at)
            until = at + frame.samples / frame.sample_rate
            plane = frame.to_ndarray()[0].astype(np.float32)
            pieces.append(plane / 32_768 if frame.format.name.startswith("s16") else plane)
    return Sound(np.concatenate(pieces), jumps)


def get(hub: Hub, path: str) -> tuple[bytes, dict[str, str]]:
    with urllib.request.urlopen(f"{hub.http}{BASE}/{path}", timeout=30) as answer:
        return answer.read(), dict(answer.headers)


def refused(hub: Hub, path: str) -> tuple[int, str]:
    try:
        get(hub, path)
    except urllib.error.HTTPError as error:
        return error.code, str(json.loads(error.read())["code"])
    return 200, ""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = tmp_path / "hub.toml"
    settings.write_text(SETTINGS)
    hub = Hub(tmp_path, free_port(), extra=("--config", str(settings)))
    try:
        assert Chief(hub.wait_up()).ask("PATCH", "/spaces/main", {"streamed": True}) == 204
        yield hub
    finally:
        hub.stop()


def coders(hub: Hub) -> list[str]:
    """Return what the hub's processes encode."""
    lines = commands(hub.pid).values()
    return sorted(line[-2].decode() for line in lines if b"hub.crowd.coder" in line)


def spoken(heard: np.ndarray) -> list[np.ndarray]:
    """Return two seconds of the first talker and one of the last, as players heard them."""
    loud = np.flatnonzero(np.abs(heard) > 0.03)
    first, last = int(loud[0]), int(loud[-1])
    return [heard[first + SAMPLE_RATE : first + 3 * SAMPLE_RATE], heard[last - SAMPLE_RATE : last]]


def test_two_talkers_and_the_silence_between_in_every_format(tmp_path: Path, hub: Hub) -> None:
    plain = [Listener(hub, f"{BASE}/stream.{kind}") for kind in ("opus", "mp3", "aac", "aac")]
    players = {kind: Player(f"{hub.http}{BASE}/hls/{kind}/") for kind in ("opus", "aac")}
    wait_until(lambda: all(each.body for each in plain), 60, "all hear something")
    assert coders(hub) == ["aac", "mp3"]
    for number, script in ((1, _FIRST), (2, _SECOND)):
        sound = speaker(number, 8.0)
        name = f"Box{number}"
        box = Box(tmp_path, name, hub.url, mic=sound, script=script, wait_joined=30)
        with running(box):
            box.wait_for(lambda one: one.last_state("floor") == "live", 120, "on air")
            box.wait_for(lambda one: one.last_state("floor") == "idle_free", 120, "let go")
    late = Listener(hub, f"{BASE}/stream.mp3")
    wait_until(lambda: late.body, 60, "who comes late hears something")
    far = len(plain[0].body) + 5_000
    wait_until(lambda: len(plain[0].body) > far, 60, "silence goes on")
    for each in (*plain, late, *players.values()):
        each.stop()
    assert [each.broke for each in players.values()] == [None, None]
    members = decode(plain[0].body)
    sounds = {
        **{kind: decode(player.data) for kind, player in players.items()},
        "mp3": decode(plain[1].body, rounding_s=1e-3),
        "adts": decode(plain[2].body, rounding_s=1e-3),
    }
    for kind, sound in sounds.items():
        assert sound.jumps == [], kind
        for piece in spoken(members.samples):
            assert m.best_lag(piece, sound.samples)[1] > _LIKE, kind
    assert plain[2].body[-2_000:-1_000] in plain[3].body  # encoded once for both
    assert decode(late.body).samples.size > SAMPLE_RATE
    wait_until(lambda: not coders(hub), 60, "nobody listens, nothing is encoded")


def test_the_list_leads_to_all_and_says_how_long_each_may_be_kept(hub: Hub) -> None:
    listed, head = get(hub, "hls/live.m3u8")
    assert head["Content-Type"] == "application/vnd.apple.mpegurl"
    assert re.findall(rb"^[a-z].*", listed, re.MULTILINE) == [b"opus/live.m3u8", b"aac/live.m3u8"]
    pieces, head = get(hub, "hls/opus/live.m3u8")
    assert head["Cache-Control"] == "public, max-age=1"
    first = re.findall(r'MAP:URI="([^"]+)"|PART:.*URI="([^"]+)"|\n(\w+-\d+\.m4s)', pieces.decode())
    for name in {"".join(each) for each in first}:
        data, head = get(hub, f"hls/opus/{name}")
        assert data[4:8] in {b"ftyp", b"moof"}
        assert head["Cache-Control"] == "public, max-age=60, immutable"
        assert head["Access-Control-Allow-Origin"] == "*"
        assert int(head["Content-Length"]) == len(data)


def test_what_players_should_not_ask_is_refused(hub: Hub) -> None:
    listed = get(hub, "hls/opus/live.m3u8")[0].decode()
    tag, number = re.findall(r'HINT:TYPE=PART,URI="(\w+)-(\d+)', listed)[0]
    far = int(number) + 100
    for query in (f"_HLS_msn={far}", f"_HLS_msn={far}&_HLS_part=0", "_HLS_part=0", "_HLS_msn=-1",
                  "_HLS_msn=x", "_HLS_msn=1&_HLS_msn=2", "other=1"):  # fmt: skip
        assert refused(hub, f"hls/opus/live.m3u8?{query}") == (422, "bad_value"), query
    wrong = ("00000000-init.mp4", f"{tag}-init.m4s", "0" * 20, "..%2f" * 4)
    for name in (*wrong, *(f"{tag}-{each}.m4s" for each in (far, number, f"{number}-9", 1))):
        assert refused(hub, f"hls/opus/{name}")[0] == 404, name
    assert refused(hub, "hls/mp3/live.m3u8") == (404, "no_such_stream")
    assert refused(hub, "hls/aac/00000000-init.mp4") == (404, "no_such_stream")
    # What is far back is answered with what there is now.
    assert b"#EXTM3U" in get(hub, "hls/opus/live.m3u8?_HLS_msn=1&_HLS_part=9")[0]
    # Ranges are not what pieces are for: each comes whole.
    asked = urllib.request.Request(f"{hub.http}{BASE}/hls/opus/{tag}-init.mp4")
    asked.add_header("Range", "bytes=999999-1,-5,x")
    with urllib.request.urlopen(asked) as answer:
        assert (answer.status, answer.read()[4:8]) == (200, b"ftyp")


def test_an_encoder_that_dies_ends_its_stream_and_no_other(hub: Hub) -> None:
    mp3, aac = (Listener(hub, f"{BASE}/stream.{kind}") for kind in ("mp3", "aac"))
    wait_until(lambda: mp3.body and aac.body, 40, "both hear something")
    (victim,) = (one for one, line in commands(hub.pid).items() if b"mp3" in line)
    subprocess.run(["kill", "-9", str(victim)], check=True)
    mp3.join(20)
    assert not mp3.is_alive()
    assert refused(hub, "stream.mp3") == (503, "busy")  # not at once again
    heard = len(aac.body)
    wait_until(lambda: len(aac.body) > heard, 20, "the other goes on")
    assert hub.metric("stagebox_streams_total", event="encoders_broke") == 1
    for each in (mp3, aac):
        each.stop()


STATION = """
[[streams.rtmp]]
space = "main"
url = "rtmp://127.0.0.1:{port}/live"
key = "{key}"
"""


class Service:
    """FFmpeg as the RTMP server that somebody else runs."""

    def __init__(self, folder: Path, port: int, key: str) -> None:
        self._file = folder / "rtmp.pcm"
        self._said = (folder / "rtmp.out").open("w+")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.rtmp_listener"),
                *(f"rtmp://127.0.0.1:{port}/live/{key}", str(self._file)),
            ],
            stdout=self._said,
        )

    @property
    def samples(self) -> np.ndarray:
        pcm = np.fromfile(self._file, "<i2") if self._file.exists() else np.zeros(0)
        return pcm.astype(np.float32) / 32_768

    def told(self) -> list[dict[str, int]]:
        self._said.seek(0)
        return [json.loads(line) for line in self._said.read().splitlines()]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._said.close()


def test_a_service_is_fed_by_rtmp_and_found_again(tmp_path: Path) -> None:
    settings, port, key = tmp_path / "hub.toml", free_port(), "a-very-secret-key"
    settings.write_text(SETTINGS + STATION.format(port=port, key=key))
    hub = Hub(tmp_path, free_port(), extra=("--config", str(settings), "--verbose"))
    service: Service | None = None
    said = speaker(1, 8.0)
    try:
        chief = Chief(hub.wait_up())
        assert chief.ask("PATCH", "/spaces/main", {"streamed": True}) == 204
        wait_until(lambda: chief.station()["state"] == "down", 60, "there is no server yet")
        service = Service(tmp_path, port, key)
        wait_until(lambda: chief.station()["state"] == "up", 60, "it is fed")
        assert chief.station()["url"] == f"rtmp://127.0.0.1:{port}/live"
        members = Listener(hub, f"{BASE}/stream.opus")
        mouth = Box(tmp_path, "Mouth", hub.url, mic=said, script=_FIRST, wait_joined=30)
        with running(mouth):
            mouth.wait_for(lambda one: one.last_state("floor") == "live", 120, "on air")
            mouth.wait_for(lambda one: one.last_state("floor") == "idle_free", 120, "let go")
        far = service
        wanted = far.samples.size + 10 * SAMPLE_RATE
        wait_until(lambda: far.samples.size > wanted, 120, "it has the burst")
        members.stop()
        for piece in spoken(decode(members.body).samples):
            assert m.best_lag(piece, far.samples)[1] > _LIKE
        service.stop()
        wait_until(lambda: chief.station()["state"] == "down", 60, "it is known to be gone")
        service = Service(tmp_path, port, key)
        wait_until(lambda: chief.station()["state"] == "up", 60, "it is fed again")
        assert chief.ask("PATCH", "/spaces/main", {"streamed": False}) == 204
        far = service
        wait_until(far.told, 60, "the stream has an end")
        (told,) = far.told()
        assert told["video"] > 0
        assert told["gaps"] == 0
        wait_until(lambda: chief.station()["state"] == "off", 60, "nobody wants it")
    finally:
        if service is not None:
            service.stop()
        hub.stop()
    assert key not in hub.logged()
