"""An evening, walked through page by page: the list, the door, the space, the end, the replay.

At each stop a ``Look`` looks at the page as it stands: one checks it for accessibility,
another takes its picture for the guide. All else is asked in the other tests.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, expect

from stagebox.wire.terms import Mark, Role
from tests.browser.crowd import WORDS, Crowd, crowd
from tests.browser.people import Person
from tests.support.crew import Hub, free_port

Look = Callable[[Person, str], None]
Meet = Callable[..., Person]

PASSWORD: Final = "eight letters"
SPACE: Final = "Kitchen table"
# The file begins with a spoken notice; what is said meanwhile is not in it.
_NOTICE_S: Final = 9.0
_TURN_S: Final = 4.0
_BOXES: Final = ("Workshop", "Upstairs", "Grandma's room")
_SETTINGS: Final = """
name = "Hall hub"
advertise = false
bind = ["127.0.0.1"]
port = {port}
data = "{data}"
[media]
processes = 0
[web]
secure_port = {secure}
[captions]
engine = "wyoming"
address = "tcp://127.0.0.1:{scribe}"
[[space]]
id = "house"
name = "All over the house"
mode = "walkie"
limits = {{ talk_limit_s = 60 }}
"""
_LATER: Final = """
async () => {
  const at = new Date(Date.now() + 2 * 86_400_000);
  at.setUTCHours(19, 30, 0, 0);
  const answer = await fetch("/api/v1/spaces", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": "one-book" },
    body: JSON.stringify({ name: "Book club", topic: "Chapter nine, and who brings the cake",
      tags: ["books"], mode: "moderated", starts_at: at.toISOString() }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
"""


@contextmanager
def house(folder: Path, others: Crowd) -> Iterator[Hub]:
    """Run a hub with captions and a space that always is."""
    port = free_port()
    settings = folder / "house.toml"
    settings.write_text(
        _SETTINGS.format(port=port, secure=free_port(), data=folder / "house", scribe=others.scribe)
    )
    hub = Hub(folder, port, name="house", extra=("--config", str(settings)))
    try:
        yield hub.wait_up()
    finally:
        hub.stop()


def evening(meet: Meet, hub: Hub, others: Crowd, look: Look) -> None:
    """Walk through all pages and states; look at each."""
    host = meet("Maren", still=True)
    before(host, look)
    space = opened(host, look)
    guest = arrivals(meet, host, hub, others, space, look)
    talk(host, guest, others, look)
    recorded(host, guest, look)
    run_it(meet, host, guest, space, look)
    rulers(host, guest, look)
    over(host, guest, look)
    afterwards(host, look)


def before(host: Person, look: Look) -> None:
    """Look at a hub that nobody runs yet, and become its administrator."""
    host.open("/").sees("All over the house")
    look(host, "spaces-first")
    host.go("#/settings").sees("Nobody runs this hub yet.")
    look(host, "set-up")
    host.set_up(PASSWORD)
    look(host, "settings")
    host.go("#/recordings").sees("There is no recording")
    look(host, "recordings-none")
    host.go("#/nowhere").sees("There is no such page.")
    look(host, "lost")


def opened(host: Person, look: Look) -> str:
    """Open a space with oneself as host; one more stands in the calendar."""
    host.page.evaluate(_LATER)
    host.go("#/new").sees("What kind of space?")
    look(host, "new-empty")
    host.page.get_by_label("Name", exact=True).fill(SPACE)
    host.page.get_by_label("Topic").fill("Bread, butter, and who brings what")
    host.page.get_by_label("Tags").fill("food, Sunday")
    host.page.get_by_label("When").select_option("backstage")
    look(host, "new")
    host.button("Go backstage").click()
    host.is_in().has_sound().sees("Your microphone is open to this page")
    look(host, "backstage")
    host.button("Start now").click()
    host.sees("All microphones are closed.")
    return host.page.url.rpartition("/")[2]


def arrivals(meet: Meet, host: Person, hub: Hub, others: Crowd, space: str, look: Look) -> Person:
    """Let the boxes and a guest come in, by the door and by an invitation."""
    for name in _BOXES:
        others.arrive(hub.http, space, name)
    others.arrive(hub.http, space, "Hallway", Role.SPEAKER)
    host.sees("Grandma's room")
    host.go("#/spaces").sees("Book club")
    look(host, "spaces")
    host.go("#/space/book-club").sees("Starts")
    look(host, "door-scheduled")
    host.go(f"#/space/{space}").is_in()
    host.button("Invite", exact=True).click()
    look(host, "invite-empty")
    host.button("Invite speakers").click()
    host.sees("Code to read out")
    picture = host.page.get_by_alt_text("The link as a picture to scan")
    expect(picture).to_have_js_property("complete", True)
    look(host, "invite")
    token = host.page.get_by_label("Link", exact=True).input_value().rpartition("/")[2]
    host.page.keyboard.press("Escape")
    guest = meet("Noor", still=True).open(f"/#/space/{space}").sees("Your name")
    look(guest, "door-first")
    guest.go("#/join").sees("Code or link")
    look(guest, "join")
    guest.go(f"#/join/{token}").sees("You are invited as")
    look(guest, "invited")
    guest.call_oneself().button("Join", exact=True).click()
    return guest.is_in().has_sound()


def talk(host: Person, guest: Person, others: Crowd, look: Look) -> None:
    """Pins, captions, marks, hands, and the guest on the air."""
    for note in ("Recipes: https://example.org/rye-bread", "We stop at ten."):
        host.page.get_by_label("A note or a link to pin").fill(note)
        host.button("Pin", exact=True).click()
        host.sees(note.partition(":")[0])
    host.page.locator(".host").get_by_role("switch", name="Captions").click()
    for one in (host, guest):
        one.page.get_by_role("switch", name="Write down what I say").click()
    others.raise_hand("Upstairs")
    host.sees("Hands (1)")
    guest.raise_hand().talk_says("number 2")
    others.raise_hand("Workshop")
    host.sees("Hands (3)")
    look(guest, "hand-up")
    others.react("Grandma's room", Mark.HEART)
    expect(guest.page.get_by_role("list", name="Reactions")).to_contain_text("Grandma's room")
    marks_are_seen(guest)
    host.button("Give the floor to Noor").click()
    guest.talk_says("Your turn")
    look(guest, "your-turn")
    guest.press().talk_says("On air")
    look(guest, "on-air")
    host.sees("talking")
    look(host, "space-host")
    look(host, "host-tools")
    guest.wait(_TURN_S).release().talk_says("Hold to ask")
    expect(guest.page.get_by_role("log")).to_contain_text(WORDS[0])
    host.press().talk_says("On air").wait(_TURN_S)
    guest.sees("talking")
    look(guest, "listening")
    look(host, "host-on-air")
    host.release().talk_says("Hold to talk")
    guest.button("React").click()
    look(guest, "marks")
    guest.button("Laugh").click()


def marks_are_seen(one: Person) -> None:
    """Who wants no motion gets the mark standing still, not an empty place."""
    mark = one.page.get_by_role("list", name="Reactions").get_by_role("listitem").first
    assert mark.evaluate("node => getComputedStyle(node).opacity") == "1"


def recorded(host: Person, guest: Person, look: Look) -> None:
    """Record: the guest is asked, then both agree, and each has a turn."""
    host.page.locator(".host").get_by_role("switch", name="Record").click()
    guest.sees("This space is recorded")
    look(guest, "consent")
    guest.button("Just listen").click()
    guest.sees("You just listen")
    look(guest, "just-listen")
    guest.button("Agree and talk").click()
    host.button("Agree", exact=True).click()
    host.wait(_NOTICE_S)
    for one, other in ((host, guest), (guest, host)):
        if one is guest:
            guest.raise_hand().talk_says("number")
            host.button("Give the floor to Noor").click()
            guest.talk_says("Your turn")
        one.press().talk_says("On air").wait(_TURN_S)
        other.sees("talking")
        look(other, f"recorded-{other.name.lower()}")
        one.release().talk_says("Hold to")


def run_it(meet: Meet, host: Person, guest: Person, space: str, look: Look) -> None:
    """The host's tools: of a member, of the floor, of the space."""
    people = host.region("People")
    people.get_by_text("Noor").click()
    look(host, "member")
    tool(host, "Block").click()
    host.sees("Block Noor?")
    look(host, "block")
    host.page.keyboard.press("Escape")
    tool(host, "Hold microphone closed").click()
    guest.sees("The host holds your microphone closed.")
    look(guest, "held")
    tool(host, "Let go").click()
    host.button("Hold all").click()
    guest.sees("The host holds the floor.")
    look(guest, "held-all")
    host.button("Let all go").click()
    host.button("Priority").click()
    guest.sees("Maren has priority.")
    look(guest, "priority")
    host.button("Priority").click()
    host.button("Settings", exact=True).click()
    host.button("Who is blocked?").click()
    host.sees("Nobody.")
    look(host, "edit")
    host.page.keyboard.press("Escape")
    host.button("Log", exact=True).click()
    host.sees("The space began.")
    look(host, "log")
    host.page.keyboard.press("Escape")
    on_plain_http(meet, space, look)


def tool(host: Person, name: str) -> Locator:
    """What can be done with the guest; a window that changes its shape may close the list."""
    people = host.region("People")
    found = people.get_by_role("button", name=name)
    if not found.count():
        people.get_by_text("Noor").click()
    return found


def on_plain_http(meet: Meet, space: str, look: Look) -> None:
    """Somebody who opened the page by a name on the network, without HTTPS."""
    other = meet("Ida", still=True)
    other.http = other.http.replace("127.0.0.1", "hall-hub.local")
    other.join(space).has_sound().button("Just listen").click()
    other.talk_says("why can I not talk?")
    look(other, "plain")
    other.talk.click()
    other.sees("To talk, open the secure page")
    look(other, "plain-why")
    other.page.keyboard.press("Escape")
    other.button("Leave quietly").click()
    other.button("Listen unnamed").click()
    other.is_in().sees("You listen unnamed.")
    look(other, "unnamed")


def rulers(host: Person, guest: Person, look: Look) -> None:
    """How the boxes are, and what the hub is told to do."""
    host.go("#/boxes").sees("Connected for")
    host.sees("You are in")
    look(host, "boxes")
    host.button("Rename").first.click()
    host.sees("as it calls itself")
    look(host, "rename")
    host.page.keyboard.press("Escape")
    host.page.get_by_text("What happened to boxes").click()
    host.page.get_by_text("Releases for boxes").click()
    host.sees("Nothing yet.").sees("There is none.")
    look(host, "boxes-ledger")
    host.go("#/recordings").sees("running now")
    look(host, "recordings-running")
    guest.page.locator("summary", has_text="For me").click()
    guest.sees("Take back my agreement")
    look(guest, "for-me")


def over(host: Person, guest: Person, look: Look) -> None:
    """Leave without a host, or end it for everybody."""
    host.page.get_by_role("link", name="You are in").click()
    host.is_in().button("Leave quietly").click()
    host.sees("Leave without a host?")
    look(host, "leave")
    host.button("Stay").click()
    host.page.locator(".host").get_by_role("switch", name="Record").click()
    expect(guest.page.get_by_text("REC, kept until")).to_have_count(0)
    host.button("End for everyone").click()
    host.sees("End for everyone?")
    look(host, "end")
    host.button("Yes, end").click()
    guest.sees("The space has ended.")
    look(guest, "ended")
    host.sees("hands served")
    look(host, "attendance")


def afterwards(host: Person, look: Look) -> None:
    """What is left: the list of what is over, the recording, the way back in."""
    host.go("#/spaces").sees("All over the house")
    host.button("Show those that are over").click()
    host.sees(SPACE)
    look(host, "spaces-over")
    host.go("#/recordings").sees("2 voices")
    look(host, "recordings")
    host.page.get_by_role("link", name=f"Play {SPACE}").click()
    expect(host.region("Turns").get_by_role("button")).to_have_count(2)
    look(host, "replay")
    host.button("Take my turns out").click()
    host.sees("Take your turns out?")
    look(host, "take-out")
    host.button("Cancel").click()
    host.button("Change it").click()
    look(host, "change")
    host.page.keyboard.press("Escape")
    host.go("#/settings").button("Change the password").click()
    host.sees("Present password")
    look(host, "password")
    host.page.keyboard.press("Escape")
    host.button("Log out", exact=True).click()
    host.sees("You are logged out.")
    expect(host.button("Log in")).to_be_visible()
    look(host, "log-in")


__all__ = ["Look", "Meet", "crowd", "evening", "house"]
