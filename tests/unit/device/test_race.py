"""Racing: the first way that works wins, the others end, and no result is lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from device.link.race import race

Way = Callable[[], Coroutine[Any, Any, str]]
LONG = 30.0


class GoneError(Exception):
    """What a way may fail with."""


class Track:
    """Makes ways and notes what happened to them."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.cancelled: list[str] = []
        self.discarded: list[str] = []
        self.go = asyncio.Event()

    def good(self, name: str) -> Way:
        async def way() -> str:
            self.started.append(name)
            return name

        return way

    def bad(self, name: str, error: type[Exception] = GoneError) -> Way:
        async def way() -> str:
            self.started.append(name)
            raise error(name)

        return way

    def stuck(self, name: str, late: bool = False) -> Way:
        async def way() -> str:
            self.started.append(name)
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled.append(name)
                if late:  # its result was there when the cancellation came
                    return name
                raise
            return name

        return way

    async def discard(self, name: str) -> None:
        self.discarded.append(name)

    async def run(self, *ways: Way, stagger_s: float = LONG) -> str:
        return await race(ways, stagger_s, GoneError, self.discard)


async def test_nothing_else_starts_when_the_first_is_good() -> None:
    track = Track()
    assert await track.run(track.good("a"), track.good("b")) == "a"
    assert track.started == ["a"]


async def test_a_failure_starts_the_next_at_once() -> None:
    track = Track()
    assert await track.run(track.bad("a"), track.bad("b"), track.good("c")) == "c"
    assert track.started == ["a", "b", "c"]


async def test_a_slow_way_is_overtaken_and_ended() -> None:
    track = Track()
    assert await track.run(track.stuck("a"), track.good("b"), stagger_s=0.01) == "b"
    assert track.cancelled == ["a"]
    assert track.discarded == []


async def test_a_second_result_is_discarded() -> None:
    track = Track()
    winner = await track.run(track.stuck("a", late=True), track.good("b"), stagger_s=0.01)
    assert (winner, track.discarded) == ("b", ["a"])


async def test_two_results_in_one_moment() -> None:
    track = Track()
    ways = [track.stuck("a"), track.stuck("b"), track.stuck("c")]
    task = asyncio.create_task(track.run(*ways, stagger_s=0.001))
    while len(track.started) < 3:  # noqa: ASYNC110 - looks from outside
        await asyncio.sleep(0.001)
    track.go.set()
    winner = await task
    assert sorted([winner, *track.discarded]) == ["a", "b", "c"]


async def test_all_failures_are_told() -> None:
    track = Track()
    with pytest.raises(ExceptionGroup) as caught:
        await track.run(track.bad("a"), track.bad("b"))
    assert [str(error) for error in caught.value.exceptions] == ["a", "b"]


async def test_a_mistake_is_raised_as_it_is() -> None:
    track = Track()
    with pytest.raises(ZeroDivisionError):
        await track.run(track.stuck("a"), track.bad("b", ZeroDivisionError), stagger_s=0.01)
    assert track.cancelled == ["a"]


async def test_who_stops_the_race_stops_all_who_run() -> None:
    track = Track()
    task = asyncio.create_task(track.run(track.stuck("a"), track.stuck("b"), stagger_s=0.01))
    while len(track.started) < 2:  # noqa: ASYNC110 - looks from outside
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(track.cancelled) == ["a", "b"]
