"""Rules that no linter in the house can express."""

import ast
import builtins
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.pure import PACKAGES, ROOT, module_of, path_of, pure_modules, source_files

CALENDAR = "stagebox.calendar"  # the one home of wall-clock time
WALL_CLOCK = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
# The import graph sees only the first word of a library's name.
IMPURE_PARTS = {"urllib.request", "urllib.error", "urllib.robotparser"}
# Built-in functions that read, write or load.
DOES_IO = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}


def wall_clock(source: str) -> Iterator[int]:
    """Yield the lines on which ``source`` asks for wall-clock time."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if node.attr in WALL_CLOCK.get(name, ()):
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (node.lineno for alias in node.names if alias.name in WALL_CLOCK["time"])


def impurities(source: str) -> Iterator[str]:
    """Yield what a pure module must not hold, apart from imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"line {node.lineno}: {type(node).__name__}"
        if isinstance(node, ast.Name) and node.id in DOES_IO:
            yield f"line {node.lineno}: {node.id}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            base = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            names = {base + alias.name for alias in node.names} | {base.rstrip(".")}
            yield from (f"line {node.lineno}: {name}" for name in names & IMPURE_PARTS)


@pytest.mark.parametrize("path", source_files(), ids=module_of)
def test_wall_clock_time_has_one_home(path: Path) -> None:
    if module_of(path) != CALENDAR:
        assert list(wall_clock(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import time as now",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\nx = datetime.now",
        "from datetime import date\ndate.today()",
    ],
)
def test_a_look_at_the_wall_clock_is_found(source: str) -> None:
    assert len(list(wall_clock(source))) == 1


def test_monotonic_time_is_fine() -> None:
    assert list(wall_clock("import time\ntime.monotonic()\nloop.time()")) == []


def loads_by_name(source: str) -> Iterator[int]:
    """Yield the lines that import a module whose name is a value, which no contract can see."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id == "__import__":
            yield node.lineno
        elif isinstance(node, ast.Attribute | ast.alias):
            name = node.attr if isinstance(node, ast.Attribute) else node.name
            if name in {"import_module", "exec_module"}:
                yield node.lineno


def test_modules_are_loaded_by_name_in_two_places_only() -> None:
    found = {module_of(path) for path in source_files() if list(loads_by_name(path.read_text()))}
    # The command line, and the guard of the WebRTC library's private names.
    assert found == {"stagebox.__main__", "stagebox.rtc.seams"}


@pytest.mark.parametrize(
    "source",
    [
        "import importlib\nimportlib.import_module('x')",
        "from importlib import import_module",
        "__import__('x')",
    ],
)
def test_loading_by_name_is_found(source: str) -> None:
    assert list(loads_by_name(source))


def lends_work(source: str) -> Iterator[int]:
    """Yield the lines that give work to the event loop's own threads, or to an executor."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"to_thread", "run_in_executor"}:
            yield node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from (node.lineno for alias in node.names if alias.name == "to_thread")


def test_the_event_loop_lends_its_threads_to_four_modules_only() -> None:
    # docs/decisions/0002-store-thread.md, 0014-passwords-thread.md, 0020-enrolment.md and
    # 0037-discord.md say why.
    found = {module_of(path) for path in source_files() if list(lends_work(path.read_text()))}
    assert found == {
        "hub.bridges.discord_stage",
        "hub.store.database",
        "hub.trust.enrolling",
        "hub.web.passwords",
    }


@pytest.mark.parametrize(
    "source",
    ["asyncio.to_thread(f)", "from asyncio import to_thread", "loop.run_in_executor(None, f)"],
)
def test_lending_work_is_found(source: str) -> None:
    assert list(lends_work(source))


def imported(source: str) -> set[str]:
    """Return the full names of the modules that ``source`` imports."""
    tree = list(ast.walk(ast.parse(source)))
    plain = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}


def test_lgpio_is_reached_through_gpiozero_alone() -> None:
    # A contract cannot name a library that nobody imports.
    assert imported("import lgpio\ndef f():\n    from lgpio import x") == {"lgpio"}
    for path in source_files():
        assert "lgpio" not in imported(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("module", pure_modules())
def test_a_pure_module_neither_waits_nor_reads_nor_writes(module: str) -> None:
    assert list(impurities(path_of(module).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "async def f(): pass",
        "print('x')",
        "open('f')",
        "f = open",
        "import urllib.request",
        "from urllib import request",
        "from urllib.request import urlopen",
    ],
)
def test_an_impurity_is_found(source: str) -> None:
    assert list(impurities(source))


def test_the_names_of_functions_that_do_io_exist() -> None:
    assert set(vars(builtins)) >= DOES_IO


def test_the_list_of_pure_modules_holds_each_once_and_no_stranger() -> None:
    names = pure_modules()
    assert len(names) == len(set(names))
    assert [name for name in names if not path_of(name).is_file()] == []


def test_the_whole_wire_is_pure() -> None:
    wire = {module_of(path) for path in (ROOT / "stagebox" / "wire").glob("[a-z]*.py")}
    assert wire <= set(pure_modules())


def test_every_package_is_installed() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["setuptools"]["packages"]
    found = {module_of(path) for path in source_files() if path.name == "__init__.py"}
    # The firmware comes along, to be put on a panel; MicroPython runs it, and no Python.
    assert set(listed) == found | {"device.buttons.pico"}
    assert len(listed) == len(set(listed))
    orphans = {path.parent for path in source_files() if not (path.parent / "__init__.py").exists()}
    assert orphans == set()
    assert {name.partition(".")[0] for name in listed} == set(PACKAGES)
