"""What the tests measured last, case by case: printed always, kept on request.

``STAGEBOX_FIGURES=1`` keeps each figure in docs/security/figures.json, from which the table
in docs/security.md is made. ``STAGEBOX_ATTACKS=full`` runs the counts of the checklist; without
it a tenth or less is enough to see whether a defence is there.
"""

import json
import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "docs" / "security" / "figures.json"
FULL: Final = os.environ.get("STAGEBOX_ATTACKS") == "full"


def counts(full: int, quick: int) -> int:
    """Return how often to do it now."""
    return full if FULL else quick


def load() -> dict[str, str]:
    """Return the figures that are kept, by number of case."""
    if not FILE.exists():
        return {}
    kept: dict[str, str] = json.loads(FILE.read_text())
    return kept


def figure(case: int, text: str) -> None:
    """Print what was measured for a case, and keep it if figures are wanted."""
    print(f"case {case}: {text}")
    if not os.environ.get("STAGEBOX_FIGURES"):
        return
    kept = {**load(), f"{case:02}": text}
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
