"""The card beside a box is one page on either paper, and nothing of it is cut off."""

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Playwright

from tests.browser.people import launch

GUIDE: Final = Path(__file__).parents[2] / "docs/guide"
TOO_WIDE: Final = """() => [...document.querySelectorAll("td, th, h1, p")]
    .filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.textContent)"""
CARDS: Final = sorted(GUIDE.glob("card-*.html"))


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.stem)
def test_a_card_is_one_page_and_fits_its_width(
    playing: Playwright, card: Path, tmp_path: Path
) -> None:
    browser = launch(playing, tmp_path / "none.wav")
    try:
        page = browser.new_page()
        page.goto(card.as_uri())
        for paper in ("A4", "Letter"):
            printed = page.pdf(format=paper, prefer_css_page_size=False, path=tmp_path / paper)
            assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, paper
        assert page.evaluate(TOO_WIDE) == []
    finally:
        browser.close()


def test_there_is_a_card_for_each_language() -> None:
    assert [path.stem for path in CARDS] == ["card-de", "card-en"]
