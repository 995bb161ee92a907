"""The hub that is attacked is one for each file of tests: starting it costs seconds."""

from collections.abc import Iterator

import pytest

from tests.security.house import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a hub with a conversation through it."""
    house = House(tmp_path_factory.mktemp("house"))
    try:
        yield house
    finally:
        house.close()
