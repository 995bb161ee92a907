"""The panel's page with a real box behind it and a real hub: mouse, touch, keys, and losing it."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Playwright, expect

from tests.browser.conftest import HUB
from tests.browser.panels import DESK, PHONE, PagedBox, PanelPage, Scheme, is_part
from tests.browser.people import CHROMIUM, PATIENT_MS
from tests.browser.test_accessibility import faults, sticks_out
from tests.support.crew import Hub, Program, free_port, running, wait_until
from tests.support.voices import speaker


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture of the guide: what the lamp shows on it."""

    pattern: str
    size: tuple[int, int]
    scheme: Scheme


GUIDE: Final = Path(__file__).parents[2] / "docs/guide"
PICTURES: Final = {
    "free": Scene("idle_free", DESK, "light"),
    "on-air": Scene("live", DESK, "dark"),
    "busy": Scene("idle_busy", PHONE, "light"),
    "on-air-phone": Scene("live", PHONE, "light"),
    "muted": Scene("cut", PHONE, "dark"),
}
# A browser and three programs, which start while the rest of the machine works.
pytestmark = pytest.mark.timeout(600)
# A busy computer may leave a box without sound for a moment.
_TRIES: Final = 5
_SEEN_MS: Final = 15_000
_MIC_S: Final = 240.0
Open = Callable[..., PanelPage]
_HIDE: Final = """
  Object.defineProperty(document, "hidden", { value: true });
  document.dispatchEvent(new Event("visibilitychange"));
"""


@pytest.fixture(scope="module")
def browser(playing: Playwright) -> Iterator[Browser]:
    made = playing.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PagedBox, PagedBox]]:
    """Two boxes in one walkie-talkie space."""
    folder = tmp_path_factory.mktemp("panels")
    settings, port = folder / "hub.toml", free_port()
    settings.write_text(HUB.format(port=port, secure=free_port(), data=folder / "hub"))
    hub = Hub(folder, port, extra=("--config", str(settings)))
    with running(hub):
        hub.wait_up()
        words = speaker(0, _MIC_S)
        ana = PagedBox(folder, "Ana", hub.url, "--space", "main", mic=words)
        ben = PagedBox(folder, "Ben", hub.url, "--space", "main")
        with running(ana, ben):
            for box in (ana, ben):
                box.wait_joined(60)
                box.wait_for(lambda one: one.last_state("media") == "up", 60, "sound")
            yield ana, ben


@pytest.fixture
def ana(boxes: tuple[PagedBox, PagedBox]) -> Iterator[PagedBox]:
    yield boxes[0]
    # The next test finds the box as this one did.
    boxes[0].wait_for(lambda box: box.last_state("floor") == "idle_free", 20, "free again")


@pytest.fixture
def panel(browser: Browser) -> Iterator[Open]:
    opened: list[PanelPage] = []

    def open_panel(box: PagedBox, **looks: object) -> PanelPage:
        opened.append(PanelPage(browser, box.page_url, **looks))  # type: ignore[arg-type]
        return opened[-1].shows("idle_free")

    yield open_panel
    for each in opened:
        each.close()
    assert [trouble for each in opened for trouble in each.troubles] == []


def test_talk_held_with_the_mouse_is_red_as_the_log_has_it(
    boxes: tuple[PagedBox, PagedBox], ana: PagedBox, panel: Open
) -> None:
    mine, other = panel(ana), panel(boxes[1])
    keys, lamps = ana.count("key"), ana.count("lamp")
    door = mine.page.locator("#door")
    expect(door).to_contain_text("off air")
    for _ in range(2):
        mine.press("talk")
        mine.shows("live").is_down("talk").says("Speak.").says("permit tone")
        expect(mine.page.locator("#lamp")).to_have_attribute("data-color", "red")
        expect(door).to_contain_text("ON AIR")
        expect(mine.page.locator("#lamp-words")).to_contain_text("Your voice is leaving the box")
        expect(mine.page.locator("#meant")).to_contain_text("Press TALK: you talk while")
        other.shows("idle_busy")
        expect(other.page.locator("#talkers")).to_have_text("Ana")
        mine.release()
        mine.shows("idle_free").is_down("talk", False)
        expect(door).to_contain_text("off air")
        other.shows("idle_free")
    ana.hears([("talk", True), ("talk", False)] * 2, keys)
    # Nothing that the log does not have, in its order; a busy computer may leave a blink out.
    told = ana.lamps(lamps)
    assert is_part(mine.patterns[1:], told), (mine.patterns, told)
    assert 2 <= mine.patterns.count("live") <= told.count("live")
    assert mine.blinks.count("red") == mine.patterns.count("live")


def test_the_lamp_beats_by_itself(ana: PagedBox, panel: Open) -> None:
    one = panel(ana)
    one.page.wait_for_function("() => window.blinks.length >= 5", timeout=PATIENT_MS)
    steady = [blink for blink in one.blinks if blink != ""]
    assert set(steady) == {"white", "dark"}


def test_the_keyboard_holds_taps_and_slides(ana: PagedBox, panel: Open) -> None:
    one, keys = panel(ana), ana.count("key")
    one.page.keyboard.down("Space")
    one.shows("live")
    one.page.keyboard.down("Space")  # a key that is held repeats
    one.page.keyboard.up("Space")
    one.shows("idle_free")
    one.page.keyboard.press("h", delay=80)
    one.says("Hands are not taken")
    expect(one.page.locator("#meant")).to_contain_text("Tap HAND: you raise your hand")
    one.page.keyboard.press("m")
    one.shows("cut").says("MUTE is on.")
    expect(one.key("mute")).to_have_attribute("aria-checked", "true")
    one.page.keyboard.press("m")
    one.shows("idle_free")
    one.key("status").focus()
    one.page.keyboard.press("Enter", delay=80)
    one.says("Main")
    # A click without a finger is a tap of a length of its own.
    ana.wait_for(lambda _: ("status", False) in ana.keys(keys), 20, "STATUS let go")
    one.page.keyboard.press("ArrowUp", delay=80)
    taps = [("volume_up", True), ("volume_up", False)]
    first = [("talk", True), ("talk", False), ("hand", True), ("hand", False)]
    rest = [("mute", True), ("mute", False), ("status", True), ("status", False)]
    ana.hears([*first, *rest, *taps], keys)


def test_two_fingers_and_a_touch_that_is_cancelled(ana: PagedBox, panel: Open) -> None:
    one, keys = panel(ana, size=PHONE, touch=True), ana.count("key")
    device = one.context.new_cdp_session(one.page)
    talk, status = one.middle("talk"), one.middle("status")
    touch(device, "touchStart", {1: talk})
    one.shows("live")
    touch(device, "touchStart", {1: talk, 2: status})
    one.is_down("status").is_down("talk")
    touch(device, "touchEnd", {2: status})
    one.is_down("status", False).is_down("talk")
    touch(device, "touchCancel", {})
    one.shows("idle_free").is_down("talk", False)
    ana.hears([("talk", True), ("status", True), ("status", False), ("talk", False)], keys)


def touch(device: CDPSession, kind: str, fingers: dict[int, tuple[float, float]]) -> None:
    """Do this with these fingers; with none: with all that are on the glass."""
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in fingers.items()]
    device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_shift_keeps_a_key_down_until_the_next_click(ana: PagedBox, panel: Open) -> None:
    one, keys = panel(ana), ana.count("key")
    one.key("talk").click(modifiers=["Shift"])
    one.shows("live").is_down("talk")
    one.key("talk").click(modifiers=["Shift"])
    one.shows("idle_free")
    ana.hears([("talk", True), ("talk", False)], keys)


def test_a_screen_readers_press_holds_talk_and_taps_the_others(ana: PagedBox, panel: Open) -> None:
    one, keys = panel(ana), ana.count("key")
    one.key("talk").evaluate("node => node.click()")
    one.shows("live").is_down("talk")
    one.key("talk").evaluate("node => node.click()")
    one.shows("idle_free").is_down("talk", False)
    one.key("hand").evaluate("node => node.click()")
    ana.hears([("talk", True), ("talk", False), ("hand", True), ("hand", False)], keys)


@pytest.mark.parametrize(
    "how",
    [
        "dispatchEvent(new Event('blur'))",
        _HIDE,
        "location.href = 'about:blank'",
        "location.reload()",
    ],
    ids=["blur", "hidden", "away", "reload"],
)
def test_leaving_the_page_lifts_the_finger(ana: PagedBox, panel: Open, how: str) -> None:
    one, keys = panel(ana), ana.count("key")
    one.press("talk")
    one.shows("live")
    one.page.evaluate(how)
    ana.hears([("talk", True), ("talk", False)], keys)
    ana.wait_for(lambda box: not box.red() or box.red()[-1][1] < float("inf"), 20, "not red")


def test_a_browser_that_is_closed_lifts_the_finger_of_its_own_page(
    ana: PagedBox, panel: Open, browser: Browser
) -> None:
    stays, keys = panel(ana), ana.count("key")
    goes = PanelPage(browser, ana.page_url)
    goes.press("talk")
    stays.shows("live").is_down("talk")
    stays.page.keyboard.down("s")
    stays.is_down("status")
    goes.close()
    stays.shows("idle_free").is_down("talk", False).is_down("status")
    stays.page.keyboard.up("s")
    ana.hears([("talk", True), ("status", True), ("talk", False), ("status", False)], keys)


def test_who_wants_no_motion_gets_a_still_lamp_and_words(ana: PagedBox, panel: Open) -> None:
    one = panel(ana, still=True)
    one.page.wait_for_timeout(3500)  # more than a whole beat
    assert one.blinks[-1] == "white"
    assert "dark" not in one.blinks[1:]
    expect(one.page.locator("#lamp-words")).to_contain_text("on, with a short gap every 3 s")


@pytest.mark.parametrize("size", [DESK, PHONE, (320, 640)], ids=["desk", "phone", "small"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(ana: PagedBox, panel: Open, size: tuple[int, int], scheme: str) -> None:
    one = panel(ana, size=size, scheme=scheme, still=True)
    found = []
    for is_live in (False, True):
        if is_live:
            one.page.keyboard.down("Space")
            one.shows("live")
        found += [*sticks_out(one), *faults(one, {})]  # type: ignore[arg-type]
    one.page.keyboard.up("Space")
    assert not found, "\n".join(found)


def test_a_foreign_page_cannot_reach_the_buttons(ana: PagedBox, browser: Browser) -> None:
    keys, context = ana.count("key"), browser.new_context()
    page = context.new_page()
    page.goto("about:blank")
    how = page.evaluate(
        """(url) => new Promise((done) => {
          const socket = new WebSocket(url);
          socket.onopen = () => done("open");
          socket.onerror = () => done("refused");
        })""",
        f"ws://127.0.0.1:{ana.port}/panel",
    )
    assert how == "refused"
    read = page.evaluate("(url) => fetch(url).then(() => 'read', () => 'refused')", ana.page_url)
    assert read == "refused"
    context.close()
    assert ana.keys(keys) == []


def test_a_box_that_dies_is_told_and_one_that_is_back_has_no_finger_down(
    boxes: tuple[PagedBox, PagedBox], browser: Browser, tmp_path: Path
) -> None:
    hub = next(e for e in boxes[0].events("link") if e["state"] == "connecting")["detail"]
    address = hub.partition("ws://")[2].partition("/")[0]
    box = PagedBox(tmp_path, "Cleo", f"ws://{address}", "--space", "main")
    with running(box):
        box.wait_joined(60)
        box.wait_for(lambda one: one.last_state("media") == "up", 60, "sound")
        one = PanelPage(browser, box.page_url)
        one.forgives = True
        one.shows("idle_free").press("talk")
        one.shows("live")
        box.kill()
        expect(one.page.get_by_role("alert")).to_contain_text("does not answer")
        one.is_down("talk", False)
        expect(one.page.locator("#lamp")).to_have_attribute("data-lit", "false")
        expect(one.page.locator("#door")).to_contain_text("off air")
    again = PagedBox(tmp_path, "Cleo", f"ws://{address}", "--space", "main", port=box.port)
    with running(again):
        again.wait_joined(60)
        expect(one.page.locator("body")).to_have_attribute("data-line", "open", timeout=PATIENT_MS)
        one.shows("idle_free")
        assert again.keys() == []
        one.release()
        one.press("talk")
        again.hears([("talk", True)], 0)
        one.close()
        again.hears([("talk", True), ("talk", False)], 0)


def test_a_german_box_has_a_german_page(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_text('tutorial = false\n[sound]\nlanguage = "de"\n')
    box = PagedBox(tmp_path, "Dora", "ws://127.0.0.1:9", "--config", str(tmp_path / "box.toml"))
    with running(box):
        box.wait_for(lambda each: "The panel is at" in each.logged(), 60, "serves its page")
        one = PanelPage(browser, box.page_url)
        one.shows("no_hub")
        expect(one.page.locator("html")).to_have_attribute("lang", "de")
        expect(one.page.locator("#says-title")).to_have_text("Die Box sagt")
        expect(one.page.locator("#lamp-color")).to_have_text("gelb")
        expect(one.page.locator("#lamp-means")).to_contain_text("Kein Kontakt zum Hub")
        expect(one.page.locator("#space")).to_have_text("keiner")
        one.page.keyboard.press("h", delay=80)
        expect(one.page.locator("#captions")).to_contain_text("Ton: Hub weg")
        expect(one.page.locator("#log")).to_contain_text("HAND gedrückt")
        expect(one.page.locator("#meant")).to_contain_text("HAND antippen: Die Box sagt, warum")
        one.close()
        assert one.troubles == []


def test_the_demo_opens_two_panels(browser: Browser, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    demo = Program(tmp_path, "demo", ["demo", "--page", "--seconds", "300", "--out", out])
    with running(demo):
        wait_until(lambda: len(_addresses(demo)) == 2, 120, "two addresses")
        one, two = (PanelPage(browser, url) for url in _addresses(demo))
        _talks_to(one, two)
        for each in (one, two):
            each.close()
            assert each.troubles == []
        demo.process.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 0, demo.logged()


def _talks_to(one: PanelPage, two: PanelPage) -> None:
    """Hold TALK until the other page shows it; a busy computer may lose a burst at its start."""
    for left in reversed(range(_TRIES)):
        one.shows("idle_free").press("talk")
        try:
            expect(two.page.locator("#talkers")).to_have_text("Ana", timeout=_SEEN_MS)
            one.shows("live")
        except AssertionError:
            if not left:
                raise
        else:
            return
        finally:
            one.release()
            one.shows("idle_free")


def _addresses(demo: Program) -> list[str]:
    return re.findall(r"(?:Ana|Ben): (http://127\.0\.0\.1:\d+/)\n", demo.logged())


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(
    boxes: tuple[PagedBox, PagedBox], ana: PagedBox, panel: Open, tmp_path: Path, name: str
) -> None:
    """With ``STAGEBOX_TAKE_SCREENSHOTS=1`` they are put into the guide; they are judged by eye."""
    scene = PICTURES[name]
    mine = panel(ana, size=scene.size, scheme=scene.scheme, still=True)
    who = panel(boxes[1]) if scene.pattern == "idle_busy" else mine
    picture = tmp_path / f"{name}.png"
    for _ in range(_TRIES):
        if scene.pattern == "cut":
            mine.key("mute").click()
        elif scene.pattern != "idle_free":
            who.page.keyboard.down("Space")
        mine.shows(scene.pattern)
        mine.page.screenshot(path=picture)
        is_still = mine.patterns[-1] == scene.pattern
        if scene.pattern == "cut":
            mine.key("mute").click()
        who.page.keyboard.up("Space")
        mine.shows("idle_free")
        if is_still:
            break
    else:
        pytest.fail(f"{scene.pattern} never lasted for as long as a picture takes")
    assert f"img/simulator/{name}.png" in (GUIDE / "simulator.md").read_text()
    if os.environ.get("STAGEBOX_TAKE_SCREENSHOTS") == "1":
        folder = GUIDE / "img/simulator"
        folder.mkdir(exist_ok=True)
        with Image.open(picture) as found:
            # Soft light on few pixels: fewer colours would show as rings.
            small = found.convert("RGB").resize((found.width // 2, found.height // 2))
            small.save(folder / picture.name, optimize=True)
