"""No module or function grows beyond what a reader can hold."""

from pathlib import Path

from tests.architecture.sizes import (
    MAX_FUNCTION,
    MAX_MODULE,
    function_sizes,
    module_sizes,
)


def test_no_module_is_too_long() -> None:
    assert [str(size) for size in module_sizes() if size.lines > MAX_MODULE] == []


def test_no_function_is_too_long() -> None:
    logic = [size for size in function_sizes() if not size.is_table]
    assert [str(size) for size in logic if size.lines > MAX_FUNCTION] == []


def test_a_function_counts_without_its_docstring(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "new.py").write_text(
        'def short() -> int:\n    """One.\n\n    Two.\n    """\n    return 1\n\n\n'
        "class Thing:\n    async def run(\n        self,\n    ) -> None:\n        pass\n"
    )
    assert [size.lines for size in module_sizes(tmp_path)] == [13]
    assert [size.lines for size in function_sizes(tmp_path)] == [2, 4]


def test_a_table_is_a_function_without_decisions(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "new.py").write_text(
        'def table() -> dict[int, int]:\n    """Rows."""\n    a = 1\n'
        "    return {a: a}\n\n\n"
        "def logic(a: int) -> int:\n    if a:\n        return 1\n    return 2\n"
    )
    assert [size.is_table for size in function_sizes(tmp_path)] == [True, False]
