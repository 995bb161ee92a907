"""Each loss of the panel on a cable is told once, and so is its end."""

from hypothesis import given
from hypothesis import strategies as st

from device.buttons.panellink import Trouble
from device.floor.prompts import Prompt
from device.panelnews import PROMPTS, PanelNews

GONE, OLD, STRANGE = Trouble.GONE, Trouble.OLD, Trouble.STRANGE


def told(*kinds: Trouble | None) -> list[Prompt]:
    news = PanelNews()
    return [say.prompt for kind in kinds for say in news.feed(kind)]


def test_a_loss_is_told_once_and_so_is_its_end() -> None:
    assert told(None, GONE, GONE, GONE, None, None) == [Prompt.PANEL_GONE, Prompt.PANEL_BACK]
    assert told(GONE, None, GONE) == [Prompt.PANEL_GONE, Prompt.PANEL_BACK, Prompt.PANEL_GONE]


def test_other_firmware_is_told_once_for_as_long_as_it_is_there() -> None:
    assert told(OLD, OLD) == [Prompt.PANEL_OLD]
    assert told(OLD, GONE, OLD) == [Prompt.PANEL_OLD, Prompt.PANEL_GONE, Prompt.PANEL_BACK]
    assert told(GONE, OLD) == [Prompt.PANEL_GONE, Prompt.PANEL_BACK, Prompt.PANEL_OLD]
    assert told(OLD, None, OLD) == [Prompt.PANEL_OLD, Prompt.PANEL_OLD]


def test_a_stranger_among_the_ports_is_told_once() -> None:
    assert told(STRANGE, GONE, STRANGE, GONE, None) == [
        Prompt.PANEL_STRANGE,
        Prompt.PANEL_GONE,
        Prompt.PANEL_BACK,
    ]


@given(st.lists(st.sampled_from([None, *Trouble]), max_size=40))
def test_what_works_is_back_exactly_once_after_each_loss(kinds: list[Trouble | None]) -> None:
    news, is_lost = PanelNews(), False
    assert not news.is_wrong
    for kind in kinds:
        said = [say.prompt for say in news.feed(kind)]
        works = kind in {None, OLD}
        assert (Prompt.PANEL_BACK in said) is (works and is_lost)
        is_lost = not works
        assert news.is_wrong is (kind is not None)
        assert len(set(said)) == len(said) <= 2


def test_every_trouble_has_words() -> None:
    assert set(PROMPTS) == set(Trouble)
