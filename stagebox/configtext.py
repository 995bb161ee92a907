"""Text into settings, and every mistake in it into one sentence with its line.

The pure half of ``stagebox.config``. What msgspec says about a value that does not
fit is taken apart, the key is found again in the text, and what is allowed there is
said in words.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from msgspec.inspect import type_info

from stagebox.configtypes import describe, key_type, keys, type_at
from stagebox.tomltext import Steps, line_of

_SHOWN: Final = 40  # characters of a wrong value that are repeated in the message
_SECRET: Final = re.compile(r"password|secret|token|key", re.IGNORECASE)
_AT: Final = re.compile(r"^(?P<what>.*) - at (?P<name>`key` in )?`\$(?P<path>[^`]*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\.\.\.)\]")
_FIELD: Final = re.compile(r"^Object (contains unknown|missing required) field `(.*)`$", re.DOTALL)
_ANY: Final = "..."  # how msgspec writes "one of the keys of this table"

_T = TypeVar("_T")


class ConfigError(Exception):
    """The settings cannot be used; the text says where, what and what is allowed."""


class WrongKeyError(ValueError):
    """Raised by a struct's ``__post_init__``: ``key`` of this table is wrong, and why.

    ``key`` may lead into a table below, as "panel.talk". ``other`` is the same mistake seen
    from the key that this one contradicts: it is said instead where that one was said later.
    """

    def __init__(self, key: str, why: str, other: "WrongKeyError | None" = None) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key
        self.why = why
        self.other = other


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says, for settings that come from several; ``text`` None: no lines."""

    source: str
    data: dict[str, Any]
    text: str | None = None

    def held(self, steps: Steps) -> int:
        """How many of the steps to a key this layer has."""
        data: Any = self.data
        for count, step in enumerate(steps):
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                return count
        return len(steps)

    def place(self, steps: Steps) -> str:
        """Return the key at ``steps`` with its source and line, for the start of a sentence."""
        if self.text is None:
            return _place(self.source, steps)
        return _place(f"{self.source}:{line_of(self.text, steps)}", steps)


def read_layer(text: str, source: str = "config") -> Layer:
    """Return what ``text`` (TOML) says, unchecked but for its syntax.

    Raises:
        ConfigError: a syntax error, or a number that is none.
    """
    layer = Layer(source, _parse_toml(text, source), text)
    for steps in _not_finite(layer.data, ()):
        raise ConfigError(f"{layer.place(steps)}: a number must be finite.")
    return layer


def parse_config(text: str, kind: type[_T], source: str = "config") -> _T:
    """Return the settings that ``text`` (TOML) describes; ``source`` names it in errors.

    Raises:
        ConfigError: a syntax error, an unknown or missing key, or a value that is not allowed.
    """
    return parse_layers([read_layer(text, source)], kind)


def parse_layers(layers: Sequence[Layer], kind: type[_T]) -> _T:
    """Return the settings that the layers describe, a later one over an earlier one.

    Tables are joined key by key; anything else replaces what was said before.

    Raises:
        ConfigError: with the source and line of the layer that said what is wrong.
    """
    data: dict[str, Any] = {}
    for layer in layers:
        data = _joined(data, layer.data)
    try:
        return msgspec.convert(data, kind, strict=True)
    except msgspec.ValidationError as error:
        steps, problem = _explain(error, data, kind)
        if isinstance(error.__cause__, WrongKeyError):
            steps, problem = _blamed(layers, steps, error.__cause__)
        raise ConfigError(f"{place_in(layers, steps)}: {problem}") from None


def place_in(layers: Sequence[Layer], steps: Steps) -> str:
    """Return the key at ``steps`` with the source and line that had the last word on it."""
    return layers[_said_in(layers, steps)].place(steps)


def _said_in(layers: Sequence[Layer], steps: Steps) -> int:
    """Return which layer says the key at ``steps`` last, or most of the way to it."""
    return max(range(len(layers)), key=lambda index: (layers[index].held(steps), index))


def _blamed(layers: Sequence[Layer], steps: Steps, wrong: WrongKeyError) -> tuple[Steps, str]:
    """Return the one of two keys that contradict each other which was said later."""
    above = steps[: len(steps) - len(wrong.key.split("."))]
    views = [wrong] if wrong.other is None else [wrong, wrong.other]
    paths = [(*above, *view.key.split(".")) for view in views]
    said = [_said_in(layers, path) if _says(layers, path) else -1 for path in paths]
    last = said.index(max(said))
    return paths[last], views[last].why


def _says(layers: Sequence[Layer], steps: Steps) -> bool:
    return any(layer.held(steps) == len(steps) for layer in layers)


def _joined(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        two = isinstance(under, dict) and isinstance(value, dict)
        both[key] = _joined(both[key], value) if two else value
    return both


def override(config: _T, changes: Mapping[str, object], source: str = "command line") -> _T:
    """Return the settings with some keys replaced by what ``source`` says instead.

    Raises:
        ConfigError: a value that is not allowed.
    """
    data = {**msgspec.to_builtins(config), **changes}
    try:
        return msgspec.convert(data, type(config), strict=True)
    except msgspec.ValidationError as error:
        steps, problem = _explain(error, data, type(config))
        raise ConfigError(f"{_place(source, steps)}: {problem}") from None


def _parse_toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply.") from None
    except ValueError as error:
        what, found, rest = str(error).partition(" (at ")
        numbers = re.search(r"line (\d+), column (\d+)", rest)
        last = max(1, text.count("\n") + (not text.endswith("\n")))
        line = int(numbers[1]) if numbers else last
        place = f"{source}:{line}" if found else source
        raise ConfigError(f"{place}: not valid TOML: {what}.") from None


def _not_finite(value: Any, steps: Steps) -> Iterator[Steps]:  # noqa: ANN401 - any TOML value
    """Yield where nan and inf stand: they slip through every comparison with a limit."""
    if isinstance(value, float) and not math.isfinite(value):
        yield steps
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_finite(inner, (*steps, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _not_finite(inner, (*steps, index))


def _place(source: str, steps: Steps) -> str:
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return ": ".join(filter(None, (source, key.lstrip("."))))


def _explain(
    error: msgspec.ValidationError, data: dict[str, Any], kind: type[Any]
) -> tuple[Steps, str]:
    """Return where the mistake is and a sentence on it."""
    at = _AT.match(str(error))
    what, path = (at["what"], at["path"]) if at else (str(error), "")
    if at and at["name"]:
        steps = _pin((*_steps(path), _ANY), data, kind, str(error))
        names = key_type(type_at(type_info(kind), steps[:-1]))
        return steps, f"a key like this is not allowed; use {describe(names)}."
    steps = _pin(_steps(path), data, kind, str(error))
    allowed = type_at(type_info(kind), steps)
    field = _FIELD.match(what)
    if isinstance(error.__cause__, WrongKeyError):
        return (*steps, *error.__cause__.key.split(".")), error.__cause__.why
    if field and field[1] == "contains unknown":
        return (*steps, field[2]), _unknown(field[2], keys(allowed))
    if field:
        return steps, f"the key {field[2]!r} is missing; it must be given."
    if isinstance(error.__cause__, ValueError):
        return steps, what
    return steps, f"{_show(data, steps)} is not allowed; use {describe(allowed)}."


def _steps(path: str) -> Steps:
    found = _STEP.finditer(path)
    return tuple(int(step[2]) if step[2] else step[1] or _ANY for step in found)


def _pin(steps: Steps, data: dict[str, Any], kind: type[Any], message: str) -> Steps:
    """Replace each "one of the keys" in ``steps`` by the key that alone gives ``message``."""
    while _ANY in steps:
        before = steps[: steps.index(_ANY)]
        alone = ((key, _only(data, before, key)) for key in _at(data, before))
        key, data = next(pair for pair in alone if _complaint(pair[1], kind) == message)
        steps = (*before, key, *steps[len(before) + 1 :])
    return steps


def _complaint(data: dict[str, Any], kind: type[Any]) -> str:
    try:
        msgspec.convert(data, kind, strict=True)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _at(data: Any, steps: Steps) -> Any:  # noqa: ANN401 - any TOML value
    for step in steps:
        data = data[step]
    return data


def _only(data: Any, steps: Steps, key: str | int) -> Any:  # noqa: ANN401 - any TOML value
    """Return a copy of ``data`` in which the table at ``steps`` holds nothing but ``key``."""
    if not steps:
        return {key: data[key]}
    changed = data.copy()
    changed[steps[0]] = _only(data[steps[0]], steps[1:], key)
    return changed


def _unknown(key: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(key, allowed, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"there is no such key.{hint} Allowed here: {', '.join(allowed)}."


def _show(data: dict[str, Any], steps: Steps) -> str:
    value = _at(data, steps)
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if _SECRET.search(str(steps[-1])):
        return "this value"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    short = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return f'"{short}"' if isinstance(value, str) else short
