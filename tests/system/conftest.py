"""Order of the system tests: the longest file first, so that the others run beside it."""

import pytest

LONGEST = "test_bad_network.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != LONGEST)
