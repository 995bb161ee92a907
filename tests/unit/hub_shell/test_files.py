"""The hub's limit of open files, tried in this process and put back."""

import resource
from collections.abc import Iterator

import pytest

from hub.files import raise_file_limit


@pytest.fixture
def hard() -> Iterator[int]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_is_raised_and_no_further_than_allowed(hard: int) -> None:
    assert raise_file_limit(700) == 700
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (700, hard)
    assert raise_file_limit(600) == 700  # never lowered


def test_a_system_that_refuses_is_only_told(
    hard: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(what: int, limits: tuple[int, int]) -> None:
        raise OSError("no")

    with monkeypatch.context() as patched:
        patched.setattr(resource, "setrlimit", refuse)
        assert raise_file_limit(700) == 512
    assert "only 512 files" in caplog.text
