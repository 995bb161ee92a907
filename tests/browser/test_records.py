"""What can be looked up: the record of a space, of boxes and releases; and one's own traces."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person

PASSWORD = "eight letters"
pytestmark = pytest.mark.timeout(600)


def read_until(host: Person, button: str, line: str) -> None:
    """Open the record until the line is in it: it is written down behind what happens."""
    log = host.page.get_by_role("dialog", name="What was done")
    for _ in range(60):
        host.button(button, exact=True).click()
        expect(log.get_by_role("listitem").first).to_be_visible()
        is_there = line in log.inner_text()
        host.page.keyboard.press("Escape")
        expect(log).to_have_count(0)
        if is_there:
            return
        host.wait(0.5)
    raise AssertionError(f"the record does not say: {line}")


def test_the_host_reads_what_was_done_now_and_afterwards(person: Callable[..., Person]) -> None:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    space = host.make_space("Kitchen talk")
    guest = person("Gina Guest").join(space)
    guest.raise_hand().talk_says("You are next")
    host.button("Take Gina Guest's hand down").click()
    guest.talk_says("Listening")
    read_until(host, "Log", "Gina Guest's hand was taken down. By Hanna Host.")
    read_until(host, "Log", "The space began.")
    host.button("End for everyone").click()
    host.button("Yes, end").click()
    read_until(host, "What was done", "The space ended.")
    guest.sees("This space is over.")
    expect(guest.button("What was done")).to_have_count(0)


def test_limits_that_only_the_settings_show_are_kept(person: Callable[..., Person]) -> None:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    space = host.make_space("Kitchen talk")
    guest = person("Gina Guest").join(space)
    host.button("Settings", exact=True).click()
    host.page.get_by_label("Hands in line at most").fill("0")
    host.button("Save", exact=True).click()
    host.was_shown("Saved.")
    guest.raise_hand()
    guest.was_shown("Too many hands are up.")


def test_the_password_is_changed_and_everybody_else_is_logged_out(
    person: Callable[..., Person],
) -> None:
    host = person("Hanna Host").set_up(PASSWORD)
    host.button("Change the password").click()
    host.page.get_by_label("Present password").fill("wrong word")
    host.page.get_by_label("New password").fill("another nine")
    host.button("Change", exact=True).click()
    # What is told while a dialog is open is told in it: nothing else is in sight.
    refusal = host.page.get_by_role("dialog").locator(".toast.is-bad")
    expect(refusal).to_contain_text("That is not the password.")
    expect(host.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("not the password")
    host.page.get_by_label("Present password").fill(PASSWORD)
    host.button("Change", exact=True).click()
    host.was_shown("The password is changed")
    host.button("Log out everywhere").click()
    host.page.get_by_label("Password").fill("another nine")
    host.button("Log in").click()
    host.sees("You are logged in, and may do")


def test_the_hub_forgets_a_browser_that_asks_for_it(person: Callable[..., Person]) -> None:
    one = person("Nora Nobody").open("/#/settings").call_oneself()
    one.button("Save").click()
    one.sees("You go by Nora Nobody.").button("Forget me here").click()
    one.was_shown("The hub has forgotten this browser.")
    expect(one.page.get_by_label("Your name")).to_have_value("")
    me = one.page.evaluate("fetch('/api/v1/me').then((answer) => answer.json())")
    assert me.get("id") is None


def test_what_happened_to_boxes_and_their_releases_are_told(person: Callable[..., Person]) -> None:
    host = person("Hanna Host").set_up(PASSWORD)
    host.go("#/boxes")
    host.page.get_by_text("What happened to boxes").click()
    host.sees("Nothing yet.")
    host.page.get_by_text("Releases for boxes").click()
    host.sees("Boxes fetch what lies in").sees("There is none.")


def test_a_day_is_chosen_moved_and_called_off(person: Callable[..., Person]) -> None:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    first, second = (datetime.now() + timedelta(days=days) for days in (2, 3))  # noqa: DTZ005
    host.go("#/new").page.get_by_label("Name", exact=True).fill("Book club")
    host.page.get_by_label("When").select_option("later")
    host.page.get_by_label("Day and time").fill(first.strftime("%Y-%m-%dT20:15"))
    host.button("Put it into the calendar").click()
    host.sees("Starts").sees("20:15")
    assert host.page.get_by_role("link", name="Into my calendar").is_visible()
    guest = person("Gina Guest").open("/#/spaces")
    expect(guest.region("To come")).to_contain_text("Book club")
    host.button("Go in").click()
    host.is_in().button("Settings", exact=True).click()
    host.page.get_by_label("Day and time").fill(second.strftime("%Y-%m-%dT21:45"))
    host.button("Save", exact=True).click()
    host.was_shown("Saved.")
    expect(guest.region("To come")).to_contain_text("21:45")
    host.button("Call it off").click()
    host.sees("This space was called off.")
    expect(guest.page.get_by_text("Book club")).to_have_count(0)
