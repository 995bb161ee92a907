"""Where the radio is, as the kernel knows it: asked and told with ``iw``."""

import asyncio
import re
from typing import Final

_ANSWER_S: Final = 5.0
_LINE: Final = re.compile(r"^country ([A-Z]{2}):", re.MULTILINE)


async def told() -> str | None:
    """Return the country that the kernel was told; None: none, or there is no ``iw``."""
    found = _LINE.search(await _iw("reg", "get"))
    return found[1] if found else None


async def tell(country: str) -> None:
    """Tell the kernel the country (two capital letters). Without ``iw`` nothing happens."""
    await _iw("reg", "set", country)


async def _iw(*arguments: str) -> str:
    quiet = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            "iw", *arguments, stdin=quiet, stdout=asyncio.subprocess.PIPE, stderr=quiet
        )
    except OSError:
        return ""
    try:
        out, _ = await asyncio.wait_for(process.communicate(), _ANSWER_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return out.decode("ascii", "replace")
