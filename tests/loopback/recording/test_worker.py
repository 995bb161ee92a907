"""The thread: one thing after the other, no more than it can hold, and nothing lost at the end."""

import threading

import pytest

from hub.recording.worker import Worker, WorkerFullError


async def test_things_are_done_in_order_on_one_thread() -> None:
    worker, done = Worker("test", 100), list[tuple[int, str]]()
    for n in range(20):
        assert worker.post(lambda n=n: done.append((n, threading.current_thread().name)))
    assert await worker.run(lambda: len(done)) == 20
    assert done == [(n, "test") for n in range(20)]
    await worker.aclose()


async def test_what_flows_is_bounded_and_what_people_ask_for_is_not() -> None:
    worker, gate, done = Worker("test", 3), threading.Event(), list[str]()
    worker.post(gate.wait)
    while worker._queue:  # until the thread waits at the gate
        pass
    taken = [worker.post(lambda: done.append("flow")) for _ in range(5)]
    assert taken == [True] * 3 + [False] * 2
    assert worker.dropped == 2
    with pytest.raises(WorkerFullError):
        await worker.run(lambda: None)
    worker.insist(lambda: done.append("order"))
    last = worker.demand(lambda: done.append("last"))
    gate.set()
    await last
    assert done == ["flow"] * 3 + ["order", "last"]
    await worker.aclose()


async def test_a_failure_is_its_own_and_the_next_thing_is_done() -> None:
    worker = Worker("test", 10)
    worker.post(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    assert await worker.run(lambda: "next") == "next"
    await worker.aclose()


async def test_what_waits_is_done_before_the_end() -> None:
    worker, done = Worker("test", 100), list[int]()
    for n in range(50):
        worker.post(lambda n=n: done.append(n))
    await worker.aclose()
    assert done == list(range(50))
    assert not any(each.name == "test" for each in threading.enumerate())
