"""A program that is ended leaves no process and no pipe behind."""

import asyncio
import sys

import pytest

from stagebox.reap import reap

PIPE = asyncio.subprocess.PIPE
FLOOD = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
SLEEP = "import time; time.sleep(600)"


@pytest.mark.parametrize("program", [FLOOD, SLEEP, "pass"])
async def test_nothing_stays(program: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=PIPE, stdout=PIPE
    )
    await asyncio.sleep(0.3)
    await reap(process)
    assert process.returncode is not None
    assert process.stdout is not None
    assert process.stdout.at_eof()


async def test_without_pipes() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SLEEP)
    await reap(process)
    assert process.returncode == -9
