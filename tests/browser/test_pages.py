"""Every page, as it looks on a phone and on a desk: nothing sticks out, axe finds nothing serious.

With ``STAGEBOX_PICTURES`` set to a folder the pictures of the guide are kept there.
"""

from collections.abc import Callable
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.people import Person

PASSWORD = "eight letters"
_SERIOUS: Final = ("serious", "critical")
# A policy that lets no inline script stand lets axe in by the debugger's door alone.
_RULES: Final = {"resultTypes": ["violations"]}


def axe(one: Person) -> None:
    found = Axe().run(one.page, options=_RULES).response["violations"]
    told = [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for each in found
        if each["impact"] in _SERIOUS
        for node in each["nodes"]
    ]
    assert not told, "\n".join([one.page.url, *told])


def look(one: Person, name: str) -> None:
    """Look at the page as it is: its shape, its accessibility, its picture."""
    one.fits()
    axe(one)
    one.shot(f"console-{name}", full=True)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("size", "dark"),
    [((360, 740), False), ((360, 740), True), ((1280, 860), False), ((1280, 860), True)],
)
def test_pages(person: Callable[..., Person], size: tuple[int, int], dark: bool) -> None:
    suffix = ("phone" if size[0] < 500 else "desk") + ("-dark" if dark else "")
    host = person("Hanna Host", size=size, dark=dark, still=True).open("/")
    host.sees("Round table").wait(0.3)
    look(host, f"spaces-{suffix}")
    host.set_up(PASSWORD)
    look(host, f"settings-{suffix}")
    host.go("#/new").sees("What kind of space?")
    look(host, f"new-{suffix}")
    space = host.make_space("Kitchen talk", topic="Bread, butter, and who brings what")
    host.has_sound()
    host.page.get_by_label("A note or a link to pin").fill("Recipes https://example.org/bread")
    host.button("Pin", exact=True).click()
    host.sees("Recipes")
    host.region("People").get_by_text("Hanna Host (you)").click()
    look(host, f"space-{suffix}")
    host.button("Invite", exact=True).click()
    host.button("Invite speakers").click()
    host.sees("Code to read out").wait(0.3)
    look(host, f"invite-{suffix}")
    host.page.keyboard.press("Escape")
    host.button("Settings", exact=True).click()
    host.sees("Settings of the space")
    look(host, f"edit-{suffix}")
    host.page.keyboard.press("Escape")
    host.go("#/boxes").sees("Connected for")
    host.sees("You are in")
    look(host, f"boxes-{suffix}")
    host.go("#/recordings").wait(1)
    look(host, f"recordings-{suffix}")
    host.go("#/join").sees("Code or link")
    look(host, f"join-{suffix}")
    host.go("#/nowhere").sees("There is no such page.")
    host.go(f"#/space/{space}").is_in()
    guest = person("Gina Guest", size=size, dark=dark).open(f"/#/space/{space}").sees("Your name")
    look(guest, f"door-{suffix}")
