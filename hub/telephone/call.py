"""One call at work: its leg, its sound and one timer, whoever made it."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from hub.bridges.terms import Cause
from hub.telephone.beat import Beat
from hub.telephone.leg import Leg
from hub.telephone.leg_terms import GOODBYE_S, Agreed, Alive, Effect, Key, Over, Send
from hub.telephone.message import Message
from hub.telephone.sound import Sound
from hub.telephone.watch import Finding
from stagebox.media.frames import FRAME_S

# How often it is asked whether somebody is still there, in frames.
_LOOK_FRAMES = round(0.2 / FRAME_S)


@dataclass(frozen=True, slots=True)
class Way:
    """How a call reaches the other side. ``host``: where its signalling comes from."""

    transmit: Callable[[bytes], None]
    host: str


@dataclass(frozen=True, slots=True)
class News:
    """What a call tells: that its sound is agreed upon, and that it is over (once).

    ``silent``: that nothing comes from there any more, not even an answer; or does again.
    """

    agreed: Callable[[], None]
    over: Callable[[Over], None]
    silent: Callable[[bool], None] = lambda _is_silent: None


class Call:
    """One call. ``close`` it in the end; it says goodbye by itself as long as its way lives."""

    def __init__(self, leg: Leg, sound: Sound, way: Way, news: News, beat: Beat) -> None:
        self.leg = leg
        self.sound = sound
        self._way = way
        self._news = news
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._frames = 0
        self._is_over = self._is_silent = False
        self._done = asyncio.Event()

    async def goodbye(self) -> None:
        """Hang up, wait until the other side knows or has had the time, and end all of it."""
        self.hang_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._done.wait()
        self.close()

    def receive(self, message: Message) -> None:
        """Take in a message of this call."""
        self.do(self.leg.receive(message, self._loop.time()))

    def do(self, effects: list[Effect]) -> None:
        """Do what the leg wants done."""
        for effect in effects:
            match effect:
                case Send(data):
                    self._way.transmit(data)
                case Agreed():
                    self._agreed()
                case Key(key):
                    self.sound.pressed(key)
                case Alive():
                    self.sound.watch.heard(self._loop.time())
                case Over():
                    self._over(effect)
        self._arm()

    def hang_up(self) -> None:
        """Say goodbye, and be over."""
        goodbye = self.leg.hang_up(self._loop.time())
        self._over(Over(Cause.NONE, ""))
        self.do(goodbye)

    def lost(self, over: Over) -> None:
        """Note that the other side is gone, whatever its signalling says."""
        self.leg.abandon()
        self._over(over)
        self._arm()

    def close(self) -> None:
        """End all of it at once."""
        self._quiet()
        self._done.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- private --------------------------------------------------------------

    def _agreed(self) -> None:
        if self._is_over or self.leg.chosen is None:
            return
        self.sound.agree(self.leg.chosen, self._way.host)
        self._beat.add(self._tick)
        self._news.agreed()

    def _tick(self, now: float) -> None:
        self.sound.tick(now)
        self._frames += 1
        if self._frames % _LOOK_FRAMES:
            return
        silent, self._is_silent = self._is_silent, self.sound.watch.is_silent(now)
        if silent != self._is_silent:
            self._news.silent(self._is_silent)
        match self.sound.watch.look(now):
            case Finding.ASK:
                self.do(self.leg.probe(now))
            case Finding.GONE:
                self.lost(Over(Cause.LOST, "Their computer is there, their telephone is not."))
            case Finding.FINE:
                pass

    def _over(self, over: Over) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._quiet()
        self._news.over(over)

    def _quiet(self) -> None:
        self._beat.remove(self._tick)
        self.sound.close()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = self.leg.deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._due)
        if self._is_over and deadline is None:
            self._done.set()

    def _due(self) -> None:
        self._timer = None
        self.do(self.leg.tick(self._loop.time()))
