"""What PROTOCOL.md must say about the schema, and a reader for what it does say."""

import inspect
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from stagebox.wire import terms
from tests.unit.wire.catalogue import WIRE

Row = tuple[str, ...]


def aliases() -> dict[str, Any]:
    """Return the named types of the schema (``Name = Annotated[...]``)."""
    return {
        name: value
        for name, value in vars(terms).items()
        if name[0].isupper() and get_origin(value) is not None and metas(value)
    }


def metas(annotation: object) -> list[Meta]:
    return [extra for extra in getattr(annotation, "__metadata__", ()) if isinstance(extra, Meta)]


def range_of(annotation: object) -> str:
    """Return the limits of a named or nameless restricted type, in words."""
    base, meta = get_args(annotation)[0], metas(annotation)[0]
    if get_origin(base) is tuple:
        return f"list of at most {meta.max_length} {type_of(get_args(base)[0])}"
    if base is str:
        lengths = []
        if meta.min_length is not None:
            lengths.append(f"at least {meta.min_length}")
        if meta.max_length is not None:
            lengths.append(f"at most {meta.max_length}")
        parts = [" and ".join(lengths) + " characters"] if lengths else []
        if meta.pattern is not None:
            parts.append(f"`{meta.pattern.removesuffix(chr(92) + 'Z')}$`")
        return ", ".join(["text", *parts])
    limits = f"{meta.ge} or more" if meta.le is None else f"{meta.ge} to {meta.le}"
    return f"{'whole number' if base is int else 'number'}, {limits}"


def type_of(annotation: object) -> str:
    """Return how the specification writes the type of a field."""
    for name, alias in aliases().items():
        if annotation == alias:
            return name
    if inspect.isclass(annotation) and issubclass(annotation, StrEnum | Struct):
        return annotation.__name__
    if annotation is bool:
        return "true or false"
    if metas(annotation):
        return range_of(annotation)
    kinds = get_args(annotation)
    if get_origin(annotation) is tuple:
        return f"list of {type_of(kinds[0])}"
    rest = [kind for kind in kinds if kind is not NoneType]
    assert len(rest) == 1, annotation
    return f"{type_of(rest[0])} or null"


def fields_of(cls: type[Struct]) -> list[Row]:
    """Return name, type and default of each field, as the specification's tables begin."""
    hints = get_type_hints(cls, include_extras=True)
    rows: list[Row] = []
    for field in msgspec.structs.fields(cls):
        default = "needed" if field.required else json.dumps(field.default)
        rows.append((f"`{field.name}`", type_of(hints[field.name]), default))
    return rows


@dataclass(frozen=True, slots=True)
class Section:
    """The part of PROTOCOL.md under one heading."""

    title: str
    body: str

    @property
    def rows(self) -> list[Row]:
        """The cells of the section's first table, without its head."""
        lines = re.search(r"(?:^\|.*\n)+", self.body, re.MULTILINE)
        assert lines is not None, self.title
        cells = [_cells(line) for line in lines.group().splitlines()]
        return [tuple(row) for row in cells[2:]]

    @property
    def example(self) -> object:
        """The content of the section's one JSON block."""
        blocks = re.findall(r"```json\n(.*?)```", self.body, re.DOTALL)
        assert len(blocks) == 1, self.title
        return json.loads(blocks[0])


def _cells(line: str) -> list[str]:
    """Split a row of a table; a bar that belongs to a cell has a backslash before it."""
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [part.strip().replace(r"\|", "|") for part in parts]


def sections() -> dict[str, Section]:
    """Return every section of PROTOCOL.md by its heading, without back quotes."""
    text = (WIRE / "PROTOCOL.md").read_text(encoding="utf-8")
    parts = re.split(r"^##+ (.*)\n", text, flags=re.MULTILINE)[1:]
    titles = [title.strip("`") for title in parts[::2]]
    assert len(titles) == len(set(titles))
    return {title: Section(title, body) for title, body in zip(titles, parts[1::2], strict=True)}
