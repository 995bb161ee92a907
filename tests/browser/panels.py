"""A box's panel in a browser, and what a person sees of it and does with it."""

from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from stagebox.media.frames import Pcm
from tests.browser.people import PATIENT_MS
from tests.support.crew import Box, Event, free_port

# Notes each pattern that the lamp shows, and each change from lit to dark.
_EYE: Final = """
addEventListener("DOMContentLoaded", () => {
  const lamp = document.getElementById("lamp");
  if (lamp === null) return; // another page
  window.seen = [];
  window.blinks = [];
  const look = () => {
    const { pattern, lit, color } = lamp.dataset;
    const last = window.seen.at(-1);
    if (pattern && last !== pattern) window.seen.push(pattern);
    const blink = lit === "true" ? color : "dark";
    if (window.blinks.at(-1) !== blink) window.blinks.push(blink);
  };
  new MutationObserver(look).observe(lamp, { attributes: true });
});
"""
Scheme = Literal["light", "dark"]
PHONE: Final = (390, 844)
DESK: Final = (1180, 900)


class PagedBox(Box):
    """A simulated box whose panel is a page."""

    def __init__(
        self, folder: Path, name: str, hub: str, *extra: str, port: int = 0, mic: Pcm | None = None
    ) -> None:
        self.port = port or free_port()
        more = ("--page", str(self.port), *extra)
        super().__init__(folder, name, hub, extra=more, mic=mic)

    @property
    def page_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def keys(self, since: int = 0) -> list[tuple[str, bool]]:
        return [(str(e["key"]), bool(e["down"])) for e in self.events("key")[since:]]

    def lamps(self, since: int = 0) -> list[str]:
        return [str(e["pattern"]) for e in self.events("lamp")[since:]]

    def count(self, event: str) -> int:
        return len(self.events(event))

    def hears(self, edges: list[tuple[str, bool]], since: int) -> None:
        """Wait until these edges came, and no others."""
        self.wait_for(lambda _: len(self.keys(since)) >= len(edges), 20, f"keys {edges}")
        assert self.keys(since) == edges, self.keys(since)

    def last(self, event: str) -> Event:
        return self.events(event)[-1]


class PanelPage:
    """One browser at one box's panel; what went wrong in it is in ``troubles``."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        size: tuple[int, int] = DESK,
        scheme: Scheme = "light",
        still: bool = False,
        touch: bool = False,
    ) -> None:
        self.troubles: list[str] = []
        self.forgives = False  # a box that is killed is a trouble of the test's own making
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce" if still else "no-preference",
            has_touch=touch,
            device_scale_factor=2,
            locale="en-GB",
        )
        self.context.set_default_timeout(PATIENT_MS)
        self.context.add_init_script(_EYE)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.goto(url)
        expect(self.page.locator("body")).to_have_attribute("data-line", "open")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not self.forgives:
            self.troubles.append(message.text)

    def close(self) -> None:
        self.context.close()

    # --- doing ------------------------------------------------------------------------

    def key(self, name: str) -> Locator:
        return self.page.locator("#mute" if name == "mute" else f"[data-key='{name}']")

    def middle(self, name: str) -> tuple[float, float]:
        box = self.key(name).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def press(self, name: str) -> None:
        self.page.mouse.move(*self.middle(name))
        self.page.mouse.down()

    def release(self) -> None:
        self.page.mouse.up()

    # --- seeing -----------------------------------------------------------------------

    def shows(self, pattern: str) -> "PanelPage":
        expect(self.page.locator("#lamp")).to_have_attribute("data-pattern", pattern)
        return self

    def says(self, words: str) -> "PanelPage":
        expect(self.page.get_by_role("log")).to_contain_text(words)
        return self

    def is_down(self, name: str, down: bool = True) -> "PanelPage":
        expect(self.key(name)).to_have_attribute("aria-pressed", str(down).lower())
        return self

    @property
    def patterns(self) -> list[str]:
        found: list[str] = self.page.evaluate("() => window.seen")
        return found

    @property
    def blinks(self) -> list[str]:
        found: list[str] = self.page.evaluate("() => window.blinks")
        return found


def is_part(part: list[str], whole: list[str]) -> bool:
    """Tell whether ``part`` is what is left of ``whole`` when some are taken out."""
    rest = iter(whole)
    return all(each in rest for each in part)
