"""Power cuts at random instants, while a box and a hub write all that they ever write."""

import os
import random
from pathlib import Path

import pytest

from tests.appliance.lives import Lives

# A few with the others; 200, which is what a release is held to, take half an hour.
CUTS = int(os.environ.get("STAGEBOX_CUTS", "20"))

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(600 + 60 * CUTS)]


def test_after_every_power_cut_it_is_the_old_or_the_new(tmp_path: Path) -> None:
    seed = int(os.environ.get("STAGEBOX_SEED", "55"))
    chance = random.Random(seed)
    with Lives(tmp_path) as lives:
        while lives.lives <= CUTS:
            lives.live(chance)
            assert lives.ledger.wrong == []
            print(f"life {lives.lives}: {lives.ledger.steps} writes")
        ledger = lives.ledger
    print(
        f"{CUTS} power cuts (seed {seed}): {CUTS} starts, {ledger.steps} writes told as done and"
        f" all found; of {ledger.new + ledger.old} that were under way {ledger.new} were whole and"
        f" {ledger.old} had not happened; nothing torn, every bad release gone"
    )
    assert ledger.steps > CUTS
