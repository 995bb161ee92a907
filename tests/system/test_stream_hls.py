"""HLS where crowds have it: through nginx's cache, and in Chromium."""

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE
from tests.browser.people import CHROMIUM, chromium_missing
from tests.support import nginx
from tests.support.crew import Box, Hub, free_port, running, wait_until
from tests.support.hls_player import Player
from tests.support.nginx import Nginx
from tests.support.voices import speaker
from tests.system.test_stream_formats import BASE, decode, spoken
from tests.system.test_streams import Chief, Listener

# A minute of a browser. The AAC itself is decoded and compared in test_stream_formats.py.
LONG = pytest.mark.skipif("STAGEBOX_LONG" not in os.environ, reason="STAGEBOX_LONG=1 runs it")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SETTINGS = """
[web]
secure_port = 0
requests_per_s = 1000
request_burst = 1000

[[space]]
id = "main"
name = "Main"
mode = "walkie"
"""
_LIKE = 0.9
_PLAYERS = 12
_PRESS = "2 talk down\n7 talk up\n"
# A player of thirty lines, as hls.js is one of many thousand: what is listed is appended to
# a buffer of the browser's, which plays it.
_PAGE = """
async ({ base, type }) => {
  const media = new MediaSource();
  const audio = (window.audio = new Audio(URL.createObjectURL(media)));
  audio.muted = true;
  await new Promise((go) => media.addEventListener("sourceopen", go, { once: true }));
  const buffer = (window.buffer = media.addSourceBuffer(type));
  const pieces = (window.pieces = []);
  const add = async (name) => {
    const data = await (await fetch(base + name)).arrayBuffer();
    pieces.push(data);
    buffer.appendBuffer(data);
    await new Promise((go) => buffer.addEventListener("updateend", go, { once: true }));
  };
  const list = async (query) => (await fetch(base + "live.m3u8" + query)).text();
  const parts = (text) => [...text.matchAll(/PART:[^\\n]*URI="([^"]+)"/g)].map((each) => each[1]);
  let text = await list("");
  await add(text.match(/MAP:URI="([^"]+)"/)[1]);
  let last = null;
  const seen = new Set(parts(text).slice(0, -4));
  const play = async () => {
    for (;;) {
      for (const name of parts(text)) {
        if (seen.has(name)) continue;
        seen.add(name);
        await add(name);
        last = name;
      }
      if (audio.paused) {
        audio.currentTime = buffer.buffered.start(0);
        await audio.play();
      }
      const [, number, part] = last.match(/-(\\d+)-(\\d)\\./).map(Number);
      const next = part === 7 ? [number + 1, 0] : [number, part + 1];
      text = await list(`?_HLS_msn=${next[0]}&_HLS_part=${next[1]}`);
    }
  };
  play().catch((error) => (window.wrong = String(error)));
}
"""
_HOW = """
() => ({
  wrong: window.wrong ?? window.audio.error?.message ?? null,
  ranges: window.buffer.buffered.length,
  has: window.buffer.buffered.length ?
    window.buffer.buffered.end(0) - window.buffer.buffered.start(0) : 0,
  played: window.buffer.buffered.length ?
    window.audio.currentTime - window.buffer.buffered.start(0) : 0,
})
"""
# What the browser's own decoder makes of the same pieces.
_SOUND = """
async () => {
  const whole = await new Blob(window.pieces).arrayBuffer();
  const context = new OfflineAudioContext(1, 1, 48000);
  const sound = (await context.decodeAudioData(whole)).getChannelData(0);
  const bytes = new Uint8Array(Int16Array.from(sound, (x) => x * 32767).buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
}
"""


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


@pytest.mark.skipif(not nginx.is_here(), reason="nginx is not installed: apt install nginx")
def test_a_cache_asks_the_hub_once_for_all_players(tmp_path: Path, hub: Hub) -> None:
    with Nginx(tmp_path, hub.port) as cache:
        base = f"http://127.0.0.1:{cache.port}{BASE}/hls/opus/"
        began = time.monotonic()
        players = [Player(base) for _ in range(_PLAYERS)]
        enough = 20 * len(players)
        wait_until(lambda: sum(each.asked for each in players) > enough, 60, "all play")
        wait_until(lambda: min(len(each.data) for each in players) > 5_000, 60, "each plays")
        for each in players:
            each.stop()
        lasted = time.monotonic() - began
        answers = cache.answers()
    for each in players:
        assert each.broke is None
        sound = decode(each.data)
        assert sound.jumps == []
        assert sound.samples.size > SAMPLE_RATE
    asked = sum(each.asked for each in players)
    assert sum(answers.values()) >= asked
    # Two questions a part and one or two more a second, whoever asks how often.
    assert answers.total() - answers["HIT"] < 10 * lasted + 20
    assert answers["HIT"] > asked / 2


@pytest.mark.skipif(bool(chromium_missing()), reason=str(chromium_missing()))
@pytest.mark.parametrize(
    ("kind", "codec"), [("opus", "opus"), pytest.param("aac", "mp4a.40.2", marks=LONG)]
)
def test_chromium_plays_it(tmp_path: Path, hub: Hub, kind: str, codec: str) -> None:
    members = Listener(hub)
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page()
        type_ = f'audio/mp4; codecs="{codec}"'
        if not page.evaluate("(type) => MediaSource.isTypeSupported(type)", type_):
            pytest.skip(f"this Chromium was built without {codec}")
        page.evaluate(_PAGE, {"base": f"{hub.http}{BASE}/hls/{kind}/", "type": type_})
        box = Box(tmp_path, "Box", hub.url, mic=speaker(1, 8.0), script=_PRESS, wait_joined=30)
        with running(box):
            box.wait_for(lambda one: one.last_state("floor") == "live", 120, "on air")
            box.wait_for(lambda one: one.last_state("floor") == "idle_free", 120, "let go")
        until = len(members.body) + 15_000
        wait_until(lambda: len(members.body) > until, 60, "it goes on")
        now = page.evaluate(_HOW)["has"]
        wait_until(lambda: page.evaluate(_HOW)["has"] > now + 1, 60, "the page goes on")
        how = page.evaluate(_HOW)
        sound = np.frombuffer(base64.b64decode(page.evaluate(_SOUND)), "<i2") / np.float32(32_767)
        browser.close()
    members.stop()
    assert how["wrong"] is None
    assert how["ranges"] == 1  # talkers come and go, the buffer has no hole
    assert how["played"] > 5.0
    for piece in spoken(decode(members.body).samples):
        assert m.best_lag(piece, sound)[1] > _LIKE
