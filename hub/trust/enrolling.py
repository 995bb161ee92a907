"""Adding a box: the window, the boxes that wait in it, and the code that a person types.

One task for each connection drives one run of ``stagebox.wire.enrolment``. A code that is
typed is tried with every box that waits: SPAKE2 gives each of them one guess. That
calculates for some milliseconds in Python, so it is done in a thread, one at a time
(docs/decisions/0020-enrolment.md).
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Final

from hub.store.database import StoreError
from hub.trust.book import BookFullError, TrustBook
from hub.trust.runs import CodeError, Outcome, Run, Step, Wire
from stagebox.wire.enrolment import (
    Effect,
    EnrolFailure,
    EnrolledBox,
    EnrolmentError,
    Finished,
    HubEnrolment,
    HubSelf,
    Send,
    StoreActive,
    StorePending,
)
from stagebox.wire.enrolment_window import EnrolmentWindow

# Boxes that wait at once, and from one address: one box is being held, not a crowd.
MOST_RUNS: Final = 8
MOST_FROM_ONE: Final = 2
# A box has its hello ready; a small board calculates its answer for a quarter of a second,
# and its memory card may take seconds to write.
HELLO_S: Final = 5.0
STEP_S: Final = 15.0
# Within the deadline of the request that brought the code.
ANSWER_S: Final = 8.0

log = logging.getLogger(__name__)


class Enrolling:
    """The window of one hub. ``me`` says who the hub is now; ``changed`` hears open and shut."""

    def __init__(self, me: Callable[[], HubSelf], book: TrustBook) -> None:
        self._me = me
        self._book = book
        self._window = EnrolmentWindow()
        self._runs: list[Run] = []
        self._one = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self.changed: Callable[[bool], None] = lambda _open: None
        self.latest: tuple[Outcome, EnrolledBox | None] | None = None
        self.counts: dict[str, float] = dict.fromkeys(Outcome, 0.0)
        self.counts |= dict.fromkeys((f"run_{each}" for each in EnrolFailure), 0.0)

    # --- the window -----------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether a box may come."""
        return self._window.is_open(self._time())

    @property
    def remaining_s(self) -> float:
        """Seconds until the window shuts."""
        return self._window.remaining_s(self._time())

    @property
    def wait_s(self) -> float:
        """Seconds until it may be opened again."""
        return self._window.wait_s(self._time())

    @property
    def failures_left(self) -> int:
        """Wrong codes that may still come."""
        return self._window.failures_left

    @property
    def waiting(self) -> tuple[Run, ...]:
        """The boxes that have come."""
        return tuple(run for run in self._runs if run.hello is not None)

    def open(self) -> float:
        """Open the window; return the seconds to wait if that may not be."""
        wait_s = self._window.open(self._time())
        if wait_s == 0:
            self.latest = None
            self._set_timer()
            self.changed(True)
        return wait_s

    def close(self) -> None:
        """Shut the window; who waits is told so, and who has the right code may finish."""
        self._window.close()
        self._shut()

    def _shut(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for run in self._runs:
            if run.step in {Step.HELLO, Step.CODE} and run.deadline is not None:
                run.deadline.reschedule(0)
        self.changed(False)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.remaining_s, self._shut)

    # --- a code ---------------------------------------------------------------

    async def enter(self, code: str) -> EnrolledBox:
        """Try a code with every box that waits; return the one whose code it was.

        Raises:
            CodeError: there is none.
        """
        if not self.is_open:
            raise CodeError(Outcome.CLOSED, "Nobody is being added: open the window first.")
        runs = [run for run in self._runs if run.step is Step.CODE]
        if not runs:
            detail = "No box has come yet: hold its buttons until it speaks, then type the code."
            raise CodeError(Outcome.FAILED, detail)
        deadline = self._time() + ANSWER_S
        for run in runs:
            await self._try(run, code)
        left = {run.done for run in runs}
        while left and self._time() < deadline:
            done, left = await asyncio.wait(
                left, timeout=deadline - self._time(), return_when=asyncio.FIRST_COMPLETED
            )
            if any(isinstance(each.result(), EnrolledBox) for each in done):
                break
        return self._concluded(runs)

    def _concluded(self, runs: list[Run]) -> EnrolledBox:
        results = [run.done.result() for run in runs if run.done.done()]
        box = next((each for each in results if isinstance(each, EnrolledBox)), None)
        if box is not None:
            self._note(Outcome.ENROLLED, box)
            self._window.succeeded()
            self._shut()
            return box
        self._window.failed()
        if not self.is_open:
            self._shut()
        wrong = EnrolFailure.WRONG_CODE in results
        self._note(Outcome.WRONG_CODE if wrong else Outcome.FAILED, None)
        if wrong:
            detail = f"That is not the code, {self.failures_left} more may be tried."
            raise CodeError(Outcome.WRONG_CODE, detail)
        raise CodeError(Outcome.FAILED, "The box did not answer: try the code once more.")

    async def _try(self, run: Run, code: str) -> None:
        run.step = Step.CHECKING
        try:
            async with run.lock, self._one:
                effects = await asyncio.to_thread(run.core.enter, code)
                self._set_deadline(run, STEP_S)
                await self._carry_out(run, effects)
        except EnrolmentError as error:
            await self._fail(run, error)
        except ConnectionError:
            run.end(EnrolFailure.TIMEOUT)

    def _note(self, outcome: Outcome, box: EnrolledBox | None) -> None:
        self.counts[outcome] += 1
        self.latest = outcome, box

    # --- a connection ---------------------------------------------------------

    def refusal(self, address: str) -> EnrolFailure | None:
        """Return why a box at this address may not come now."""
        if not self.is_open:
            return EnrolFailure.CLOSED
        there = sum(run.address == address for run in self._runs)
        full = len(self._runs) >= MOST_RUNS or there >= MOST_FROM_ONE
        return EnrolFailure.BUSY if full else None

    async def serve(self, wire: Wire, address: str, certificate: bytes) -> None:
        """Talk to one box until it is added, fails, or goes.

        ``certificate``: SHA-256 of the one that it was shown.
        """
        refusal = self.refusal(address)
        if refusal is not None:
            self.counts[f"run_{refusal}"] += 1
            await wire.send(EnrolmentError(refusal).farewell)
            return
        core = HubEnrolment(self._me(), certificate=certificate, random=secrets.token_bytes)
        run = Run(core, wire, address)
        self._runs.append(run)
        try:
            await self._converse(run)
        except EnrolmentError as error:
            await self._fail(run, error)
        except TimeoutError:
            reason = EnrolFailure.TIMEOUT if self.is_open else EnrolFailure.CLOSED
            await self._fail(run, EnrolmentError(reason))
        finally:
            run.end(EnrolFailure.TIMEOUT)
            self._runs.remove(run)

    async def _converse(self, run: Run) -> None:
        try:
            async with asyncio.timeout(HELLO_S) as run.deadline:
                while not run.done.done() and (text := await run.wire.receive()) is not None:
                    async with run.lock:
                        await self._answer(run, text)
        finally:
            run.deadline = None

    async def _answer(self, run: Run, text: str | bytes) -> None:
        effects = run.core.receive(text)
        if run.step is Step.HELLO:
            run.step = Step.CODE
            self._set_deadline(run, self.remaining_s)
        else:
            run.step = Step.STORING
            self._set_deadline(run, STEP_S)
        await self._carry_out(run, effects)

    async def _carry_out(self, run: Run, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                await run.wire.send(effect.text)
            elif isinstance(effect, Finished):
                assert isinstance(effect.record, EnrolledBox)  # noqa: S101 - a hub adds boxes
                run.end(effect.record)
            else:
                await self._store(effect)
                await self._carry_out(run, run.core.stored())

    async def _store(self, effect: StorePending | StoreActive) -> None:
        assert isinstance(effect.record, EnrolledBox)  # noqa: S101 - a hub adds boxes
        try:
            if isinstance(effect, StorePending):
                await self._book.pend(effect.record)
            else:
                await self._book.activate(effect.record, "code")
        except (StoreError, BookFullError) as error:
            log.error("The box cannot be added: %s", error)
            raise EnrolmentError(EnrolFailure.STORAGE, "The hub cannot keep this.") from None

    async def _fail(self, run: Run, error: EnrolmentError) -> None:
        self.counts[f"run_{error.reason}"] += 1
        run.end(error.reason)
        try:
            if error.farewell:
                await run.wire.send(error.farewell)
        except ConnectionError:
            log.debug("a box went before it was told %s", error.reason)

    def _set_deadline(self, run: Run, delay_s: float) -> None:
        if run.deadline is not None:
            run.deadline.reschedule(self._time() + delay_s)

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()
