"""Adding a box on the console, as a person with a telephone does it beside the box."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import pytest
from playwright.sync_api import expect

from stagebox.wire.enrolment import EnrolmentError
from stagebox.wire.messages import Error, Welcome
from tests.browser.scenes import Meet
from tests.browser.test_accessibility import faults, sticks_out
from tests.loopback.trust.kit import CODE, TlsBox
from tests.support.crew import Hub, free_port

SETTINGS: Final = """
name = "Hall hub"
advertise = false
bind = ["127.0.0.1"]
port = {port}
data = "{data}"
[media]
processes = 0
[web]
secure_port = {secure}
"""
PASSWORD: Final = "a long enough password"
PHONE: Final = (360, 740)


class BoxInHand:
    """A box that somebody holds; it is enrolled in a thread of its own."""

    def __init__(self, secure_port: int) -> None:
        self._hub: Any = SimpleNamespace(server=SimpleNamespace(secure_port=secure_port))
        self.ends: list[str] = []

    def hold(self) -> threading.Thread:
        thread = threading.Thread(target=lambda: asyncio.run(self._enrol()), daemon=True)
        thread.start()
        return thread

    async def _enrol(self) -> None:
        async with TlsBox(self._hub, "Kitchen <b>") as box:
            for _ in range(2):
                try:
                    await box.enrol()
                except aiohttp.WSMessageTypeError:
                    return  # the hub stops
                except EnrolmentError as error:
                    self.ends.append(error.reason.value)
                    continue
                assert isinstance(await box.login(), Welcome)
                self.ends.append("in")
                return

    def wait_outside(self, pin: str) -> None:
        async def come() -> None:
            async with TlsBox(self._hub, "Bath") as box:
                assert isinstance(await box.login(pin=pin), Error)

        thread = threading.Thread(target=lambda: asyncio.run(come()), daemon=True)
        thread.start()
        thread.join(20)


@pytest.fixture
def secure_port() -> int:
    return free_port()


@pytest.fixture
def hub(tmp_path: Path, secure_port: int) -> Iterator[Hub]:
    port = free_port()
    settings = tmp_path / "hub.toml"
    settings.write_text(SETTINGS.format(port=port, secure=secure_port, data=tmp_path / "hub"))
    hub = Hub(tmp_path, port, extra=("--config", str(settings)), enrolled=True)
    try:
        yield hub.wait_up()
    finally:
        hub.stop()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_box_is_added_with_its_code_at_phone_size_by_keyboard(
    person: Meet, hub: Hub, secure_port: int
) -> None:
    one = person("Hanna", size=PHONE, still=True).open("/").set_up(PASSWORD)
    one.go("boxes").sees("Add a box")
    one.button("Add a box").press("Enter")
    code = one.page.get_by_label("Code")
    expect(code).to_be_focused()
    one.sees("5 tries are left.").sees("No box has called yet.")
    box = BoxInHand(secure_port)
    thread = box.hold()
    one.sees("waits for its code")
    one.page.keyboard.type("000000")
    one.page.keyboard.press("Enter")
    one.sees("That was not the code").sees("4 tries are left.")
    assert not [*sticks_out(one), *faults(one, {})]
    one.sees("waits for its code")
    expect(code).to_be_focused()
    one.page.keyboard.type(CODE)
    one.page.keyboard.press("Enter")
    status = one.page.locator(".adding [role=status]")
    expect(status).to_contain_text("Kitchen <b> was added")
    thread.join(20)
    assert box.ends == ["wrong_code", "in"]
    expect(one.page.get_by_text("enrolled", exact=True)).to_be_visible()
    one.button("Remove Kitchen <b>").click()
    one.button("Remove it").click()
    one.sees("Kitchen <b> was removed.").sees("not enrolled")
    assert not [*sticks_out(one), *faults(one, {})]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_boxes_that_wait_are_let_in_and_the_certificate_is_changed(
    person: Meet, hub: Hub, secure_port: int
) -> None:
    one = person("Hanna", size=PHONE, still=True).open("/").set_up(PASSWORD)
    one.go("boxes").sees("Add a box")
    pin = one.page.evaluate("fetch('/api/v1/box-certificate').then((r) => r.json())")["pin"]
    box = BoxInHand(secure_port)
    box.wait_outside(pin)
    one.sees("Waiting to be let in")
    assert not [*sticks_out(one), *faults(one, {})]
    one.button("Let Bath in").click()
    one.sees("Bath is in.")
    one.page.get_by_text("The hub's certificate").click()
    one.button("Make the next one").click()
    one.sees("0 of 1 boxes have come with the next one.")
    assert not [*sticks_out(one), *faults(one, {})]
    one.button("Finish the change").click()
    one.sees("The certificate is changed.")
