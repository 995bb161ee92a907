"""A service for captions that is killed and comes back, as people in the space see it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import HUB
from tests.browser.people import Person
from tests.support.crew import Hub, free_port
from tests.support.speech_service import speech_service

PASSWORD = "eight letters"
GONE = "Nothing is written down just now"
# It is asked after every ten seconds, and tried again after half a minute at most.
SERVICE_MS = 240_000


@pytest.fixture
def scribe_port() -> int:
    return free_port()


@pytest.fixture
def hub(tmp_path: Path, scribe_port: int) -> Iterator[Hub]:
    port = free_port()
    settings = tmp_path / "hub.toml"
    captions = f'[captions]\nengine = "wyoming"\naddress = "tcp://127.0.0.1:{scribe_port}"\n'
    words = HUB.format(port=port, secure=free_port(), data=tmp_path / "hub")
    settings.write_text(words.replace("[web]", captions + "[web]"))
    hub = Hub(tmp_path, port, extra=("--config", str(settings)))
    try:
        yield hub.wait_up()
    finally:
        hub.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_captions_that_are_away_are_told_and_come_back_by_themselves(
    person: Callable[..., Person], scribe_port: int
) -> None:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    host.make_space("Kitchen talk")
    guest = person("Gina Guest").join("kitchen-talk").has_sound()
    with speech_service(port=scribe_port):
        host.page.locator(".host").get_by_role("switch", name="Captions").click()
        host.has_sound().page.get_by_role("switch", name="Write down what I say").click()
        host.press().talk_says("On air").wait(3).release().talk_says("Hold to talk")
        expect(host.page.get_by_role("log")).to_contain_text("Hanna Host", timeout=SERVICE_MS)
        expect(host.page.get_by_text(GONE)).to_have_count(0)
    # Killed, and nobody says a word.
    notice = host.region("Captions").get_by_role("status")
    expect(notice).to_contain_text(GONE, timeout=SERVICE_MS)
    expect(notice).to_contain_text("start the captions service again")
    guest.sees(GONE).sees("tell the host")
    door = guest.page.evaluate("fetch('/api/v1/spaces/kitchen-talk').then((r) => r.json())")
    assert door["space"]["captions_away"] is True
    with speech_service(port=scribe_port):
        for one in (host, guest):
            expect(one.page.get_by_text(GONE)).to_have_count(0, timeout=SERVICE_MS)
        said = host.page.get_by_role("log").get_by_role("paragraph")
        before = said.count()
        host.press().talk_says("On air").wait(3).release().talk_says("Hold to talk")
        expect(said).not_to_have_count(before, timeout=SERVICE_MS)
