"""Processes and those that they started, from outside."""

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


def rss_mib(pid: int) -> float:
    """Return the resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")
