"""Files for the box, in a folder that only this program writes to."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioning.network.terms import Tell
from stagebox.netstate import SETTINGS_FILE, STATE_FILE, NetworkState, encode

_MODE = 0o640  # the box's group reads the hotspot's key, nobody else does


class Publisher:
    """Writes steps, each with a number that is higher than the last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def tell(self, told: Tell) -> None:
        """Publish a step. Raises OSError."""
        self._number += 1
        state = NetworkState(
            number=self._number,
            step=told.step,
            detail=told.detail[:64],
            line=told.line,
            secret=told.secret,
        )
        _replace(self._folder / STATE_FILE, encode(state))

    def hand_over(self, settings: Mapping[str, Any]) -> None:
        """Leave settings for the box to read when it starts. Raises OSError."""
        _replace(self._folder / SETTINGS_FILE, toml(settings).encode())


def toml(settings: Mapping[str, Any]) -> str:
    """Return settings of texts, and one level of tables of texts, as TOML."""
    plain = [_line(key, value) for key, value in settings.items() if isinstance(value, str)]
    tables = [
        "\n".join([f"[{key}]", *(_line(*each) for each in value.items())])
        for key, value in settings.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([*plain, *tables, ""])


def _line(key: str, value: str) -> str:
    # A text in JSON is a basic string of TOML, but for DEL, which is in no name.
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.touch(_MODE)
    temporary.write_bytes(data)
    temporary.chmod(_MODE)
    temporary.replace(path)
