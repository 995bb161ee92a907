"""Processes and those that they started, from outside."""

import contextlib
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the processes that one started; none if it is gone."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return sorted(int(child) for child in text.split())


def family(pid: int) -> list[int]:
    """Return a process and all that it and they started."""
    return [pid, *(member for child in children(pid) for member in family(child))]


def commands(pid: int) -> dict[int, list[bytes]]:
    """Return how a process and all that it and they started were called."""
    found = {}
    for each in family(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            found[each] = Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")
    return found


def open_files(pid: int) -> list[str]:
    """Return what a process and all that it and they started have open, once a descriptor."""
    found = []
    for each in family(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for link in Path(f"/proc/{each}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):  # closed since
                    found.append(str(link.readlink()))
    return found


def rss_mib(pid: int) -> float:
    """Return the resident memory of one process."""
    found = _rss_mib(pid)
    assert found is not None, "no VmRSS"
    return found


def family_rss_mib(pid: int) -> float:
    """Return the resident memory of a process and all that it and they started."""
    return sum(_rss_mib(each) or 0.0 for each in family(pid))


def _rss_mib(pid: int) -> float | None:
    """Return None for one that has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return None
