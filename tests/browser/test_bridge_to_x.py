"""Whoever makes a bridge to X is told the risk first, by a page in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import PATIENT_MS, Person
from tests.browser.test_accessibility import faults

PASSWORD = "eight letters"


@pytest.mark.timeout(300)
def test_the_risk_is_accepted_before_the_bridge_is_made(person: Callable[..., Person]) -> None:
    host = person("Hanna Host", size=(390, 844)).set_up(PASSWORD)
    host.make_space("Far away", topic="Elsewhere")
    host.button("Bridges").click()
    page = host.page.get_by_role("dialog")
    make = page.get_by_role("button", name="Bridge", exact=True)
    expect(make).to_be_enabled(timeout=PATIENT_MS)
    page.get_by_label("What is on the other side").select_option("x")
    expect(page).to_contain_text("may stop working on any day")
    expect(make).to_be_disabled()
    page.get_by_label("Name of the bridge").fill("Space")
    page.get_by_label("Address of the server").fill("https://x.com/i/spaces/1AbC")
    page.get_by_label("What it does there").select_option("speak")
    risk = page.get_by_role("switch", name="I accept that X may suspend the account")
    risk.check()
    expect(make).to_be_enabled()
    assert faults(host, {}) == []
    host.fits()
    make.click()
    # This hub's settings do not accept it, so it is refused, with what to write there.
    expect(host.page.locator("#urgent")).to_contain_text(
        "i_accept_that_x_may_suspend_this_account", timeout=PATIENT_MS
    )
    page.get_by_label("What is on the other side").select_option("mumble")
    expect(risk).to_have_count(0)
    expect(make).to_be_enabled()
