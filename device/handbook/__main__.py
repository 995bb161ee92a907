"""Makes what of the guide comes from the code: ``python -m device.handbook [--write]``.

Without ``--write`` it changes nothing and says what is out of date, with status 1.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from device.config import BoxConfig
from device.handbook.made import pages, pictures
from device.handbook.settings import settings

GUIDE: Final = Path("docs/guide")
# Folders that hold nothing but pictures from here: what is not made any more goes.
_OURS: Final = ("lamps", "tones")


def made(guide: Path = GUIDE) -> dict[Path, str]:
    """Return every file that is made, or has parts that are, with what belongs in it."""
    written = {str(path): path.read_text(encoding="utf-8") for path in sorted(guide.glob("*.md"))}
    filled = pages(written, settings(BoxConfig))
    found = {Path(path): text for path, text in filled.items()}
    return found | {guide / name: text for name, text in pictures().items()}


def stale(guide: Path = GUIDE) -> list[Path]:
    """Return what differs from what the code says, and what is left over."""
    wanted = made(guide)
    differ = [path for path, text in wanted.items() if _read(path) != text]
    pictures = {path for folder in _OURS for path in (guide / folder).glob("*")}
    return sorted([*differ, *(pictures - set(wanted))])


def write(guide: Path = GUIDE) -> None:
    """Make all files."""
    wanted = made(guide)
    for path in stale(guide):
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()


def main() -> int:
    """Write, or say what is out of date."""
    parser = argparse.ArgumentParser(description="Make what of the guide comes from the code.")
    parser.add_argument("--write", action="store_true", help="write the files")
    if parser.parse_args().write:
        write()
    old = stale()
    for path in old:
        print(f"{path} is not what the code says; run ./dev docs", file=sys.stderr)
    return 1 if old else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
