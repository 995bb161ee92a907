"""axe-core looks at every page and state: small and wide, light and dark.

It comes in by the debugger's door, for the page's own policy lets in no script but its own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.crowd import Crowd, crowd
from tests.browser.people import Person
from tests.browser.scenes import Meet, evening, house
from tests.support.crew import Hub

_SERIOUS: Final = ("serious", "critical")
_PHONE: Final = (360, 740)
_LOOKS: Final[tuple[tuple[tuple[int, int], Literal["light", "dark"], dict[str, Any]], ...]] = (
    (_PHONE, "light", {}),
    # What colours alone change.
    (_PHONE, "dark", {"runOnly": ["color-contrast"]}),
    ((1280, 860), "light", {"runOnly": ["color-contrast"]}),
    ((1280, 860), "dark", {}),
)


@pytest.fixture
def others() -> Iterator[Crowd]:
    with crowd() as there:
        yield there


@pytest.fixture
def hub(tmp_path: Path, others: Crowd) -> Iterator[Hub]:
    with house(tmp_path, others) as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_page_has_a_serious_fault(person: Meet, hub: Hub, others: Crowd) -> None:
    told: list[str] = []
    names: list[str] = []

    def look(one: Person, name: str) -> None:
        names.append(name)
        for size, scheme, options in _LOOKS:
            one.page.set_viewport_size({"width": size[0], "height": size[1]})
            one.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = [*sticks_out(one), *faults(one, options)]
            told.extend(f"{name}, {size[0]} px, {scheme}: {fault}" for fault in found)
        one.page.set_viewport_size({"width": _PHONE[0], "height": _PHONE[1]})

    evening(person, hub, others, look)
    assert not told, "\n".join(told)
    assert len(set(names)) == len(names)


_WIDER: Final = """
() => {
  const isWide = (node) => node.scrollWidth > node.clientWidth;
  return [document.documentElement, ...document.querySelectorAll("dialog[open]")]
    .filter(isWide)
    .flatMap((box) => {
      const { right } = box.getBoundingClientRect();
      return [...box.querySelectorAll("*")]
        .filter((node) => node.getBoundingClientRect().right > right)
        .map((node) => node.outerHTML.slice(0, 120));
    });
}
"""


def sticks_out(one: Person) -> list[str]:
    """Return what sticks out to the side, or is cut off in a dialog."""
    wide: list[str] = one.page.evaluate(_WIDER)
    return [f"sticks out: {each}" for each in wide[:3]]


def faults(one: Person, options: dict[str, Any]) -> list[str]:
    """Return what is wrong with the page as it is, by axe's own words."""
    found = Axe().run(one.page, options={"resultTypes": ["violations"], **options})
    return [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
        for each in found.response["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"]
    ]


def test_axe_is_not_blind(person: Meet) -> None:
    one = person("Anna", still=True).open("/").sees("All over the house")
    assert faults(one, {}) == []
    one.page.evaluate(
        "() => document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')"
    )
    assert any(fault.startswith("button-name") for fault in faults(one, {}))
