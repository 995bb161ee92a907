from pathlib import Path

import pytest

from tests.firmware.interpreter import unavailable

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = unavailable()
    for item in items:
        if why is not None and HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=why))
