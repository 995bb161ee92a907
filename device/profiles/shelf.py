"""Finds profiles, and puts a box's settings together: defaults, profile, file, command line."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from device.profiles.model import BARE, FittedConfig
from stagebox.config import ConfigError, Layer, load_layer, parse_layers, place_in

SHELF: Final = Path(__file__).parent
SUFFIX: Final = ".toml"
_NEAREST: Final = 3
# What says who this one box is, or picks a profile, is not a board's to say.
_OWN: Final = ("name", "profile", "hub", "hub_id", "space", "state_dir")


def names() -> tuple[str, ...]:
    """Return the names of the profiles that come with Stagebox, the bare one first."""
    found = sorted(path.stem for path in SHELF.glob(f"*{SUFFIX}"))
    return tuple(sorted(found, key=lambda name: name != BARE))


def profile(name: str) -> FittedConfig:
    """Return a profile by its name or its path, as the settings of a box that says no more.

    Raises:
        ConfigError: there is no such profile, or something in it is wrong.
    """
    layer = _layer(name, Path(), "profile")
    return parse_layers([layer], FittedConfig)


def load_settings(
    path: Path | None, given: Mapping[str, object] | None = None, over: Path | None = None
) -> FittedConfig:
    """Return a box's settings; ``given`` is what the command line says, over all.

    ``over``: a file that goes over the first, if it is there.

    Each mistake is named with the file and line that said it last.

    Raises:
        ConfigError: a file cannot be read, or something in one of them is wrong.
    """
    files = (path, over if over is not None and over.is_file() else None)
    own = [load_layer(each) for each in files if each is not None]
    for layer in own:
        _refuse_board(layer)
    changes = {key: value for key, value in (given or {}).items() if value is not None}
    if changes:
        own.append(Layer("command line", changes))
    chosen = [layer for layer in own if isinstance(layer.data.get("profile"), str)]
    name = str(chosen[-1].data["profile"]) if chosen else BARE
    where = place_in(own, ("profile",)) if chosen else "profile"
    beside = path.parent if path is not None and chosen and chosen[-1].text else Path()
    below = _layer(name, beside, where)
    parse_layers([below], FittedConfig)  # a profile must be right by itself
    return parse_layers([below, *own], FittedConfig)


def own_toml(name: str) -> Path:
    """Return where the profile of this name is, whether it is there or not."""
    return SHELF / f"{name}{SUFFIX}"


def _layer(name: str, beside: Path, where: str) -> Layer:
    """Return what a profile says; ``beside``: where a path starts, ``where``: who asks for it."""
    is_path = "/" in name or name.endswith(SUFFIX)
    if not is_path and name not in names():
        raise ConfigError(f"{where}: there is no profile {name!r}. {_nearest(name)}")
    path = beside / Path(name).expanduser() if is_path else own_toml(name)
    try:
        layer = load_layer(path)
    except ConfigError as error:
        if is_path and not path.is_file():
            raise ConfigError(f"{where}: {error}") from None
        raise
    for key in _OWN:
        if key in layer.data:
            text = "a profile describes a board; this key belongs in the settings of one box"
            raise ConfigError(f"{layer.place((key,))}: {text}.")
    return layer


def _nearest(name: str) -> str:
    begins = [each for each in names() if name and each.startswith(name)]
    alike = difflib.get_close_matches(name, names(), n=_NEAREST, cutoff=0.4)
    near = [*dict.fromkeys([*begins, *alike])][:_NEAREST]
    found = f"Nearest: {', '.join(near)}." if near else f"There are: {', '.join(names())}."
    return f"{found} `stagebox profiles` lists all; a file of your own is given by its path."


def _refuse_board(layer: Layer) -> None:
    if "board" in layer.data:
        text = "this table belongs in a profile: write one and name it with profile = PATH"
        raise ConfigError(f"{layer.place(('board',))}: {text}.")
