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
    assert [str(size) for size in function_sizes() if size.lines > MAX_FUNCTION] == []


def test_a_function_counts_without_its_docstring(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "new.py").write_text(
        'def short() -> int:\n    """One.\n\n    Two.\n    """\n    return 1\n\n\n'
        "class Thing:\n    async def run(\n        self,\n    ) -> None:\n        pass\n"
    )
    assert [size.lines for size in module_sizes(tmp_path)] == [13]
    assert [size.lines for size in function_sizes(tmp_path)] == [2, 4]
