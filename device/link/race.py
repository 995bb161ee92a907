"""Try several ways to the same end, a little apart, and keep the first that works.

The idea of RFC 8305 (Happy Eyeballs): the next way starts when the last one has had
``stagger_s`` or has failed, so that one dead address costs little and nothing at all
is tried in vain when the first address is good.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")


async def race(
    ways: Sequence[Callable[[], Coroutine[Any, Any, _T]]],
    stagger_s: float,
    failure: type[Exception],
    discard: Callable[[_T], Awaitable[None]],
) -> _T:
    """Return the first result; a second one that came at the same moment is discarded.

    Raises:
        ExceptionGroup: every way raised ``failure``. Anything else is raised as it is.
    """
    waiting = list(ways)
    running: set[asyncio.Task[_T]] = set()
    errors: list[Exception] = []
    results: list[_T] = []
    try:
        while (waiting or running) and not results:
            if waiting:
                running.add(asyncio.create_task(waiting.pop(0)()))
            pause = stagger_s if waiting else None
            done, running = await asyncio.wait(
                running, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            _sort(done, failure, results, errors)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        late = [task for task in running if not task.cancelled() and task.exception() is None]
        for extra in [*results[1:], *(task.result() for task in late)]:
            await discard(extra)
    if results:
        return results[0]
    raise ExceptionGroup("no way led anywhere", errors)


def _sort(
    done: set[asyncio.Task[_T]],
    failure: type[Exception],
    results: list[_T],
    errors: list[Exception],
) -> None:
    for task in done:
        error = task.exception()
        if error is None:
            results.append(task.result())
        elif isinstance(error, failure):
            errors.append(error)
        else:
            raise error
