"""Hypothesis strategies for messages, derived from the schema itself.

A bound in the schema becomes a bound of the strategy, so the strategies cannot
lag behind the messages.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect as mi

from stagebox.wire.terms import Message


def messages(classes: Iterable[type[Message]]) -> st.SearchStrategy[Any]:
    """Return a strategy for instances of any of ``classes``."""
    return st.one_of([_struct(mi.type_info(cls)) for cls in classes])


def _struct(info: mi.Type) -> st.SearchStrategy[Any]:
    assert isinstance(info, mi.StructType)
    fields = {}
    for field in info.fields:
        value = _value(field.type)
        if not field.required:
            assert field.default is not msgspec.NODEFAULT
            value = st.just(field.default) | value
        fields[field.name] = value
    return st.builds(info.cls, **fields)


def _value(info: mi.Type) -> st.SearchStrategy[Any]:
    match info:
        case mi.StructType():
            return _struct(info)
        case mi.EnumType(cls=cls):
            return st.sampled_from(list(cls))
        case mi.UnionType(types=types):
            return st.one_of([_value(kind) for kind in types])
        case mi.VarTupleType(item_type=item):
            return st.lists(_value(item), max_size=3).map(tuple)
        case mi.BoolType():
            return st.booleans()
        case mi.NoneType():
            return st.none()
        case mi.IntType(ge=low, le=high):
            return st.integers(low, high)
        case mi.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_infinity=False, allow_nan=False)
        case mi.StrType():
            return _text(info)
    raise AssertionError(f"no strategy for {info}: add one")


def _text(info: mi.StrType) -> st.SearchStrategy[str]:
    shortest, longest = info.min_length or 0, info.max_length
    if info.pattern is None:
        limit = None if longest is None else min(longest, 80)
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=shortest, max_size=limit)
    text = st.from_regex(info.pattern)
    return text.filter(lambda s: shortest <= len(s) <= (len(s) if longest is None else longest))
