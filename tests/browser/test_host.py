"""An evening's tools: what the host does, and what the others then see."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person

PASSWORD = "eight letters"
# The file begins with a spoken notice; what is said meanwhile is not in it.
_NOTICE_S = 9.0


def open_space(person: Callable[..., Person]) -> tuple[Person, str]:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    return host, host.make_space("Kitchen talk", topic="Bread and butter")


@pytest.mark.timeout(600)
def test_a_late_joiner_sees_pins_roles_and_the_queue(person: Callable[..., Person]) -> None:
    host, space = open_space(person)
    first = person("Anna First").join(space)
    first.raise_hand().talk_says("You are next")
    host.page.get_by_label("A note or a link to pin").fill("Bring butter")
    host.button("Pin", exact=True).click()
    late = person("Lars Late").join(space)
    late.sees("Bring butter")
    expect(late.region("Hands (1)")).to_contain_text("Anna First")
    expect(late.region("People")).to_contain_text("Hanna Host")
    late.raise_hand().talk_says("number 2")
    host.button("Move Lars Late up").click()
    late.talk_says("You are next")
    first.talk_says("number 2")
    host.button("Take Anna First's hand down").click()
    first.was_shown("The host took your hand down.")


@pytest.mark.timeout(600)
def test_the_host_holds_removes_and_ends(person: Callable[..., Person]) -> None:
    host, space = open_space(person)
    guest = person("Gina Guest").join(space).has_sound()
    guest.raise_hand().talk_says("You are next")
    host.button("Give the floor to Gina Guest").click()
    guest.talk_says("Your turn").press().talk_says("On air")
    host.button("Hold Gina Guest", exact=True).click()
    guest.was_shown("The host closed your microphone.").talk_says("Held")
    guest.release()
    people = host.region("People")
    people.get_by_text("Gina Guest").click()
    people.get_by_role("button", name="Let go").click()
    guest.talk_says("ask")
    people.get_by_role("button", name="Remove").click()
    guest.sees("The host put you out. You may join again.")
    guest.button("Join", exact=True).click()
    guest.is_in()
    host.button("End for everyone").click()
    host.sees("One other person is in the space.")
    host.button("Keep going").click()
    guest.is_in()
    host.button("End for everyone").click()
    host.button("Yes, end").click()
    guest.sees("The space has ended.")
    host.sees("This space is over.")


@pytest.mark.timeout(600)
def test_who_is_blocked_stays_out_until_the_host_takes_it_back(
    person: Callable[..., Person],
) -> None:
    host, space = open_space(person)
    guest = person("Gina Guest").join(space)
    people = host.region("People")
    people.get_by_text("Gina Guest").click()
    people.get_by_role("button", name="Block").click()
    host.page.get_by_role("dialog").get_by_role("button", name="Block").click()
    guest.sees("You cannot join this space any more.")
    guest.button("Join", exact=True).click()
    guest.sees("You cannot join this space. Ask the host.")
    host.button("Settings", exact=True).click()
    host.button("Who is blocked?").click()
    host.button("Let in again").click()
    host.sees("Nobody.")
    host.page.keyboard.press("Escape")
    guest.button("Join", exact=True).click()
    guest.is_in()


@pytest.mark.timeout(600)
def test_a_block_is_undone_at_once(person: Callable[..., Person]) -> None:
    host, space = open_space(person)
    guest = person("Gina Guest").join(space)
    people = host.region("People")
    people.get_by_text("Gina Guest").click()
    people.get_by_role("button", name="Block").click()
    host.page.get_by_role("dialog").get_by_role("button", name="Block").click()
    host.button("Undo").click()
    host.was_shown("Gina Guest may come again.")
    guest.sees("You cannot join this space any more.")
    guest.button("Join", exact=True).click()
    guest.is_in()


@pytest.mark.timeout(600)
def test_nobody_talks_in_a_recorded_space_before_agreeing(person: Callable[..., Person]) -> None:
    host, space = open_space(person)
    guest = person("Gina Guest").join(space).has_sound()
    host.page.get_by_role("switch", name="Record").click()
    guest.sees("This space is recorded")
    guest.button("Just listen").click()
    guest.sees("You just listen")
    guest.raise_hand()
    guest.was_shown("Agree first, or just listen.")
    guest.button("Agree", exact=True).click()
    guest.raise_hand().talk_says("You are next")
    expect(guest.page.get_by_text("REC, kept until")).to_be_visible()


@pytest.mark.timeout(600)
def test_an_invitation_by_link_and_by_code_gives_its_place(person: Callable[..., Person]) -> None:
    host, _space = open_space(person)
    host.button("Invite", exact=True).click()
    host.button("Invite speakers").click()
    link = host.page.get_by_label("Link", exact=True).input_value()
    code = host.page.locator(".code").inner_text()
    host.page.wait_for_function("() => document.querySelector('.invitation img')?.naturalWidth > 0")
    by_link = (
        person("Lina Link").open(f"/#/join/{link.rpartition('/')[2]}").sees("You are invited as")
    )
    by_link.call_oneself().button("Join", exact=True).click()
    by_link.is_in()
    by_code = person("Carl Code").open("/#/join")
    by_code.page.get_by_label("Code or link").fill(code)
    by_code.button("Go on").click()
    by_code.sees("You are invited as").call_oneself().button("Join", exact=True).click()
    by_code.is_in()
    wrong = person("Wanda Wrong").open("/#/join")
    wrong.page.get_by_label("Code or link").fill("000 000")
    wrong.button("Go on").click()
    wrong.sees("This invitation is not valid any more.")


@pytest.mark.timeout(600)
def test_an_invitation_is_revoked_and_leads_nowhere_but_puts_nobody_out(
    person: Callable[..., Person],
) -> None:
    host, _space = open_space(person)
    host.button("Invite", exact=True).click()
    host.button("Invite speakers").click()
    expect(host.page.locator(".code")).to_be_visible()
    link = host.page.get_by_label("Link", exact=True).input_value()
    code = host.page.locator(".code").inner_text()
    path = f"/#/join/{link.rpartition('/')[2]}"
    guest = person("Lina Link").open(path).sees("You are invited as").call_oneself()
    guest.button("Join", exact=True).click()
    guest.is_in()
    slow = person("Sam Slow").open(path).sees("You are invited as").call_oneself()
    holds = host.region("Invitations that hold")
    expect(holds.get_by_role("listitem")).to_have_count(1)
    expect(holds).to_contain_text("by Hanna Host")
    holds.get_by_role("button", name=f"Revoke speaker {code}").click()
    host.sees("The invitation is taken back")
    expect(holds).to_have_count(0)
    expect(host.page.locator(".code")).to_have_count(0)
    slow.button("Join", exact=True).click()
    slow.sees("This invitation is not valid any more.")
    late = person("Lars Late").open(path)
    late.sees("This invitation is not valid any more.")
    late.page.get_by_label("Code or link").fill(code)
    with late.page.expect_response("**/codes") as answer:
        late.button("Go on").click()
    assert "bad_invite" in answer.value.text()
    host.page.keyboard.press("Escape")
    guest.is_in()
    expect(host.region("People")).to_contain_text("Lina Link")


@pytest.mark.timeout(600)
def test_a_listener_on_plain_http_hears_and_is_told_why_it_cannot_talk(
    person: Callable[..., Person],
) -> None:
    guest = person("Lina Listener")
    guest.http = guest.http.replace("127.0.0.1", "hall-hub.local")
    guest.join("table").has_sound()
    guest.talk_says("why can I not talk?")
    guest.talk.click()
    guest.sees("To talk, open the secure page")
    assert guest.page.get_by_role("link", name="https://hall-hub.local").is_visible()
    guest.sees("Choose Advanced")


@pytest.mark.timeout(600)
def test_keys_alone_talk_and_let_go(person: Callable[..., Person]) -> None:
    one = person("Kim Keys").join("main").has_sound()
    page = one.page
    page.keyboard.down(" ")
    one.talk_says("On air")
    page.keyboard.down("m")
    one.talk_says("Cough")
    page.keyboard.up("m")
    one.talk_says("On air")
    page.keyboard.up(" ")
    one.talk_says("Hold to")
    one.talk.focus()
    page.keyboard.down("Enter")
    one.talk_says("On air")
    page.keyboard.up("Enter")
    one.talk_says("Hold to")


@pytest.mark.timeout(600)
def test_a_recording_is_played_by_turns_and_deleted(person: Callable[..., Person]) -> None:
    host, _space = open_space(person)
    host.has_sound()
    host.page.get_by_role("switch", name="Record").click()
    host.button("Agree", exact=True).click()
    host.sees("You agreed.").wait(_NOTICE_S)
    host.press().talk_says("On air").wait(2.5).release().talk_says("Hold to talk")
    host.page.get_by_role("switch", name="Record").click()
    expect(host.page.get_by_text("REC, kept until")).to_have_count(0)
    host.go("#/recordings").sees("1 voice")
    host.page.get_by_role("link", name="Play Kitchen talk").click()
    host.sees("Turns")
    expect(host.region("Turns").get_by_role("button")).to_contain_text("Hanna Host")
    host.button("Next talker").click()
    host.page.wait_for_function("() => document.querySelector('audio').duration > 2")
    host.button("Delete now").click()
    host.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    host.sees("It is deleted.").sees("There is no recording that you may hear.")
