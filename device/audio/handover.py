"""The way out of a thread: a bounded queue that the event loop empties."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Handover(Generic[T]):
    """Items go in from one thread and come out, in order, as calls on the loop.

    While the loop is held up the oldest item makes room for the newest, and
    ``dropped`` counts it.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[T], None], limit: int
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._lock = threading.Lock()
        self._items: deque[T] = deque(maxlen=limit)
        self._called = False
        self.dropped = 0

    def put(self, item: T, *, hold: int = 0) -> None:
        """Hand one item over. Never waits for the loop, which is called for more than ``hold``."""
        with self._lock:
            self.dropped += len(self._items) == self._items.maxlen
            self._items.append(item)
            call = not self._called and len(self._items) > hold
            self._called = self._called or call
        if call:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        """Deliver what waits now. Only on the loop's thread."""
        with self._lock:
            items = list(self._items)
            self._items.clear()
            self._called = False
        for item in items:
            self._deliver(item)
