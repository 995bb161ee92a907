"""How long modules and functions are; run as a program it lists the long ones.

A function counts with its signature and without its docstring. One that only assigns
and returns is a table in the form of a function: it is read like data, row by row, and
is let off the limit for functions.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.architecture.pure import ROOT, source_files

# Past these a reader loses the thread (habit) ...
LONG_MODULE, LONG_FUNCTION = 300, 40
# ... and past these the change is refused.
MAX_MODULE, MAX_FUNCTION = 500, 60

Function = ast.FunctionDef | ast.AsyncFunctionDef
TABLE = ast.Assign | ast.AnnAssign | ast.Return


@dataclass(frozen=True, slots=True)
class Size:
    """One module or function and its lines."""

    where: str
    lines: int
    is_table: bool = False

    def __str__(self) -> str:
        return f"{self.lines:4} {self.where}"


def module_sizes(root: Path = ROOT) -> list[Size]:
    return [
        Size(str(path.relative_to(root)), len(path.read_text(encoding="utf-8").splitlines()))
        for path in source_files(root)
    ]


def function_sizes(root: Path = ROOT) -> list[Size]:
    return [
        Size(
            f"{path.relative_to(root)}:{function.lineno} {function.name}",
            _lines(function),
            _is_table(function),
        )
        for path in source_files(root)
        for function in _functions(path)
    ]


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def _lines(function: Function) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def _is_table(function: Function) -> bool:
    first = 0 if ast.get_docstring(function) is None else 1
    return all(isinstance(step, TABLE) for step in function.body[first:])


def main() -> None:
    modules, functions = module_sizes(), function_sizes()
    for size in modules:
        if size.lines > LONG_MODULE:
            print(f"long module:   {size}")
    for size in functions:
        if size.lines > LONG_FUNCTION:
            print(f"long function: {size}")
    print(
        f"{len(modules)} modules, median {median(size.lines for size in modules):.0f} lines; "
        f"{len(functions)} functions, median {median(size.lines for size in functions):.0f}"
    )


if __name__ == "__main__":
    main()
