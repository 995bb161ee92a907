"""A host plays the space in the kitchen: on a real Snapcast, by a real page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import HUB
from tests.browser.people import PATIENT_MS, Person
from tests.browser.test_accessibility import faults
from tests.support import snapcast
from tests.support.crew import Hub, free_port, wait_until
from tests.support.snapcast import Snapclient, Snapserver

PASSWORD = "eight letters"


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[Snapclient]:
    if not snapcast.is_here():
        pytest.skip("no Snapcast: apt install snapserver snapclient")
    with Snapserver(tmp_path) as server, Snapclient(server, "kitchen") as client:
        server.ask("Client.SetName", id="kitchen", name="the kitchen")
        yield client


@pytest.fixture
def hub(tmp_path: Path, kitchen: Snapclient) -> Iterator[Hub]:
    port = free_port()
    settings = tmp_path / "hub.toml"
    own = HUB.format(port=port, secure=free_port(), data=tmp_path / "hub")
    found = f'[speakers]\nsnapcast = ["{kitchen.server.address}"]\n[[space]]'
    settings.write_text(own.replace("[[space]]", found, 1))
    hub = Hub(tmp_path, port, extra=("--config", str(settings)))
    try:
        yield hub.wait_up()
    finally:
        hub.stop()


# A hub that takes two seconds to answer what is changed.
SLOW_PATCH = """() => {
  const real = window.fetch;
  window.fetch = async (url, asked) => {
    if (asked?.method === "PATCH") await new Promise((done) => setTimeout(done, 2000));
    return real(url, asked);
  };
}"""


@pytest.mark.timeout(600)
def test_a_host_plays_the_space_in_the_kitchen(
    person: Callable[..., Person], kitchen: Snapclient, tmp_path: Path
) -> None:
    host = person("Hanna Host", size=(390, 844)).set_up(PASSWORD)
    host.make_space("Kitchen talk", topic="Bread and butter")
    host.button("Speakers").click()
    page = host.page.get_by_role("dialog")
    switch = page.get_by_role("switch", name="Play in the kitchen")
    expect(switch).not_to_be_checked(timeout=PATIENT_MS)
    host.page.evaluate(SLOW_PATCH)
    switch.check()
    for _ in range(10):  # the page is drawn anew meanwhile, and knows nothing of it yet
        assert switch.is_checked()
        host.page.wait_for_timeout(150)
    expect(page).to_contain_text("waits for the stream", timeout=PATIENT_MS)
    expect(switch).to_be_checked()
    page.get_by_role("button", name="Switch the stream on").click()
    expect(page).to_contain_text("plays this space", timeout=PATIENT_MS)
    volume = page.get_by_role("slider", name="Volume of the kitchen")
    volume.focus()
    volume.press("ArrowLeft")
    wait_until(lambda: _percent(kitchen) == 95, 20, "the kitchen is less loud")
    expect(page).to_contain_text("95 %")
    assert faults(host, {}) == []
    host.fits()
    host.page.screenshot(path=tmp_path / "speakers.png")
    _client, group = kitchen.server.client("kitchen")
    kitchen.server.ask("Group.SetStream", id=group["id"], stream_id="Radio")
    expect(page).to_contain_text("was stopped there", timeout=PATIENT_MS)
    expect(switch).not_to_be_checked()


def _percent(kitchen: Snapclient) -> int:
    client, _group = kitchen.server.client("kitchen")
    return int(client["config"]["volume"]["percent"])
