"""The phone page of the set-up hotspot in a real browser, without scripts; its pictures.

With ``STAGEBOX_TAKE_SCREENSHOTS=1`` they are put into docs/guide/img/setup.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Route, expect

from provisioning.hotspot.form import Filled, read
from provisioning.hotspot.page import HEADERS, Offer, form_page, trying_page
from provisioning.network.terms import Cause, Target
from provisioning.network.wifi import Seen, Wifi
from stagebox.phrases import Language
from tests.browser.people import launch

IMG = Path(__file__).parents[2] / "docs/guide/img/setup"
HERE = "http://10.42.0.1/"
SEEN = (
    Seen("Harbour", 82, is_secured=True),
    Seen("Upstairs", 64, is_secured=True),
    Seen("Café guests", 31, is_secured=False),
)
_COLOURS = 64


class Box:
    """Answers as the box does, without a radio."""

    def __init__(self, page: Page, language: Language, failure: Cause | None = None) -> None:
        self.offer = Offer(SEEN, "token", failure)
        self.language = language
        self.told: list[Target] = []
        self.complaints: list[str] = []
        page.route("**/*", self._answer)
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "422" not in message.text:
            self.complaints.append(message.text)

    def _answer(self, route: Route) -> None:
        if route.request.method != "POST":
            self._show(route, form_page(self.offer, Filled(), self.language))
            return
        fields = dict(parse_qsl(route.request.post_data or "", keep_blank_values=True))
        filled = read(fields, "token")
        if isinstance(filled, Filled):
            self._show(route, form_page(self.offer, filled, self.language), 422)
            return
        self.told.append(filled)
        self._show(route, trying_page(self.language))

    @staticmethod
    def _show(route: Route, text: str, status: int = 200) -> None:
        route.fulfill(
            status=status,
            body=text,
            headers={**HEADERS, "Content-Type": "text/html; charset=utf-8"},
        )


@pytest.fixture(scope="module")
def browser(playing: Playwright, speech: Path) -> Iterator[Browser]:
    there = launch(playing, speech)
    yield there
    there.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone; its parameter: whether scripts run, which the page itself never needs."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=request.param
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("page", [False], indirect=True)
def test_a_network_is_chosen_with_the_keyboard_alone(page: Page) -> None:
    box = Box(page, Language.ENGLISH)
    page.goto(HERE)
    page.get_by_label("Upstairs").check()
    page.get_by_label("Wi-Fi password").fill("short")
    page.get_by_label("Country").select_option("GB")
    page.get_by_role("button", name="Connect").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("8 to 63")
    page.get_by_label("Wi-Fi password").fill("long enough")
    page.get_by_role("button", name="Connect").press("Enter")
    expect(page.get_by_role("heading")).to_have_text("The box is trying it now")
    assert box.told == [Target(Wifi("Upstairs", "long enough"), "GB", from_file=False)]


@pytest.mark.parametrize("page", [True], indirect=True)
@pytest.mark.parametrize("language", Language)
def test_everybody_can_use_it_and_the_policy_refuses_nothing(
    page: Page, language: Language, tmp_path: Path
) -> None:
    box = Box(page, language, Cause.WRONG_KEY)
    page.goto(HERE)
    assert Axe().run(page).response["violations"] == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    box.offer = Offer(SEEN, "token", country="GB")
    page.goto(HERE)
    page.locator("#n0").check()
    take(page, tmp_path, f"wifi-{language.value}")
    page.get_by_role("button").click()
    assert Axe().run(page).response["violations"] == []
    take(page, tmp_path, f"trying-{language.value}")
    assert box.complaints == []


def take(page: Page, folder: Path, name: str) -> None:
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    if os.environ.get("STAGEBOX_TAKE_SCREENSHOTS") == "1":
        IMG.mkdir(exist_ok=True)
        with Image.open(path) as picture:
            few = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=_COLOURS)
            few.save(IMG / path.name, optimize=True)
