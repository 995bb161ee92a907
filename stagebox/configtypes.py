"""What a settings type allows, in words: the other half of ``stagebox.config``."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, inspect

from stagebox.tomltext import Steps
from stagebox.wire.terms import MemberId, Name, SpaceId

# What the wire says as a pattern, for the people who write settings.
NameInWords = Annotated[Name, Meta(description="1 to 40 letters and signs, in one line")]
HubIdInWords = Annotated[MemberId, Meta(description="32 lower-case hexadecimal digits")]
SpaceIdInWords = Annotated[
    SpaceId, Meta(description="up to 32 lower-case letters, digits and hyphens, no hyphen first")
]


def type_at(info: inspect.Type, steps: Steps) -> inspect.Type:
    """Return the type of the value at ``steps``; AnyType where there is none."""
    for step in steps:
        info = _inner(info, step)
    return info


def keys(info: inspect.Type) -> list[str]:
    """Return the keys of a table of this type."""
    structs = (option for option in _options(info) if isinstance(option, inspect.StructType))
    return [field.encode_name for struct in structs for field in struct.fields]


def key_type(info: inspect.Type) -> inspect.Type:
    """Return what the keys of a free table of this type must be."""
    for option in _options(info):
        if isinstance(option, inspect.DictType):
            return option.key_type
    return inspect.AnyType()


def describe(info: inspect.Type) -> str:
    """Say in words which values a type takes."""
    match info:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return str((extra or {}).get("description") or describe(inner))
        case inspect.UnionType(types=types):
            return " or ".join(describe(t) for t in types if not isinstance(t, inspect.NoneType))
        case inspect.StructType():
            return f"a table with the keys {', '.join(keys(info))}"
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return f"a list, each {describe(item)}{_limits(info)}"
        case inspect.EnumType(cls=values) | inspect.LiteralType(values=values):
            return "one of " + ", ".join(_quoted(value) for value in values)
    return _NAMES.get(type(info), "a value of another kind") + _limits(info)


def _options(info: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(info, inspect.Metadata):
        return _options(info.type)
    return info.types if isinstance(info, inspect.UnionType) else (info,)


def _inner(info: inspect.Type, step: str | int) -> inspect.Type:
    for option in _options(info):
        match option:
            case inspect.StructType(fields=fields):
                found = [field.type for field in fields if field.encode_name == step]
                return found[0] if found else inspect.AnyType()
            case inspect.DictType(value_type=inner):
                return inner
            case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner):
                return inner
    return inspect.AnyType()


def _quoted(value: object) -> str:
    return msgspec.json.encode(value).decode()


_NAMES: Final[dict[type[inspect.Type], str]] = {
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.StrType: "text",
    inspect.BoolType: "true or false",
    inspect.DictType: "a table",
}
_LIMITS: Final = (
    ("ge", ", at least {}"),
    ("gt", ", more than {}"),
    ("le", ", at most {}"),
    ("lt", ", less than {}"),
    ("min_length", ", {} or longer"),
    ("max_length", ", {} or shorter"),
    ("pattern", ", matching {}"),
)


def _limits(info: inspect.Type) -> str:
    found = ((words, getattr(info, name, None)) for name, words in _LIMITS)
    return "".join(words.format(value) for words, value in found if value is not None)
