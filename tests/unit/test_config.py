"""Settings: what is right comes out as given, what is wrong is named with its line."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, inspect

from stagebox.config import (
    MAX_BYTES,
    ConfigError,
    WrongKeyError,
    load_config,
    override,
    parse_config,
)
from stagebox.configtypes import describe, key_type, keys, type_at
from stagebox.tomltext import line_of


class Kind(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Part(Struct, forbid_unknown_fields=True, kw_only=True):
    size: Annotated[int, Meta(ge=0, le=10)]
    colour: str = "white"

    def __post_init__(self) -> None:
        if self.size == 7:
            raise WrongKeyError("size", "seven is taken.")
        if self.size == 8:
            raise ValueError("eight is odd.")


class Thing(Struct, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=5, pattern="^[a-z]+$")] = "a"
    part: Part | None = None
    parts: list[Part] = []
    named: dict[Annotated[str, Meta(pattern="^[a-z]+$")], Part] = {}
    groups: dict[str, dict[str, list[Part]]] = {}
    kind: Kind = Kind.SMALL
    speed: Annotated[float, Meta(gt=0, lt=9)] = 1.0
    loud: bool = False
    mode: Literal["one", "two"] = "one"
    sizes: tuple[int, ...] = ()
    free: dict[str, int] = {}
    either: int | str = 0
    percent: Annotated[int, Meta(ge=0, le=100, description="a percentage, 0 to 100")] = 0
    password: Annotated[str, Meta(min_length=8)] = "long enough"


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, Thing, "box.toml")
    return str(caught.value)


def test_what_is_right_comes_out() -> None:
    text = 'name = "abc"\nspeed = 2\n[part]\nsize = 3\n[[parts]]\nsize = 1\n[named.x]\nsize = 2\n'
    thing = parse_config(text, Thing)
    assert thing.name == "abc"
    assert thing.speed == 2.0
    assert thing.part == Part(size=3)
    assert thing.parts == [Part(size=1)]
    assert thing.named == {"x": Part(size=2)}


def test_nothing_said_means_the_defaults() -> None:
    assert parse_config("", Thing) == Thing()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # values, wherever they stand
        ('\nkind = "q"', '2: kind: "q" is not allowed; use one of "small", "large".'),
        ('mode = "three"', '1: mode: "three" is not allowed; use one of "one", "two".'),
        ("loud = 1", "1: loud: 1 is not allowed; use true or false."),
        ("speed = 0", "1: speed: 0 is not allowed; use a number, more than 0, less than 9."),
        ('percent = "x"', '1: percent: "x" is not allowed; use a percentage, 0 to 100.'),
        ("percent = 101", "1: percent: 101 is not allowed; use a percentage, 0 to 100."),
        ("either = 1.5", "1: either: 1.5 is not allowed; use a whole number or text."),
        (
            'name = "ABC"',
            '1: name: "ABC" is not allowed; use text, 1 or longer, 5 or shorter, matching ^[a-z',
        ),
        ('free = { a = "b" }', '1: free.a: "b" is not allowed; use a whole number.'),
        ("free = 3", "1: free: 3 is not allowed; use a table."),
        ("part = [1]", "1: part: a list is not allowed; use a table with the keys size, colour."),
        ("name = { a = 1 }", "1: name: a table is not allowed; use text, "),
        ("sizes = 1979-05-27", '1: sizes: "1979-05-27" is not allowed; use a list, each a whole'),
        ('sizes = [\n  1,\n  "x",\n]', '1: sizes[1]: "x" is not allowed; use a whole number.'),
        # tables, dotted keys, arrays of tables, inline tables
        ("[part]\n# why\n\nsize = 11", "4: part.size: 11 is not allowed; use a whole number, at "),
        ("loud = true\npart.size = 11", "2: part.size: 11 is not allowed"),
        ("\npart = { size = 11 }", "2: part.size: 11 is not allowed"),
        ("[[parts]]\nsize = 1\n[[parts]]\nsize = 11", "4: parts[1].size: 11 is not allowed"),
        ("[named.a]\nsize = 1\n[named.b]\nsize = 11", "4: named.b.size: 11 is not allowed"),
        (
            "[groups.a]\nx = [{ size = 1 }]\n[groups.b]\ny = []\nz = [{ size = 1 }, { size = 11 }]",
            "5: groups.b.z[1].size: 11 is not allowed",
        ),
        ("[named.B]\nsize = 1", "1: named.B: a key like this is not allowed; use text, matching"),
        (
            "loud = true\n[named.a]\nsize = 1\n[named.b]\nsize = 11\n[part]\nsize = 12",
            "5: named.b.size: 11 is not allowed",
        ),
        # unknown and missing keys
        ("nmae = 1", "1: nmae: there is no such key. Did you mean 'name'? Allowed here: name, "),
        ("[part]\nsize = 1\ncolor = 2", "3: part.color: there is no such key. Did you mean 'col"),
        ("[[parts]]\nsize = 1\nzz = 2", "3: parts[0].zz: there is no such key. Allowed here: si"),
        ("\n[part]\n", "2: part: the key 'size' is missing; it must be given."),
        # what a struct says of itself
        ("[part]\nsize = 7", "2: part.size: seven is taken."),
        ("[part]\nsize = 8", "1: part: eight is odd."),
        # numbers that are none
        ("speed = nan", "1: speed: a number must be finite."),
        ("[[parts]]\nsize = 1\n[[parts]]\nsize = inf", "4: parts[1].size: a number must be fin"),
        # syntax
        ("a =", "1: not valid TOML: Invalid value."),
        ("loud = true\n\nname = abc\n", "3: not valid TOML: Invalid value."),
        ("a = 1\nloud = true x\n", "2: not valid TOML: Expected newline or end of document"),
        ('name = """\n\nabc', "3: not valid TOML: "),
        ('name = """\n\nabc\n', "3: not valid TOML: "),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    assert refusal(text).startswith(f"box.toml:{message}")


def test_windows_line_ends_count_like_others() -> None:
    assert refusal("loud = true\r\n\r\nspeed = 0\r\n").startswith("box.toml:3: speed: 0 is not")


def test_a_secret_is_not_repeated() -> None:
    assert refusal('password = "hunter2"') == (
        "box.toml:1: password: this value is not allowed; use text, 8 or longer."
    )


def test_a_long_value_is_cut() -> None:
    assert f'"{"x" * 40}..." is not allowed' in refusal(f'name = "{"x" * 500}"')


def test_what_the_parser_itself_cannot_take() -> None:
    assert refusal("a = " + "[" * 5000) == "box.toml: nested too deeply."
    assert refusal("a = " + "9" * 5000).startswith("box.toml: not valid TOML: Exceeds the limit")


def test_a_key_made_to_confuse_does_not() -> None:
    assert "there is no such key" in refusal('"x - at `$.part.size`" = 1')
    assert "there is no such key" in refusal('"a\\nb" = 1')


@given(st.text(max_size=60))
def test_any_text_is_settings_or_a_config_error(text: str) -> None:
    try:
        assert isinstance(parse_config(text, Thing), Thing)
    except ConfigError as error:
        assert str(error).startswith("config")


_VALUES = st.recursive(
    st.booleans() | st.integers(-3, 12) | st.sampled_from(["a", "small", "X y"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["size", "x", "colour", "Y"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


@given(st.dictionaries(st.sampled_from(Thing.__struct_fields__), _VALUES, max_size=3))
def test_a_refusal_names_a_line_that_holds_the_key(values: dict[str, Any]) -> None:
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    try:
        parse_config("\n".join(lines), Thing, "f")
    except ConfigError as error:
        _, line, rest = str(error).split(":", 2)
        first_key = rest.strip().split(":")[0].split(".")[0].split("[")[0]
        assert lines[int(line) - 1].startswith(f"{first_key} = ")


# --- where a key stands -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "steps", "line"),
    [
        ("", (), 1),
        ("\n\na = 1", (), 1),
        ("\n\na = 1", ("a",), 3),
        ("a = [\n1,\n2,\n]\nb = 1", ("b",), 5),
        ("a = [\n1,\n2,\n]\nb = 1", ("a", 1), 1),
        ("a = [\n1,\n2,\n]\nb = 1", ("a", 7), 1),
        ("a = 1\n[t]\nb = 1", ("t", "missing", "deeper"), 2),
        ("a = 1", ("a", "inside a number"), 1),
        ("a = 1", ("a", 0), 1),
        ("a = [1]", ("a", "x"), 1),
    ],
)
def test_the_line_of_a_key(text: str, steps: tuple[str | int, ...], line: int) -> None:
    assert line_of(text, steps) == line


# --- what is allowed ----------------------------------------------------------------


def test_types_without_a_name_of_their_own() -> None:
    assert describe(inspect.AnyType()) == "a value of another kind"
    plain = inspect.type_info(Annotated[int, Meta(title="T")])
    assert describe(plain) == "a whole number"
    assert describe(inspect.type_info(list[int])) == "a list, each a whole number"


def test_a_step_that_leads_nowhere() -> None:
    info = inspect.type_info(Thing)
    assert type_at(info, ("nothing",)) == inspect.AnyType()
    assert type_at(info, ("loud", "x")) == inspect.AnyType()
    assert keys(type_at(info, ("loud",))) == []
    assert key_type(type_at(info, ("loud",))) == inspect.AnyType()


def test_a_described_table_keeps_its_keys() -> None:
    info = inspect.type_info(Annotated[Part, Meta(description="a part")])
    assert describe(info) == "a part"
    assert keys(info) == ["size", "colour"]


# --- what else may say something ------------------------------------------------------


def test_the_command_line_wins_over_the_file() -> None:
    config = parse_config('name = "b"\nkind = "large"\nsizes = [1, 2]', Thing)
    changed = override(config, {"name": "c"})
    assert (changed.name, changed.kind, changed.sizes) == ("c", Kind.LARGE, (1, 2))
    assert override(config, {}) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "huge"}, 'command line: kind: "huge" is not allowed; use one of "small"'),
        ({"percent": 101}, "command line: percent: 101 is not allowed; use a percentage"),
        ({"part": {"size": 7}}, "command line: part.size: seven is taken."),
    ],
)
def test_what_the_command_line_may_not_say(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        override(Thing(), changes)
    assert message in str(caught.value)
    assert "`" not in str(caught.value)


# --- reading the file ---------------------------------------------------------------


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    path.write_text("loud = true\n")
    assert load_config(path, Thing).loud
    path.write_text("loud = 1\n")
    with pytest.raises(ConfigError, match=r"box\.toml:1: loud: 1 is not allowed"):
        load_config(path, Thing)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read \(no such file or directory\)"):
        load_config(tmp_path / "none.toml", Thing)
    with pytest.raises(ConfigError, match=r"cannot be read \(is a directory\)"):
        load_config(tmp_path, Thing)
    path = tmp_path / "box.toml"
    path.write_bytes(b"loud = true\nname = '\xff'\n")
    with pytest.raises(ConfigError, match=r":2: not UTF-8 text"):
        load_config(path, Thing)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="not a settings file"):
        load_config(path, Thing)
