"""The table in docs/security.md says what is tested, and nothing else."""

from pathlib import Path

import pytest

from tests.security import figures, table


@pytest.fixture(scope="module")
def existing() -> frozenset[str]:
    return table.existing_tests()


def test_the_page_shows_the_tests_and_figures_that_are_there(existing: frozenset[str]) -> None:
    text = table.PAGE.read_text()
    made = table.table(table.cases(existing), figures.load())
    assert table.page(text, made) == text, "run: python -m tests.security.table --write"


def test_all_cases_are_there_once_and_in_order(existing: frozenset[str]) -> None:
    numbers = [case.number for case in table.cases(existing)]
    assert numbers == list(range(1, table.COUNT + 1))


def test_no_test_is_of_a_case_that_is_not_there(existing: frozenset[str]) -> None:
    found = {int(m[1]) for test in existing if (m := table._NAME.match(test.partition("::")[2]))}
    assert found <= set(range(1, table.COUNT + 1))


def test_figures_are_of_cases_that_are_tested(existing: frozenset[str]) -> None:
    tested = {f"{case.number:02}" for case in table.cases(existing) if case.tests}
    assert set(figures.load()) <= tested


def test_a_test_that_is_gone_is_noticed(existing: frozenset[str]) -> None:
    with pytest.raises(LookupError, match="case 2 "):
        table.cases(
            existing
            - {"tests/loopback/rtc/test_guard.py::test_strangers_break_neither_setup_nor_talk"}
        )


def test_a_case_without_a_test_is_shown_as_such() -> None:
    row = table.Case(29, "Enrolment", "a power cut", "never stuck", (), "")
    made = table.table([row], {})
    assert "**0 of 1** cases" in made
    assert "**not yet**: `test_case_29_…`" in made


def test_methods_and_coroutines_are_tests_too(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(
        "class TestY:\n    async def test_a(self): ...\ndef test_b(): ...\ndef helper(): ...\n"
    )
    names = {test.partition("::")[2] for test in table.existing_tests(tmp_path)}
    assert names == {"test_a", "test_b"}
