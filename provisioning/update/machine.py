"""The updater: from a release that is offered to one that is kept, or to the one before. Pure.

One effect at a time; each is carried out whole or not at all, and is on the disk before the
next. Whatever happens between two of them, what ``current`` points to is whole: the old release
until the new one is unpacked, and back to the old one unless the new one was well for a minute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from provisioning.update.model import (
    PACKAGE,
    Ask,
    Begin,
    ClearTrial,
    Done,
    Effect,
    Event,
    Failed,
    Fetch,
    Look,
    NoteFailed,
    Offered,
    OnDisk,
    Outcome,
    Phase,
    Point,
    RestartBox,
    Seen,
    Sweep,
    Trial,
    Unpack,
    VerifyArchive,
    Wish,
    WriteTrial,
)
from stagebox.release import Manifest, Reason

# A release that hangs is ended by the watchdog after 20 s: in a minute that shows.
WELL_S: Final = 60.0
# With the start of the box and the way back this keeps a bad release under five minutes.
TRIAL_S: Final = 240.0
# Nobody is cut off in mid-conversation; the next run of the updater asks again.
PATIENCE_S: Final = 4 * 3600.0
LOOK_S: Final = 2.0
LOOK_IDLE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Update:
    """How an update stands; make one for each run."""

    phase: Phase = Phase.START
    wish: Wish = Wish.UPDATE
    disk: OnDisk = field(default_factory=OnDisk)
    manifest: Manifest | None = None
    trial: Trial | None = None
    outcome: Outcome | None = None
    why: str = ""
    reason: Reason | None = None
    until: float = 0.0
    pid: int = 0
    well_since: float | None = None

    @property
    def chosen(self) -> Manifest:
        """The release that was offered; only asked for after it was."""
        if self.manifest is None:
            raise AssertionError("nothing was offered")
        return self.manifest

    @property
    def on_trial(self) -> Trial:
        """The release on trial; only asked for while one is."""
        if self.trial is None:
            raise AssertionError("nothing is on trial")
        return self.trial


Result = tuple[Update, Effect | None]


@dataclass(frozen=True, slots=True)
class Step:
    """A phase that does one thing: what, and where it leads when it is done, and when not."""

    does: Callable[[Update], Effect]
    done: Phase
    failed: Phase


STEPS: Final[Mapping[Phase, Step]] = {
    Phase.ASKING: Step(lambda _: Ask(), Phase.OVER, Phase.OVER),
    Phase.FETCHING: Step(lambda u: Fetch(u.chosen), Phase.VERIFYING, Phase.SWEEPING),
    Phase.VERIFYING: Step(lambda u: VerifyArchive(u.chosen), Phase.UNPACKING, Phase.SWEEPING),
    Phase.UNPACKING: Step(lambda u: Unpack(u.chosen), Phase.WAITING, Phase.SWEEPING),
    Phase.WAITING: Step(lambda _: Look(0), Phase.OVER, Phase.SWEEPING),
    Phase.ARMING: Step(lambda u: WriteTrial(u.on_trial), Phase.SWITCHING, Phase.SWEEPING),
    Phase.SWITCHING: Step(lambda u: Point(u.on_trial.new), Phase.STARTING, Phase.RETURNING),
    Phase.STARTING: Step(lambda _: RestartBox(), Phase.WATCHING, Phase.NOTING),
    Phase.WATCHING: Step(lambda _: Look(LOOK_S), Phase.OVER, Phase.NOTING),
    Phase.COMMITTING: Step(lambda _: ClearTrial(), Phase.SWEEPING, Phase.OVER),
    Phase.NOTING: Step(lambda u: NoteFailed(u.on_trial.new), Phase.RETURNING, Phase.RETURNING),
    # Where the way back is barred the trial stays: the next start of the box tries again.
    Phase.RETURNING: Step(lambda u: Point(u.on_trial.old), Phase.CLEARING, Phase.OVER),
    Phase.CLEARING: Step(lambda _: ClearTrial(), Phase.RESTARTING, Phase.RESTARTING),
    Phase.RESTARTING: Step(lambda _: RestartBox(), Phase.SWEEPING, Phase.SWEEPING),
    Phase.SWEEPING: Step(lambda u: Sweep(_kept(u)), Phase.OVER, Phase.OVER),
}


def step(update: Update, event: Event, now: float) -> Result:
    """Return how it stands after the event, and what is to be done; None: it is over."""
    answer = _ANSWERS.get((update.phase, type(event)))
    if answer is not None:
        return answer(update, event, now)
    if isinstance(event, Done):
        return _enter(update, STEPS[update.phase].done, now)
    if isinstance(event, Failed):
        return _failed(update, event, now)
    raise AssertionError(f"{event} is no answer to {update.phase}")


def _enter(update: Update, phase: Phase, now: float) -> Result:
    if phase is Phase.WATCHING:
        update = replace(update, until=now + TRIAL_S, well_since=None, pid=0)
    elif phase is Phase.WAITING:
        update = replace(update, until=now + PATIENCE_S)
    update = replace(update, phase=phase)
    return update, None if phase is Phase.OVER else STEPS[phase].does(update)


def _over(update: Update, outcome: Outcome, why: str = "") -> Result:
    return replace(update, phase=Phase.OVER, outcome=outcome, why=why), None


def _begun(update: Update, begin: Begin, now: float) -> Result:
    disk = begin.disk
    started = replace(update, disk=disk, wish=begin.wish, trial=disk.trial)
    if disk.trial is not None:
        if disk.current == disk.trial.new:
            return _go_on(started, begin, now)
        # The power went between two steps, or the box's start went back by itself.
        why = f"Build {disk.trial.new} was tried and is not used."
        return _enter(replace(started, outcome=Outcome.ROLLED_BACK, why=why), Phase.CLEARING, now)
    if begin.wish is Wish.ROLLBACK:
        if disk.current == PACKAGE:
            return _over(started, Outcome.REFUSED, "The package's own release runs: none is older.")
        back = max((each for each in disk.builds if each < disk.current), default=PACKAGE)
        return _back(replace(started, trial=Trial(disk.current, back, audio=False)), "", now)
    fresh = Trial(PACKAGE, disk.current, begin.audio)
    return _enter(replace(started, trial=fresh), Phase.ASKING, now)


def _go_on(update: Update, begin: Begin, now: float) -> Result:
    """Go on with a trial that was under way when the updater, or the power, went."""
    if begin.wish is Wish.ROLLBACK:
        return _back(update, "", now)
    if begin.wish is Wish.CHECK:
        return _over(update, Outcome.DEFERRED, f"Build {update.on_trial.new} is on trial.")
    # The link was changed and the box does not know it yet, or it was started since.
    unaware = begin.running not in {0, update.on_trial.new}
    return _enter(update, Phase.STARTING if unaware else Phase.WATCHING, now)


def _offered(update: Update, offered: Offered, now: float) -> Result:
    manifest = offered.manifest
    if manifest is None:
        return _over(update, Outcome.UP_TO_DATE)
    found = replace(update, manifest=manifest, trial=replace(update.on_trial, new=manifest.build))
    if update.wish is Wish.CHECK:
        return _over(found, Outcome.AVAILABLE, f"{manifest.version}, build {manifest.build}")
    return _enter(found, Phase.FETCHING, now)


def _waited(update: Update, seen: Seen, now: float) -> Result:
    if not seen.busy or update.wish is Wish.NOW:
        return _enter(update, Phase.ARMING, now)
    if now >= update.until:
        update = replace(update, outcome=Outcome.DEFERRED, why="The box was in use all the time.")
        return _enter(update, Phase.SWEEPING, now)
    return update, Look(LOOK_IDLE_S)


def _watched(update: Update, seen: Seen, now: float) -> Result:
    trial = update.on_trial
    if seen.current != trial.new:  # the box's own start went back
        why = f"Build {trial.new} did not start three times."
        update = replace(update, outcome=Outcome.ROLLED_BACK, why=why)
        return _enter(update, Phase.SWEEPING, now)
    well = seen.well and seen.pid > 0 and (seen.audio or not trial.audio)
    if not well:
        since = None
    elif seen.pid == update.pid and update.well_since is not None:
        since = update.well_since
    else:
        since = now
    update = replace(update, pid=seen.pid, well_since=since)
    if since is not None and now - since >= WELL_S:
        return _enter(replace(update, outcome=Outcome.COMMITTED), Phase.COMMITTING, now)
    if now >= update.until:
        return _back(update, f"Build {trial.new} was not well for a minute.", now)
    return update, Look(LOOK_S)


def _back(update: Update, why: str, now: float) -> Result:
    return _enter(replace(update, outcome=Outcome.ROLLED_BACK, why=why), Phase.NOTING, now)


def _failed(update: Update, failed: Failed, now: float) -> Result:
    phase = STEPS[update.phase].failed
    if update.phase in _CLEANING:  # what it was all about is decided
        return _enter(update, phase, now)
    outcome = Outcome.FAILED
    if update.phase is Phase.ASKING:
        outcome = Outcome.REFUSED
    told = replace(update, outcome=outcome, why=failed.detail, reason=failed.reason)
    return _enter(told, phase, now)


_CLEANING: Final = frozenset({Phase.NOTING, Phase.CLEARING, Phase.RESTARTING, Phase.SWEEPING})


def _kept(update: Update) -> frozenset[int]:
    """Return the releases to keep: the one that runs, and the one before it."""
    trial = update.on_trial
    if update.outcome is Outcome.COMMITTED:
        return frozenset({trial.new, trial.old})
    older = max((each for each in update.disk.builds if each < trial.old), default=PACKAGE)
    return frozenset({trial.old, older})


# Phases that end by an answer, and not because something is done.
_ANSWERS: Final[Mapping[tuple[Phase, type], Callable[[Update, Any, float], Result]]] = {
    (Phase.START, Begin): _begun,
    (Phase.ASKING, Offered): _offered,
    (Phase.WAITING, Seen): _waited,
    (Phase.WATCHING, Seen): _watched,
}
