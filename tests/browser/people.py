"""Somebody at a browser: what a person would do with the console, in a person's words."""

import base64
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, expect

from stagebox.measure import Samples

CHROMIUM: Final = Path("/usr/bin/chromium")
# A loaded machine; on a quiet one everything is there within a second.
PATIENT_MS: Final = 60_000
expect.set_options(timeout=PATIENT_MS)
# Listens to what the page plays, from outside of it: the sound of every track that comes.
_EAR: Final = """
(() => {
  const real = window.RTCPeerConnection;
  window.ear = { parts: [], since: 0 };
  window.RTCPeerConnection = class extends real {
    constructor(...given) {
      super(...given);
      this.addEventListener("track", ({ track }) => (window.ear.track = track));
    }
  };
  window.listen = () => {
    const ear = window.ear;
    ear.context ??= new AudioContext({ sampleRate: 48000 });
    ear.parts = [];
    ear.tap?.disconnect();
    const source = ear.context.createMediaStreamSource(new MediaStream([ear.track]));
    const tap = ear.context.createScriptProcessor(4096, 1, 1);
    ear.tap = tap;
    tap.onaudioprocess = ({ inputBuffer }) => {
      if (ear.tap === tap) ear.parts.push(inputBuffer.getChannelData(0).slice());
    };
    source.connect(tap).connect(ear.context.destination);
  };
  window.heard = () => {
    const samples = Int16Array.from(
      window.ear.parts.flatMap((part) => Array.from(part, (x) => Math.round(x * 32767))));
    let text = "";
    const bytes = new Uint8Array(samples.buffer);
    for (let at = 0; at < bytes.length; at += 32768) {
      text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    }
    return btoa(text);
  };
})();
"""
# Remembers what comes up on the page and goes again: toasts, and marks that float by.
_MEMORY: Final = """
(() => {
  window.shown = [];
  const note = (node) => {
    const brief = node.nodeType === 1 ? node.closest(".toasts, .floats") : null;
    if (brief) window.shown.push(node.textContent);
    window.shown = window.shown.slice(-200);
  };
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach(note);
  }).observe(document, { subtree: true, childList: true });
})();
"""
# The browser's own clean-up changes the waveform; the tests compare waveforms.
_PLAIN_SOUND: Final = """
localStorage.setItem("stagebox", JSON.stringify({ echo: false, noise: false, gain: false,
  ...JSON.parse(localStorage.getItem("stagebox") ?? "{}") }));
"""


def chromium_missing() -> str:
    """Return why there is no browser to test with, or nothing."""
    return "" if CHROMIUM.exists() else "Chromium is not installed: apt install chromium"


def launch(playing: Playwright, mic: Path) -> Browser:
    """Start a browser whose microphone hears a file, again and again."""
    return playing.chromium.launch(
        executable_path=str(CHROMIUM),
        args=[
            "--no-sandbox",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={mic}",
            # A name of the hub that is no localhost: what a phone on the network sees.
            "--host-resolver-rules=MAP hall-hub.local 127.0.0.1",
            "--disable-features=LocalNetworkAccessChecks",
        ],
    )


class Person:
    """One browser: its page, and what went wrong in it (``troubles``)."""

    def __init__(
        self,
        browser: Browser,
        http: str,
        name: str,
        *,
        size: tuple[int, int] = (360, 740),
        dark: bool = False,
        still: bool = False,
    ) -> None:
        self.name = name
        self.http = http
        self.troubles: list[str] = []
        self.forgives = False  # a hub that dies is a trouble of the test's own making
        self._context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
            device_scale_factor=2,
            has_touch=size[0] < 500,
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        self._context.set_default_timeout(PATIENT_MS)
        self._context.add_init_script(_EAR)
        self._context.add_init_script(_PLAIN_SOUND)
        self._context.add_init_script(_MEMORY)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.troubles.append(f"{name}: {error}"))

    def close(self) -> None:
        self._context.close()

    def _note(self, message: ConsoleMessage) -> None:
        # A refusal, which the page puts into words; and what a browser thinks of plain HTTP.
        known = any(part in message.text for part in ("status of 4", "origin was untrustworthy"))
        if message.type == "error" and not known and not self.forgives:
            self.troubles.append(f"{self.name}: {message.text}")

    # --- getting about ----------------------------------------------------------------

    def open(self, path: str = "/") -> "Person":
        self.page.goto(f"{self.http}{path}")
        return self

    def go(self, place: str) -> "Person":
        self.page.evaluate("place => { location.hash = place; }", place)
        return self

    def button(self, name: str, *, exact: bool = False) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact)

    def sees(self, text: str) -> "Person":
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENT_MS)
        return self

    def was_shown(self, text: str) -> "Person":
        """Wait for what stays for some seconds: it counts as seen also when it is gone again."""
        self.page.wait_for_function(
            "text => window.shown.some((each) => each.includes(text))", arg=text
        )
        return self

    def forget_shown(self) -> "Person":
        """From here on only what is new was shown."""
        self.page.evaluate("() => { window.shown = []; }")
        return self

    def region(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name)

    def call_oneself(self) -> "Person":
        self.page.get_by_label("Your name").fill(self.name)
        return self

    def set_up(self, password: str) -> "Person":
        """Become the hub's first administrator, with a name."""
        self.open("/#/settings").call_oneself()
        self.button("Save").click()
        self.page.get_by_label("New password").fill(password)
        self.button("Set up", exact=True).click()
        return self.sees("You are logged in, and may do")

    def make_space(self, name: str, *, topic: str = "") -> str:
        """Open a space now, with oneself as host; return its id."""
        self.go("#/new")
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Topic").fill(topic)
        self.button("Open it now").click()
        self.is_in()
        return self.page.url.rpartition("/")[2]

    def join(self, space: str) -> "Person":
        self.open(f"/#/space/{space}")
        label = self.page.get_by_label("Your name")
        expect(label.or_(self.button("Join", exact=True)).first).to_be_visible()
        if label.count():
            self.call_oneself()
        self.button("Join", exact=True).click()
        return self.is_in()

    def is_in(self) -> "Person":
        expect(self.page.locator("#talk")).to_be_visible()
        return self

    def has_sound(self) -> "Person":
        """Wait until the media session is up."""
        expect(self.page.get_by_text("Sound is being connected")).to_have_count(0)
        self.page.wait_for_function("() => window.ear.track?.readyState === 'live'")
        return self

    # --- talking ----------------------------------------------------------------------

    @property
    def talk(self) -> Locator:
        return self.page.locator("#talk")

    def talk_says(self, words: str) -> "Person":
        expect(self.talk).to_contain_text(words, timeout=PATIENT_MS)
        return self

    def press(self) -> "Person":
        self.talk.hover()  # when it stands still, and nothing lies over it
        self.page.mouse.down()
        return self

    def release(self) -> "Person":
        self.page.mouse.up()
        return self

    def raise_hand(self) -> "Person":
        self.button("Raise your hand", exact=True).click()
        return self

    def wait(self, seconds: float) -> "Person":
        self.page.wait_for_timeout(seconds * 1000)
        return self

    # --- hearing ----------------------------------------------------------------------

    def listen(self) -> None:
        """Begin to record what this browser plays."""
        self.page.evaluate("() => window.listen()")

    def heard(self) -> Samples:
        """Return what it played since then."""
        data = base64.b64decode(self.page.evaluate("() => window.heard()"))
        return (np.frombuffer(data, np.int16) / 32768).astype(np.float32)

    # --- looking ----------------------------------------------------------------------

    def fits(self) -> None:
        """Nothing sticks out to the side."""
        wide = self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"
