import pytest

from tests.appliance.machine import unavailable


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = unavailable()
    for item in items:
        if why is not None and "tests/appliance" in str(item.path):
            item.add_marker(pytest.mark.skip(reason=f"no virtual machine: {why}"))
