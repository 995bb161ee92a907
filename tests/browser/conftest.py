"""A real hub, and a real browser with a microphone that hears a file.

A person is a browser context: own cookies, own storage, own microphone. Whatever a page
complains of, and whatever its policy refuses, fails the test that opened it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from stagebox.speech import write_wav
from tests.browser.people import Person, chromium_missing, launch
from tests.support.crew import Hub, free_port
from tests.support.voices import speaker

MIC_S = 12.0
# A busy machine takes its time: nobody is cut off, and no question lapses, while a test looks.
HUB = """
name = "Hall hub"
advertise = false
bind = ["127.0.0.1"]
port = {port}
data = "{data}"
[media]
processes = 0
[web]
secure_port = {secure}
[spaces]
confirm_s = 120
[[space]]
id = "main"
name = "Main"
mode = "walkie"
limits = {{ talk_limit_s = 0 }}
[[space]]
id = "table"
name = "Round table"
mode = "fifo"
limits = {{ offer_s = 300 }}
"""


# Sound through two browsers at once, and lamps against the clock.
ALONE = {"test_sound.py", "test_simulator.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser needs a core or more; one that is not there is no failure, and is named."""
    why = chromium_missing()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("heavy" if item.path.name in ALONE else "pairs")
        if why and "playing" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def playing() -> Iterator[Playwright]:
    with sync_playwright() as playing:
        yield playing


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browsers' microphone hears: real words, 48 kHz, some seconds, again and again."""
    path = tmp_path_factory.mktemp("mic") / "mic.wav"
    write_wav(path, speaker(0, MIC_S))
    return path


@pytest.fixture(scope="session")
def chromium(playing: Playwright, speech: Path) -> Iterator[Browser]:
    browser = launch(playing, speech)
    yield browser
    browser.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    port = free_port()
    settings = tmp_path / "hub.toml"
    settings.write_text(HUB.format(port=port, secure=free_port(), data=tmp_path / "hub"))
    hub = Hub(tmp_path, port, extra=("--config", str(settings)))
    try:
        yield hub.wait_up()
    finally:
        hub.stop()


@pytest.fixture
def person(chromium: Browser, hub: Hub) -> Iterator[Callable[..., Person]]:
    """Open a browser for somebody: ``person("Hanna", dark=True, size=(360, 740))``."""
    opened: list[Person] = []

    def meet(name: str, **looks: object) -> Person:
        one = Person(chromium, hub.http, name, **looks)  # type: ignore[arg-type]
        opened.append(one)
        return one

    yield meet
    for one in opened:
        one.close()
    troubles = [trouble for one in opened for trouble in one.troubles]
    assert not troubles, "\n".join(troubles)
