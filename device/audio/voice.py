"""The box's voice: says one phrase after the other, to its own user only.

What is said most is made ready while nothing else is to do.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from device.audio.mouth import Mouth
from device.audio.ports import SAMPLE_RATE
from device.audio.prompts import Utterance
from stagebox.media.frames import Pcm

# What could not be said within this is no news any more.
FRESH_S: Final = 4.0
# The longest that is said in one piece, to who presses STATUS: the space, who talks, one's own
# place, how many wait, and what was said last.
WAITING: Final = 6
# Who talked for minutes is told the last of what happened meanwhile.
LATER: Final = 2
# Making ready is the least urgent work of the machine, with time between for all other.
NICE: Final = 10
REST_S: Final = 0.2


class Voice:
    """Speaks through ``play``. ``run`` is its one task."""

    def __init__(
        self, play: Callable[[Pcm], None], mouth: Mouth, ready: Iterable[Utterance] = ()
    ) -> None:
        """``ready``: what to make before anybody asks for it, the most urgent first."""
        self._play = play
        self._mouth = mouth
        self._ready = tuple(ready)
        self._waiting: deque[tuple[float, Utterance]] = deque(maxlen=WAITING)
        self._later: deque[Utterance] = deque(maxlen=LATER)
        self._asked = asyncio.Event()
        self._idle = asyncio.Event()
        self._sounding: tuple[Utterance | None, float] = None, 0.0

    def say(self, utterance: Utterance) -> None:
        """Speak soon. Where too much waits, the oldest is left unsaid; nothing is said twice."""
        if self._mouth.can_speak and utterance.words and not self._is_said(utterance):
            self._waiting.append((asyncio.get_running_loop().time(), utterance))
            self._asked.set()

    def say_later(self, utterance: Utterance) -> None:
        """Keep for ``catch_up`` what cannot be said now; of many only the last few."""
        self._later.append(utterance)

    def catch_up(self) -> None:
        """Say what was kept."""
        while self._later:
            self.say(self._later.popleft())

    def hush(self) -> None:
        """Forget what waits, but not what was kept for later."""
        self._sounding = None, 0.0
        self._waiting.clear()

    async def run(self) -> None:
        """Speak until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._make_ready())
            group.create_task(self._speak())

    def _is_said(self, utterance: Utterance) -> bool:
        """Whether it waits or sounds already: who presses again is not told twice."""
        said, until = self._sounding
        if utterance == said and asyncio.get_running_loop().time() < until:
            return True
        return any(each == utterance for _, each in self._waiting)

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._waiting:
                self._idle.set()
                self._asked.clear()
                await self._asked.wait()
            self._idle.clear()
            since, utterance = self._waiting.popleft()
            pcm = self._mouth.known(utterance)
            if pcm is None:
                pcm = await self._mouth.make(utterance)
            if pcm is not None and loop.time() <= since + FRESH_S:
                self._sounding = utterance, loop.time() + len(pcm) / SAMPLE_RATE
                self._play(pcm)

    async def _make_ready(self) -> None:
        for utterance in self._ready:
            await self._idle.wait()
            if self._mouth.known(utterance) is None:
                await self._mouth.make(utterance, NICE)
            await asyncio.sleep(REST_S)
