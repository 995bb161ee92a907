"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

from tests.architecture.pure import ROOT

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def dead_links(path: Path) -> list[str]:
    """Return the links of a document that lead to no file."""
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    files = [link.partition("#")[0] for link in links if "://" not in link]
    return [file for file in files if file and not (path.parent / file).exists()]


@pytest.mark.parametrize("path", _DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert dead_links(path) == []


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](page.md#top), [b](https://example.org), ![c](gone.png), [d](#here)")
    assert dead_links(page) == ["gone.png"]


def test_no_picture_of_the_guide_is_left_over() -> None:
    guide = ROOT / "docs/guide"
    shown = {link for page in guide.glob("*.md") for link in _LINK.findall(page.read_text("utf-8"))}
    folders = ("img", "lamps", "tones")
    pictures = {path for folder in folders for path in (guide / folder).rglob("*.*")}
    assert {str(path.relative_to(guide)) for path in pictures} - shown == set()
