"""The updater's core: every way through it, and power cuts between any two effects."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.update import machine
from provisioning.update.machine import STEPS, TRIAL_S, WELL_S, Update, step
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
from stagebox.release import Architecture, Manifest, Reason, ReleaseRole

MOST_STARTS = 3  # of fallback.sh
RUNS = settings(max_examples=300, deadline=None)


def manifest(build: int = 105) -> Manifest:
    return Manifest(
        format="stagebox-release/1",
        version="1.0",
        build=build,
        role=ReleaseRole.BOX,
        architecture=Architecture.ARM64,
        python="3.11",
        made="2026-11-21",
        size=1,
        sha256="0" * 64,
        unpacked=1,
    )


WELL = Seen(current=105, pid=7, well=True, audio=True)


class Run:
    """An updater, its effects answered by hand or by ``Done``."""

    def __init__(
        self, disk: OnDisk | None = None, wish: Wish = Wish.UPDATE, running: int = 0
    ) -> None:
        self.update, self.effect = Update(), None
        self.now = 1000.0
        self.tell(Begin(disk or OnDisk(package=100), wish, audio=True, running=running))

    def tell(self, event: Event, after: float = 0.0) -> Effect | None:
        self.now += after
        self.update, self.effect = step(self.update, event, self.now)
        return self.effect

    def until(self, wanted: type) -> Effect:
        for _ in range(20):
            if isinstance(self.effect, wanted):
                return self.effect
            event: Event = Offered(manifest()) if isinstance(self.effect, Ask) else Done()
            if isinstance(self.effect, Look) and self.update.phase is Phase.WAITING:
                event = replace(WELL, current=PACKAGE)
            self.tell(event)
        raise AssertionError(f"{wanted} never came; {self.effect}")


def test_a_release_that_is_well_for_a_minute_is_kept() -> None:
    run = Run()
    assert run.until(WriteTrial) == WriteTrial(Trial(105, PACKAGE, audio=True))
    assert run.tell(Done()) == Point(105)
    assert run.tell(Done()) == RestartBox()
    assert run.tell(Done()) == Look(machine.LOOK_S)
    assert run.tell(WELL, 5) == Look(machine.LOOK_S)
    assert run.tell(WELL, WELL_S - 1) == Look(machine.LOOK_S)
    assert run.tell(WELL, 1) == ClearTrial()
    assert run.tell(Done()) == Sweep(frozenset({105, PACKAGE}))
    assert run.tell(Done()) is None
    assert run.update.outcome is Outcome.COMMITTED


@pytest.mark.parametrize(
    "seen",
    [
        replace(WELL, pid=0),
        replace(WELL, well=False),
        replace(WELL, audio=False),
    ],
    ids=["never ready", "no hub", "no sound"],
)
def test_a_release_that_is_not_well_goes(seen: Seen) -> None:
    run = Run(OnDisk(current=103, builds=frozenset({101, 103}), package=100))
    run.until(RestartBox)
    run.tell(Done())
    assert run.tell(seen, TRIAL_S - 1) == Look(machine.LOOK_S)
    assert run.tell(seen, 1) == NoteFailed(105)
    assert run.tell(Done()) == Point(103)
    assert run.tell(Done()) == ClearTrial()
    assert run.tell(Done()) == RestartBox()
    assert run.tell(Done()) == Sweep(frozenset({103, 101}))
    assert run.tell(Done()) is None
    assert run.update.outcome is Outcome.ROLLED_BACK
    assert "not well" in run.update.why


def test_a_box_that_had_no_sound_before_needs_none_now() -> None:
    run = Run()
    run.update, run.effect = step(Update(), Begin(OnDisk(), audio=False), 0)
    run.until(RestartBox)
    run.tell(Done())
    run.tell(replace(WELL, audio=False), 1)
    assert run.tell(replace(WELL, audio=False), WELL_S) == ClearTrial()


def test_a_box_that_crashes_every_now_and_then_is_never_well() -> None:
    run = Run()
    run.until(RestartBox)
    run.tell(Done())
    for pid in range(8, 12):
        assert run.tell(replace(WELL, pid=pid), 30) == Look(machine.LOOK_S)
    assert run.tell(replace(WELL, pid=12), 30) == Look(machine.LOOK_S)
    assert run.tell(replace(WELL, pid=13), TRIAL_S) == NoteFailed(105)


def test_the_boxs_own_way_back_is_seen() -> None:
    run = Run()
    run.until(RestartBox)
    run.tell(Done())
    assert run.tell(replace(WELL, current=PACKAGE), 20) == Sweep(frozenset({PACKAGE}))
    assert run.tell(Done()) is None
    assert run.update.outcome is Outcome.ROLLED_BACK


def test_nobody_is_cut_off_in_a_conversation() -> None:
    run = Run()
    run.until(Look)
    busy = Seen(PACKAGE, 7, well=True, audio=True, busy=True)
    assert run.tell(busy, 60) == Look(machine.LOOK_IDLE_S)
    assert run.tell(busy, machine.PATIENCE_S) == Sweep(frozenset({PACKAGE}))
    assert run.update.outcome is Outcome.DEFERRED
    hurried = Run(wish=Wish.NOW)
    hurried.until(Look)
    assert isinstance(hurried.tell(busy), WriteTrial)


def test_nothing_new_and_only_looking() -> None:
    run = Run()
    assert run.tell(Offered(None)) is None
    assert run.update.outcome is Outcome.UP_TO_DATE
    looks = Run(wish=Wish.CHECK)
    assert looks.tell(Offered(manifest())) is None
    assert looks.update.outcome is Outcome.AVAILABLE


@pytest.mark.parametrize(
    ("at", "outcome", "then"),
    [
        (Ask, Outcome.REFUSED, None),
        (Fetch, Outcome.FAILED, Sweep),
        (VerifyArchive, Outcome.FAILED, Sweep),
        (Unpack, Outcome.FAILED, Sweep),
        (WriteTrial, Outcome.FAILED, Sweep),
        (RestartBox, Outcome.FAILED, NoteFailed),
    ],
)
def test_what_fails_before_the_trial_changes_nothing(
    at: type, outcome: Outcome, then: type | None
) -> None:
    run = Run()
    run.until(at)
    effect = run.tell(Failed(Reason.DISK, "it is full"))
    assert (effect is None) if then is None else isinstance(effect, then)
    assert (run.update.outcome, run.update.why) == (outcome, "it is full")


def test_a_link_that_cannot_be_changed_is_changed_back() -> None:
    run = Run(OnDisk(current=103, package=100))
    run.until(Point)
    assert run.tell(Failed(Reason.DISK, "read-only")) == Point(103)
    # And if that fails, too, the trial stays for the box's own start to see.
    assert run.tell(Failed(Reason.DISK, "read-only")) is None
    assert run.update.outcome is Outcome.FAILED


def test_cleaning_up_goes_on_whatever_fails() -> None:
    run = Run()
    run.until(RestartBox)
    run.tell(Done())
    run.tell(replace(WELL, well=False), TRIAL_S)
    broken = Failed(Reason.DISK, "broken")
    assert run.tell(broken) == Point(PACKAGE)
    assert run.tell(Done()) == ClearTrial()
    assert run.tell(broken) == RestartBox()
    assert isinstance(run.tell(broken), Sweep)
    assert run.tell(broken) is None
    assert run.update.outcome is Outcome.ROLLED_BACK


ON_TRIAL = OnDisk(105, Trial(105, 103, audio=True), frozenset({103, 105}), package=100)


def test_a_trial_goes_on_after_the_updater_went() -> None:
    assert Run(ON_TRIAL, running=105).effect == Look(machine.LOOK_S)
    assert Run(ON_TRIAL).effect == Look(machine.LOOK_S)
    # The link was changed, and then the updater was killed: the box does not know yet.
    assert Run(ON_TRIAL, running=103).effect == RestartBox()
    looks = Run(ON_TRIAL, Wish.CHECK)
    assert looks.effect is None
    assert looks.update.outcome is Outcome.DEFERRED
    assert Run(ON_TRIAL, Wish.ROLLBACK).effect == NoteFailed(105)


def test_a_trial_that_is_not_used_is_over() -> None:
    run = Run(replace(ON_TRIAL, current=103))
    assert run.effect == ClearTrial()
    assert run.update.outcome is Outcome.ROLLED_BACK


def test_going_back_by_hand() -> None:
    run = Run(OnDisk(105, None, frozenset({103, 105}), package=100), Wish.ROLLBACK)
    assert run.effect == NoteFailed(105)
    assert run.tell(Done()) == Point(103)
    last = Run(OnDisk(103, None, frozenset({103}), package=100), Wish.ROLLBACK)
    assert last.effect == NoteFailed(103)
    assert last.tell(Done()) == Point(PACKAGE)
    none = Run(OnDisk(package=100), Wish.ROLLBACK)
    assert none.effect is None
    assert none.update.outcome is Outcome.REFUSED


def test_the_table_is_whole() -> None:
    assert set(STEPS) == set(Phase) - {Phase.START, Phase.OVER}
    with pytest.raises(AssertionError, match="nothing was offered"):
        _ = Update().chosen
    with pytest.raises(AssertionError, match="nothing is on trial"):
        _ = Update().on_trial
    with pytest.raises(AssertionError, match="no answer"):
        step(Update(), WELL, 0)


# --- power cuts -----------------------------------------------------------------------


@dataclass
class Disk:
    """A disk that does an effect whole or, if the power goes, not at all. ``ran``: on which."""

    builds: set[int] = field(default_factory=set)
    current: int = PACKAGE
    trial: Trial | None = None
    failed: list[int] = field(default_factory=list)

    def do(self, effect: Effect) -> None:
        match effect:
            case Unpack(made):
                self.builds.add(made.build)
            case WriteTrial(trial):
                self.trial = trial
            case Point(build):
                self.current = build
            case ClearTrial():
                self.trial = None
            case NoteFailed(build):
                self.failed.append(build)
            case Sweep(keep):
                self.builds &= keep | {self.current}

    def start_box(self) -> int:
        """What fallback.sh and the launcher do; return the release that runs."""
        trial = self.trial
        if trial is not None and trial.new != self.current:
            self.trial = None
        elif trial is not None and trial.starts < MOST_STARTS:
            self.trial = replace(trial, starts=trial.starts + 1)
        elif trial is not None:
            self.failed.append(trial.new)
            self.current, self.trial = trial.old, None
        return self.current

    def seen(self) -> OnDisk:
        failed = {build: self.failed.count(build) for build in self.failed}
        return OnDisk(self.current, self.trial, frozenset(self.builds), failed, 100)


class House:
    """A box with a disk, and an updater that the power cuts off after so many effects."""

    def __init__(self, disk: Disk, works: set[int]) -> None:
        self.disk, self.works = disk, works
        self.running = disk.start_box()
        self.now = 0.0

    def update(self, offered: int, cut: int, wish: Wish = Wish.UPDATE) -> Update | None:
        """Run the updater; None: the power went before effect ``cut``."""
        begin = Begin(self.disk.seen(), wish, audio=True, running=self.running or 100)
        update, effect = step(Update(), begin, self.now)
        done = 0
        while effect is not None:
            if done == cut:
                self.running = self.disk.start_box()  # the power comes back
                return None
            done += 1
            self.disk.do(effect)
            update, effect = step(update, self._answer(effect, offered), self.now)
        return update

    def _answer(self, effect: Effect, offered: int) -> Event:
        self.now += 5
        if isinstance(effect, Ask):
            is_new = offered > self.running and self.disk.failed.count(offered) < 3
            return Offered(manifest(offered) if is_new else None)
        if isinstance(effect, RestartBox):
            self.running = self.disk.start_box()
        if isinstance(effect, Look):
            well = self.running in self.works
            if not well:  # it ends, and systemd starts it anew
                self.running = self.disk.start_box()
            return Seen(self.disk.current, 7, well and self.running == self.disk.current, True)
        return Done()


@RUNS
@given(
    works=st.booleans(),
    cuts=st.lists(st.integers(0, 20), max_size=12),
    start=st.sampled_from([PACKAGE, 103]),
    wishes=st.lists(st.sampled_from([Wish.UPDATE, Wish.NOW, Wish.ROLLBACK]), max_size=12),
)
def test_case_64_old_or_new_runs_whenever_the_power_goes(
    works: bool, cuts: list[int], start: int, wishes: list[Wish]
) -> None:
    disk = Disk({103} if start else set(), start)
    house = House(disk, {PACKAGE, 103, *([105] if works else [])})
    for number, cut in enumerate(cuts):
        wish = wishes[number] if number < len(wishes) else Wish.UPDATE
        house.update(105, cut, wish)
        # What runs is whole, and what the next start will run is, too.
        assert house.running in {PACKAGE, 103, 105}
        assert disk.current == PACKAGE or disk.current in disk.builds
        assert disk.trial is None or disk.trial.old in {PACKAGE} | disk.builds
    # Power for good: it comes to an end, and what was judged bad does not run.
    for _ in range(4):
        house.update(105, cut=10_000)
    assert disk.trial is None
    assert house.running == disk.current
    assert house.running in house.works
    assert disk.builds <= {103, 105}
