from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.network import terms as t
from provisioning.network.machine import Machine
from provisioning.network.table import TABLE
from provisioning.network.terms import Cause, Effect, Event, Phase, Tell, Timer
from provisioning.network.timing import RETRIES_S, ROLLBACK_S, SECONDS
from provisioning.network.wifi import Seen, Wifi
from stagebox.netstate import NetworkStep

HOME = Wifi("home", "12345678")
TARGET = t.Target(HOME, "DE")
PAGE = t.Target(Wifi("home", "87654321"), "DE", from_file=False)
NEW = t.Started(has_radio=True, profile=None, is_wired=False)
KNOWN = t.Started(has_radio=True, profile="home", is_wired=False, country="DE")
FILE = t.Started(has_radio=True, profile=None, is_wired=False, file=TARGET)
UP = t.Up(t.PROFILE, "home", has_gateway=True)
HOTSPOT_UP = t.Up(t.HOTSPOT_PROFILE, "Stagebox-0042", has_gateway=False)
ASKED = t.Asked("111122223333")


def rings(timer: Timer) -> t.Expired:
    return t.Expired(timer, "999988887777")


class Played:
    """A machine that was fed."""

    def __init__(self, *events: Event) -> None:
        self.machine = Machine("Stagebox-0042")
        self.last: list[Effect] = []
        self.all: list[Effect] = []
        self.feed(*events)

    def feed(self, *events: Event) -> "Played":
        self.last = []
        for event in events:
            self.last += self.machine.feed(event)
        self.all += self.last
        return self

    @property
    def phase(self) -> Phase:
        return self.machine.phase

    @property
    def told(self) -> list[NetworkStep]:
        return [each.step for each in self.last if isinstance(each, Tell)]

    def did(self, kind: type[Effect]) -> bool:
        return any(isinstance(each, kind) for each in self.last)

    def armed(self, timer: Timer) -> float | None:
        arms = [each for each in self.last if isinstance(each, t.Arm) and each.timer is timer]
        return arms[-1].seconds if arms else None


# --- the boot file ----------------------------------------------------------------------


def test_the_file_s_network_is_joined_and_its_key_removed() -> None:
    box = Played(FILE)
    kinds = [type(each) for each in box.last]
    assert kinds.index(t.SetCountry) < kinds.index(t.Join)
    assert (box.phase, box.told) == (Phase.JOINING, [NetworkStep.JOINING])
    assert (box.armed(Timer.JOIN) or 0) < ROLLBACK_S
    box.feed(UP)
    assert (box.phase, box.told) == (Phase.ONLINE, [NetworkStep.JOINED])
    assert box.did(t.Keep)
    assert box.did(t.Scrub)


def test_other_networks_on_the_way_are_not_the_one() -> None:
    box = Played(FILE, t.Up("Wired connection 1", "home", has_gateway=True))
    box.feed(t.Up(t.PROFILE, "other", has_gateway=True), t.Down(Cause.GONE))
    assert (box.phase, box.last) == (Phase.JOINING, [])


@pytest.mark.parametrize(
    ("cause", "step"),
    [
        (Cause.WRONG_KEY, NetworkStep.WRONG_KEY),
        (Cause.NO_ADDRESS, NetworkStep.NO_ADDRESS),
        (Cause.NOT_FOUND, NetworkStep.NOT_FOUND),
        (Cause.FAILED, NetworkStep.JOIN_FAILED),
    ],
)
def test_what_failed_is_told_once_and_tried_again_ever_more_slowly(
    cause: Cause, step: NetworkStep
) -> None:
    box = Played(FILE)
    for i in range(len(RETRIES_S) + 2):
        box.feed(t.Down(cause))
        assert box.phase is Phase.RETRY
        assert box.did(t.Undo)
        assert not box.did(t.Scrub)
        assert box.told == ([step] if i == 0 else [])
        assert box.armed(Timer.RETRY) == RETRIES_S[min(i, len(RETRIES_S) - 1)]
        assert box.feed(rings(Timer.RETRY)).phase is Phase.JOINING
        assert box.told == []
    assert box.feed(UP).told == [NetworkStep.JOINED]


def test_no_word_for_too_long_is_a_failure() -> None:
    assert Played(FILE).feed(rings(Timer.JOIN)).told == [NetworkStep.JOIN_FAILED]


def test_a_network_from_before_is_enough() -> None:
    box = Played(FILE, t.Down(Cause.WRONG_KEY)).feed(t.Up("old", "old", has_gateway=True))
    assert (box.phase, box.told) == (Phase.ONLINE, [NetworkStep.JOINED])


def test_without_a_country_the_radio_is_not_used() -> None:
    box = Played(t.Started(True, None, False, file=t.Target(HOME, None)))
    assert (box.phase, box.told) == (Phase.IDLE, [NetworkStep.NO_COUNTRY])
    assert not box.did(t.Join)
    known = Played(t.Started(True, None, False, country="GB", file=t.Target(HOME, None)))
    assert t.SetCountry("GB") in known.last
    assert known.did(t.Join)


def test_a_mistake_in_the_file_is_told_and_no_hotspot_comes_of_it() -> None:
    box = Played(t.Started(True, None, False, file=t.FileFault("kee", 3)))
    assert box.last[-1] == Tell(NetworkStep.BAD_FILE, "kee", 3)
    assert box.phase is Phase.IDLE
    assert box.feed(t.FileChanged(t.FileFault("key", 4))).told == [NetworkStep.BAD_FILE]
    assert box.feed(t.FileChanged(TARGET)).phase is Phase.JOINING


def test_another_file_ends_the_try_of_the_first() -> None:
    box = Played(FILE).feed(t.FileChanged(TARGET))
    kinds = [type(each) for each in box.last]
    assert kinds.index(t.Undo) < kinds.index(t.Join)


def test_a_file_is_of_no_use_without_a_radio() -> None:
    box = Played(t.Started(has_radio=False, profile=None, is_wired=False, file=TARGET))
    assert (box.phase, box.told) == (Phase.IDLE, [NetworkStep.NO_RADIO])
    assert box.feed(t.FileChanged(TARGET)).last == []


def test_a_network_without_a_router_counts_if_the_hub_is_there() -> None:
    lonely = t.Up(t.PROFILE, "home", has_gateway=False)
    target = t.Target(HOME, "DE", "wss://10.0.0.2:7443")
    start = t.Started(True, None, False, file=target)
    box = Played(start, lonely)
    assert (box.phase, box.last[-1]) == (Phase.PROBING, t.Probe("wss://10.0.0.2:7443"))
    assert box.feed(t.Probed(is_there=True)).told == [NetworkStep.JOINED]
    box = Played(start, lonely, t.Probed(is_there=False))
    assert (box.phase, box.told[-1]) == (Phase.RETRY, NetworkStep.NO_ROUTE)
    # Nobody has said where a hub is: the box will find one, or none.
    assert Played(FILE, lonely).phase is Phase.ONLINE


def test_it_may_go_while_the_hub_is_asked() -> None:
    lonely = t.Up(t.PROFILE, "home", has_gateway=False)
    target = t.Target(HOME, "DE", "wss://10.0.0.2:7443")
    box = Played(t.Started(True, None, False, file=target), lonely, t.Down(Cause.GONE))
    assert (box.phase, box.told[-1]) == (Phase.RETRY, NetworkStep.JOIN_FAILED)


# --- a network that goes ----------------------------------------------------------------


def test_case_46_a_short_loss_is_not_told() -> None:
    box = Played(FILE, UP).feed(t.Down(Cause.GONE))
    assert (box.phase, box.told) == (Phase.AWAY, [])
    assert box.armed(Timer.GRACE) == SECONDS[Timer.GRACE]
    box.feed(UP)
    assert (box.phase, box.told) == (Phase.ONLINE, [])


def test_case_47_a_long_one_is_told_once_and_never_opens_a_hotspot() -> None:
    box = Played(FILE, UP, t.Down(Cause.GONE)).feed(rings(Timer.GRACE))
    assert box.told == [NetworkStep.AWAY]
    for _ in range(1_000):
        box.feed(rings(Timer.LOOK), t.Down(Cause.NOT_FOUND))
        assert box.last == [t.Look(), t.Arm(Timer.LOOK, SECONDS[Timer.LOOK])]
    assert box.feed(UP).told == [NetworkStep.JOINED]


def test_a_key_that_was_changed_is_told_and_tried_again() -> None:
    box = Played(KNOWN, t.Down(Cause.WRONG_KEY))
    assert box.told[-1] == NetworkStep.WRONG_KEY
    assert box.feed(rings(Timer.RETRY)).last == [t.Reconnect()]


def test_a_stored_network_is_waited_for_from_the_start() -> None:
    box = Played(KNOWN)
    assert (box.phase, box.told) == (Phase.AWAY, [])
    assert t.SetCountry("DE") in box.last
    assert box.feed(UP).told == [NetworkStep.JOINED]
    already = Played(t.Started(True, "home", False, online="home"))
    assert (already.phase, already.told) == (Phase.ONLINE, [NetworkStep.JOINED])


# --- a cable ----------------------------------------------------------------------------


def test_a_cable_is_enough() -> None:
    box = Played(t.Started(True, None, is_wired=True))
    assert (box.phase, box.told) == (Phase.CABLE, [NetworkStep.CABLE])
    box.feed(t.Wired(is_up=True))
    assert box.last == []
    box.feed(t.Wired(is_up=False))
    assert box.phase is Phase.IDLE


@pytest.mark.parametrize(
    "events",
    [
        [],
        [rings(Timer.CABLE)],
        [rings(Timer.CABLE), t.Scanned(())],
        [rings(Timer.CABLE), t.Scanned(()), HOTSPOT_UP],
    ],
)
def test_a_cable_makes_the_first_hotspot_needless(events: list[Event]) -> None:
    box = Played(NEW, *events).feed(t.Wired(is_up=False), t.Wired(is_up=True))
    assert (box.phase, box.told) == (Phase.CABLE, [NetworkStep.CABLE])
    assert box.did(t.Lower) == (len(events) > 1)


def test_a_cable_does_not_close_a_hotspot_that_was_asked_for() -> None:
    box = Played(NEW, ASKED, t.Scanned(()), HOTSPOT_UP).feed(t.Wired(is_up=True))
    assert (box.phase, box.last) == (Phase.HOTSPOT, [])
    assert box.feed(rings(Timer.WINDOW)).phase is Phase.CABLE


# --- the hotspot ------------------------------------------------------------------------


def test_a_box_that_was_never_set_up_opens_one_after_a_look_around() -> None:
    box = Played(NEW)
    assert (box.phase, box.told) == (Phase.LISTENING, [])
    box.feed(rings(Timer.CABLE))
    assert (box.phase, box.told, box.did(t.Scan)) == (Phase.SCANNING, [NetworkStep.SCANNING], True)
    seen = (Seen("home", 70, is_secured=True),)
    box.feed(t.Scanned(seen))
    assert t.Raise("999988887777", seen, None, None) in box.last
    assert box.armed(Timer.WINDOW) == 900
    box.feed(t.Up(t.PROFILE, "old", has_gateway=True))
    assert box.last == []
    box.feed(HOTSPOT_UP)
    assert box.last[-1] == Tell(NetworkStep.HOTSPOT, "Stagebox-0042", secret="999988887777")
    box.feed(ASKED)
    assert box.told == [NetworkStep.HOTSPOT]
    box.feed(t.Submitted(PAGE))
    assert [type(each) for each in box.last] == [
        *(t.Lower, Tell, t.SetCountry, t.Join, t.Arm),
    ]
    box.feed(UP)
    assert (box.phase, box.told) == (Phase.ONLINE, [NetworkStep.JOINED])
    assert not box.did(t.Scrub)


def test_what_was_typed_wrong_can_be_mended_on_the_same_hotspot() -> None:
    box = Played(NEW, ASKED, t.Scanned(()), HOTSPOT_UP, t.Submitted(PAGE))
    box.feed(t.Down(Cause.WRONG_KEY))
    assert box.told == [NetworkStep.WRONG_KEY]
    assert t.Raise("111122223333", (), Cause.WRONG_KEY, None) in box.last
    assert box.armed(Timer.WINDOW) is None
    assert box.feed(t.Down(Cause.GONE)).last == []
    assert box.feed(HOTSPOT_UP).phase is Phase.HOTSPOT


def test_it_ends_after_its_time() -> None:
    box = Played(NEW, ASKED, t.Scanned(()), HOTSPOT_UP).feed(rings(Timer.WINDOW))
    assert (box.phase, box.told) == (Phase.IDLE, [NetworkStep.HOTSPOT_OVER])
    assert box.did(t.Lower)


def test_its_time_may_be_over_while_a_network_is_tried() -> None:
    box = Played(NEW, ASKED, t.Scanned(()), HOTSPOT_UP, t.Submitted(PAGE))
    box.feed(rings(Timer.WINDOW), t.Down(Cause.WRONG_KEY))
    assert (box.phase, box.told, box.did(t.Raise)) == (Phase.IDLE, [NetworkStep.WRONG_KEY], False)


@pytest.mark.parametrize("event", [rings(Timer.RAISE), t.Down(Cause.FAILED)])
def test_one_that_does_not_come_up_is_told(event: Event) -> None:
    box = Played(NEW, ASKED, rings(Timer.SCAN)).feed(event)
    assert (box.phase, box.told) == (Phase.IDLE, [NetworkStep.HOTSPOT_FAILED])


def test_one_that_breaks_down_is_told() -> None:
    box = Played(NEW, ASKED, t.Scanned(()), HOTSPOT_UP).feed(t.Down(Cause.GONE))
    assert (box.phase, box.told) == (Phase.IDLE, [NetworkStep.HOTSPOT_FAILED])


def test_a_box_that_has_a_network_opens_one_when_it_is_asked_and_goes_back() -> None:
    box = Played(FILE, UP).feed(ASKED, t.Down(Cause.GONE), t.Scanned(()), HOTSPOT_UP)
    assert box.phase is Phase.HOTSPOT
    box.feed(rings(Timer.WINDOW))
    assert (box.phase, box.told) == (Phase.AWAY, [NetworkStep.HOTSPOT_OVER])
    assert box.feed(UP).phase is Phase.ONLINE


def test_asking_ends_a_try() -> None:
    box = Played(FILE).feed(ASKED)
    assert box.did(t.Undo)
    assert box.phase is Phase.SCANNING


def test_without_a_radio_asking_is_answered_each_time() -> None:
    box = Played(t.Started(has_radio=False, profile=None, is_wired=True))
    assert box.feed(ASKED).told == [NetworkStep.NO_RADIO]
    assert box.feed(ASKED).told == [NetworkStep.NO_RADIO]


# --- NetworkManager ---------------------------------------------------------------------


def test_a_restart_of_networkmanager_is_not_told_and_a_loss_is() -> None:
    box = Played(FILE, UP).feed(t.ManagerGone())
    assert (box.phase, box.told) == (Phase.NO_MANAGER, [])
    assert box.feed(rings(Timer.MANAGER)).told == [NetworkStep.NO_MANAGER]
    assert box.feed(KNOWN).phase is Phase.AWAY


# --- a box that was wiped ---------------------------------------------------------------


@pytest.mark.parametrize("before", [(KNOWN,), (FILE, UP), (FILE,), (NEW, ASKED)])
def test_a_wiped_box_forgets_its_networks_and_begins_anew(before: tuple[Event, ...]) -> None:
    box = Played(*before).feed(t.Wiped())
    assert box.last[-1] == t.Forget()
    assert box.feed(NEW, rings(Timer.CABLE)).phase is Phase.SCANNING


def test_a_wiped_box_on_a_network_that_is_not_its_own_stays_there() -> None:
    other = t.Started(has_radio=True, profile="office", is_wired=False, online="office")
    assert Played(KNOWN).feed(t.Wiped(), other).phase is Phase.ONLINE


def test_no_key_is_in_any_repr() -> None:
    box = Played(NEW, ASKED, t.Scanned(()), HOTSPOT_UP, t.Submitted(PAGE), t.Down(Cause.FAILED))
    for secret in ("111122223333", "87654321"):
        assert secret not in repr([*box.all, PAGE, ASKED, rings(Timer.CABLE)])


def test_asserts_that_cannot_fail_in_play() -> None:
    box = Machine("x")
    box.phase = Phase.SCANNING
    with pytest.raises(AssertionError):
        box.feed(t.Scanned(()))
    box.phase = Phase.JOINING
    with pytest.raises(AssertionError):
        box.feed(UP)


def test_every_row_of_the_table_names_an_act() -> None:
    assert all(isinstance(getattr(Machine, act), Callable) for act in TABLE.values())  # type: ignore[arg-type]


EVENTS = st.one_of(
    st.sampled_from(
        [
            *(NEW, KNOWN, FILE, UP, HOTSPOT_UP, ASKED, t.ManagerGone(), t.Scanned(())),
            t.Wiped(),
            *(t.Submitted(PAGE), t.FileChanged(TARGET), t.FileChanged(t.FileFault("key", 1))),
            *(t.Up(t.PROFILE, "home", has_gateway=False), t.Up("old", "old", has_gateway=True)),
            t.Started(has_radio=False, profile=None, is_wired=True),
        ]
    ),
    st.builds(t.Down, st.sampled_from(Cause)),
    st.builds(t.Wired, st.booleans()),
    st.builds(t.Probed, st.booleans()),
    st.builds(rings, st.sampled_from(Timer)),
)


class Onlooker:
    """Holds the effects to what must never be."""

    def __init__(self) -> None:
        self.armed: set[Timer] = set()
        self.may_open = False
        self.is_open = False
        self.has_checkpoint = False
        self._act: dict[type[Effect], Callable[[Any], None]] = {
            t.Arm: lambda effect: self.armed.add(effect.timer),
            t.Disarm: lambda effect: self.armed.discard(effect.timer),
            t.Raise: self.on_raise,
            t.Lower: lambda _: setattr(self, "is_open", False),
            t.Join: self.on_join,
            t.Keep: self.on_keep,
            t.Undo: lambda _: setattr(self, "has_checkpoint", False),
        }

    def before(self, event: Event) -> bool:
        """Take an event; return False where it cannot happen."""
        if isinstance(event, t.Expired):
            if event.timer not in self.armed:
                return False
            self.armed.discard(event.timer)
        if isinstance(event, t.Started):
            self.may_open = event.profile is None and event.file is None
        self.may_open = self.may_open or isinstance(event, t.Asked)
        return True

    def see(self, effect: Effect) -> None:
        self._act.get(type(effect), lambda _: None)(effect)

    def on_raise(self, _effect: Effect) -> None:
        assert self.may_open
        self.is_open = True

    def on_join(self, _effect: Effect) -> None:
        assert not self.is_open
        self.has_checkpoint = True

    def on_keep(self, _effect: Effect) -> None:
        # From here on there is a network, and only a finger may open a hotspot.
        self.has_checkpoint = self.may_open = False


SETTLED = {Phase.IDLE, Phase.ONLINE, Phase.AWAY, Phase.CABLE, Phase.RETRY}


@settings(max_examples=300)
@given(st.lists(EVENTS, max_size=40))
def test_case_47_whatever_happens_no_hotspot_opens_unasked(events: list[Event]) -> None:
    """No hotspot that nobody asked for, none left open, no try without an end."""
    box, onlooker = Machine("Stagebox-0042"), Onlooker()
    for event in [NEW, *events]:
        if not onlooker.before(event):
            continue
        for effect in box.feed(event):
            onlooker.see(effect)
        assert onlooker.is_open == (box.phase in {Phase.RAISING, Phase.HOTSPOT})
        assert not (box.phase in SETTLED and onlooker.has_checkpoint)
