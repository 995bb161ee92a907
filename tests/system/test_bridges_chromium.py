"""Chromium as a WHIP publisher and a WHEP player: a page of another origin, thirty lines of it."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page, async_playwright

from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.wire.terms import Place
from tests.browser.people import chromium_missing
from tests.loopback.bridges.kit import Person, SoundHub, as_float, people, sound_hub, words
from tests.loopback.hub.crew import until

WHY_NOT = chromium_missing()
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(WHY_NOT), reason=str(WHY_NOT)),
]
LIKE = 0.9
_FLAGS = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
)
# What any page does that speaks WHIP or WHEP: an offer, a POST, the answer; later a DELETE.
_PAGE = """
async ({url, token, pcm}) => {
  const context = window.context = new AudioContext({sampleRate: 48000});
  const pc = window.pc = new RTCPeerConnection();
  if (pcm) {
    const bytes = Uint8Array.from(atob(pcm), c => c.charCodeAt(0));
    const samples = Float32Array.from(new Int16Array(bytes.buffer), s => s / 32768);
    const buffer = context.createBuffer(1, samples.length, 48000);
    buffer.copyToChannel(samples, 0);
    const source = window.source = context.createBufferSource();
    source.buffer = buffer;
    const out = context.createMediaStreamDestination();
    out.channelCount = 1;
    source.connect(out);
    pc.addTransceiver(out.stream.getAudioTracks()[0], {direction: "sendonly"});
  } else {
    pc.addTransceiver("audio", {direction: "recvonly"});
    window.heard = [];
    pc.ontrack = ({track}) => {
      const stream = new MediaStream([track]);
      const audio = window.audio = new Audio();
      audio.muted = true; audio.srcObject = stream; audio.play();
      const tap = window.tap = context.createScriptProcessor(4096, 1, 1);
      tap.onaudioprocess = e => window.heard.push(e.inputBuffer.getChannelData(0).slice());
      context.createMediaStreamSource(stream).connect(tap);
      tap.connect(context.destination);
    };
  }
  await pc.setLocalDescription();
  const answer = await fetch(url, {
    method: "POST", body: pc.localDescription.sdp,
    headers: {"Content-Type": "application/sdp", "Authorization": "Bearer " + token}});
  if (answer.status !== 201) throw new Error(answer.status + await answer.text());
  window.session = new URL(answer.headers.get("Location"), url);
  const etag = answer.headers.get("ETag");
  await pc.setRemoteDescription({type: "answer", sdp: await answer.text()});
  const user = pc.localDescription.sdp.match(/a=ice-ufrag:\\S+/)[0];
  const trickle = await fetch(window.session, {
    method: "PATCH", body: user + "\\r\\n",
    headers: {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": etag}});
  while (pc.connectionState !== "connected") await new Promise(go => setTimeout(go, 20));
  return trickle.status;
}
"""
_HEARD = """
() => {
  const all = new Float32Array(window.heard.length * 4096);
  window.heard.forEach((part, n) => all.set(part, n * 4096));
  const bytes = new Uint8Array(all.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
"""
_END = "async () => (await fetch(window.session, {method: 'DELETE'})).status"


@contextlib.asynccontextmanager
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playing:
        browser = await playing.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(_FLAGS)
        )
        try:
            yield await browser.new_page()
        finally:
            await browser.close()


async def call(page: Page, hub: SoundHub, part: str, token: str, pcm: Pcm | None = None) -> int:
    """Let the page have a session; return what its PATCH was answered."""
    given: dict[str, Any] = {"url": hub.url(f"/{part}/main?name=Page"), "token": token}
    given["pcm"] = base64.b64encode(pcm.tobytes()).decode() if pcm is not None else None
    status: int = await page.evaluate(_PAGE, given)
    return status


def likeness(said: m.Samples, heard: m.Samples) -> float:
    """Return how alike they are, window by window, wherever in ``heard`` it begins."""
    second = said[SAMPLE_RATE : 2 * SAMPLE_RATE]
    lag, _ = m.best_lag(second, heard)
    # As if it came 0.2 s late, so that windows may come earlier and later than this one.
    shifted = m.Recording(heard, 1.2 - lag / SAMPLE_RATE)
    return m.compare(m.Recording(said, 0.0), shifted, 0.0, said.size / SAMPLE_RATE).correlation


async def test_a_page_publishes(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub, page() as chromium:
        ben = await Person("Ben", number=2).here(hub)
        async with people(ben):
            pcm = words(0)
            assert await call(chromium, hub, "whip", hub.invite(), pcm) == 204
            await chromium.evaluate("() => window.source.start()")
            await until(lambda: hub.talkers() == {"Page"})
            await until(lambda: not hub.talkers())
            found = likeness(as_float(pcm), ben.ears.recording().samples)
            print("from chromium", found)
            assert found > LIKE
            assert await chromium.evaluate(_END) == 200
            await until(lambda: "Page" not in hub.members())


async def test_a_page_plays(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub, page() as chromium:
        ben = await Person("Ben", number=2).here(hub)
        async with people(ben):
            assert await call(chromium, hub, "whep", hub.invite(Place.LISTENER)) == 204
            said = await ben.talk(words(0, 6.0))
            await asyncio.sleep(1.0)  # what a player holds back
            heard = np.frombuffer(base64.b64decode(await chromium.evaluate(_HEARD)), np.float32)
            found = likeness(said.samples, heard)
            print("to chromium", found)
            assert found > LIKE
            assert await chromium.evaluate(_END) == 200
