"""What else an evening has: backstage, marks, holds, captions, a hub that is started anew."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import PATIENT_MS, Person
from tests.support.crew import Hub, wait_until

PASSWORD = "eight letters"


def host_of(person: Callable[..., Person]) -> tuple[Person, str]:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    return host, host.make_space("Kitchen talk")


@pytest.mark.timeout(600)
def test_backstage_the_audience_waits_until_the_host_starts(person: Callable[..., Person]) -> None:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    host.go("#/new")
    host.page.get_by_label("Name", exact=True).fill("Late show")
    host.page.get_by_label("When").select_option("backstage")
    host.button("Go backstage").click()
    host.is_in().sees("Talk to your speakers, then start.")
    guest = person("Gina Guest").open("/#/space/late-show").sees("Your name").call_oneself()
    guest.button("Join", exact=True).click()
    guest.is_in().sees("Backstage: the host starts soon.")
    host.button("Start now").click()
    guest.sees("LIVE").has_sound()
    expect(guest.page.get_by_text("Backstage: the host starts soon.")).to_have_count(0)


@pytest.mark.timeout(600)
def test_marks_holds_priority_and_volume(person: Callable[..., Person]) -> None:
    host, space = host_of(person)
    guest = person("Gina Guest").join(space).has_sound()
    guest.button("React").click()
    guest.button("Applause").click()
    host.was_shown("Gina GuestApplause")
    host.button("Hold all").click()
    guest.sees("The host holds the floor.")
    guest.raise_hand()
    host.button("Let all go").click()
    priority = host.button("Priority")
    priority.click()
    guest.sees("Hanna Host has priority.")
    expect(priority).to_have_attribute("aria-pressed", "true")
    priority.click()
    expect(guest.page.get_by_text("Hanna Host has priority.")).to_have_count(0)
    people = host.region("People")
    people.get_by_text("Gina Guest").click()
    people.get_by_role("slider", name="Volume for all").fill("150")
    guest.sees("volume 150 %")
    people.get_by_role("button", name="Make speaker").click()
    host.was_shown("Gina Guest is a speaker now.")
    # The row moved to another list: it is still open when the page is drawn again.
    host.page.get_by_label("A note or a link to pin").fill("Bring butter")
    host.button("Pin", exact=True).click()
    host.sees("Bring butter")
    people.get_by_role("button", name="Make co-host").click()
    expect(guest.region("Run the space")).to_be_visible()
    expect(guest.button("End for everyone")).to_have_count(0)


@pytest.mark.timeout(600)
def test_who_listens_unnamed_is_counted_and_named_to_nobody(person: Callable[..., Person]) -> None:
    host, space = host_of(person)
    quiet = person("Nora Nobody").open(f"/#/space/{space}").sees("Your name")
    quiet.go("#/settings").call_oneself().button("Save").click()
    quiet.sees("You go by Nora Nobody.").go(f"#/space/{space}")
    quiet.button("Listen unnamed").click()
    quiet.is_in().sees("You listen unnamed.")
    host.sees("1 listener unnamed")
    expect(host.page.get_by_text("Nora Nobody")).to_have_count(0)


@pytest.mark.timeout(600)
def test_a_hub_that_is_started_anew_finds_all_in_their_places(
    person: Callable[..., Person], hub: Hub
) -> None:
    one = person("Rita Round").join("table").has_sound()
    other = person("Otto Other").join("table").has_sound()
    one.raise_hand().talk_says("Your turn")
    other.raise_hand().talk_says("You are next")
    one.forgives = other.forgives = True
    wait_until(lambda: len(hands_on_disk(hub)) == 2, 60, "both hands are on the disk")
    hub.kill()
    expect(one.page.locator("main")).to_contain_text("The line to the hub is broken.")
    again = Hub(hub.folder, hub.port, extra=("--config", str(hub.folder / "hub.toml")))
    try:
        again.wait_up()
        # Who is back first is asked first; nobody's hand was lost.
        expect(other.talk).to_contain_text(re.compile("You are next|Your turn"), timeout=PATIENT_MS)
        expect(one.talk).to_contain_text(re.compile("You are next|Your turn"), timeout=PATIENT_MS)
        other.has_sound()
        expect(one.page.locator("main").get_by_text("The line to the hub")).to_have_count(0)
        expect(one.region("People")).to_contain_text("Otto Other")
    finally:
        again.stop()


def hands_on_disk(hub: Hub) -> list[object]:
    """Return whose hands are up at the table, as the hub would find it after a crash."""
    with contextlib.closing(sqlite3.connect(hub.folder / "hub" / "hub.sqlite3")) as store:
        (kept,) = store.execute("SELECT kept FROM spaces WHERE id = 'table'").fetchone()
    found: list[object] = json.loads(kept).get("hands", [])
    return found


@pytest.mark.timeout(600)
def test_a_whole_evening_by_keyboard_alone(person: Callable[..., Person]) -> None:
    host, space = host_of(person)
    guest = person("Gina Guest").open(f"/#/space/{space}").sees("Your name")
    type_into(guest, "textbox", "Your name", "Gina Guest")
    guest.page.keyboard.press("Enter")
    guest.is_in().has_sound()
    guest.page.keyboard.press("h")
    guest.talk_says("You are next")
    host.page.keyboard.press("n")
    guest.talk_says("Your turn")
    guest.page.keyboard.down(" ")
    guest.talk_says("On air")
    guest.page.keyboard.up(" ")
    guest.talk_says("Hold to ask")
    reach(host, "button", "Invite")
    host.page.keyboard.press("Enter")
    reach(host, "button", "Invite listeners")
    host.page.keyboard.press("Enter")
    host.sees("Code to read out")
    host.page.keyboard.press("Escape")
    reach(host, "button", "End for everyone")
    host.page.keyboard.press("Enter")
    reach(host, "button", "Yes, end")
    host.page.keyboard.press("Enter")
    guest.sees("The space has ended.")


def reach(one: Person, role: str, name: str) -> None:
    """Press Tab until the focus is there, as somebody does who sees where it is."""
    wanted = one.page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    expect(wanted.first).to_be_visible()
    for _ in range(60):
        if wanted.first.evaluate("node => node === document.activeElement"):
            return
        one.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {name}")


def type_into(one: Person, role: str, name: str, text: str) -> None:
    reach(one, role, name)
    one.page.keyboard.press("Control+a")
    one.page.keyboard.type(text)
