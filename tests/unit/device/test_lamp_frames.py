"""The lamp is red exactly while frames leave; MUTE ends them at once; no message opens anything.

Random histories of presses with bounce, hub messages, losses and faults, on boxes of all kinds.
Each is made from its number alone, so one that fails can be played again. ``STAGEBOX_HISTORIES``
says how many are tried (300 otherwise); 10,000 take some minutes.
"""

import os
import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from device.buttons.lamps import Color
from device.buttons.ports import Key
from device.floor.model import Learn, Left, LinkDown, LinkUp
from device.floor.participant import Participant
from device.floor.tables import TALK, Act, Talk, TalkCue
from device.floor.talk import TalkKey
from device.tally import Tally
from device.transmitter import Transmitter
from stagebox.wire import codec
from stagebox.wire.causes import CancelCause, DenyCause, RevokeCause
from stagebox.wire.messages import (
    FloorCancelled,
    FloorDenied,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorRevoked,
    HubMessage,
    Pong,
    Snapshot,
    SpaceLeft,
)
from stagebox.wire.space import Floor, SpaceInfo
from stagebox.wire.terms import Gone, Mode, Place, Role, SpaceState
from tests.unit.device.air_world import Kind, World
from tests.unit.device.conduct_box import ANNA, ME, RECORDING, person
from tests.unit.wire.catalogue import HUB_TAGS, valid

HISTORIES = int(os.environ.get("STAGEBOX_HISTORIES", "300"))
# Histories run in groups: a report for each of ten thousand would be longer than they are.
GROUPS = 20
# Of so few histories nothing can be said that is true of all of them.
ENOUGH = 12
STEPS = (15, 45)
EXAMPLES = [codec.decode_hub(valid(tag)) for tag in sorted(HUB_TAGS)]
ONE_KEY = frozenset({Key.TALK})
KEYS = (frozenset(Key), frozenset(Key) - {Key.MUTE, Key.STATUS}, ONE_KEY, ONE_KEY | {Key.MUTE})
WAITS = (0.0, 0.001, 0.005, 0.012, 0.02, 0.05, 0.1, 0.2, 0.24, 0.26, 0.4, 0.7, 1.0, 2.1)
LONG_WAITS = (3.0, 11.0, 31.0)


class History:
    """One history: a box of some kind, and what befalls it."""

    def __init__(self, number: int) -> None:
        self.dice = dice = random.Random(number)
        role = dice.choice([Role.GUEST, Role.GUEST, Role.GUEST, Role.STUDIO, Role.SPEAKER])
        kind = Kind(
            role=role,
            keys=dice.choice(KEYS),
            latches=dice.random() < 0.5,
            pre_roll_s=dice.choice([0.0, 0.24, 0.5]),
            hang_s=dice.choice([0.0, 0.15, 0.5]),
            duplex_s=dice.choice([0.0, 0.0, 0.05, 0.3]),
        )
        self.world = World(kind, dice)
        self.rev = 0
        self.space = SpaceInfo(id="den", name="Den", host=ANNA)
        self.me = person(ME, dice.choice([Place.SPEAKER, Place.SPEAKER, Place.HOST]), "Me")
        self.mode = dice.choice(list(Mode))
        self.kindness = dice.choice([0.6, 0.9, 0.98])  # how often the hub grants
        self.acts: list[tuple[int, Callable[[], None]]] = [
            (12, self.talk),
            (8, self.speak),
            (6, self.tap_talk),
            (5, self.press_any),
            (3, self.mute),
            (8, self.wait),
            (1, self.wait_long),
            (3, self.offered),
            (4, self.grant_last),
            (3, self.told_off),
            (3, self.anything),
            (3, self.space_changes),
            (2, self.snapshot),
            (1, self.link),
            (1, self.media),
            (1, self.stall),
            (1, self.line),
            (1, self.lost_edges),
            (1, self.left),
            (1, self.learn),
        ]

    def play(self) -> World:
        world = self.world
        if world.kind.role is not Role.SPEAKER:
            world.microphone(True)
        world.spoil(LinkUp(), "link")
        self.snapshot()
        weights = [weight for weight, _ in self.acts]
        for _ in range(self.dice.randint(*STEPS)):
            (act,) = self.dice.choices([act for _, act in self.acts], weights)
            act()
            if self.dice.random() < 0.7:
                self.beat()
        for key in Key:
            world.contact(key, down=False)
        world.stalls = world.line_full = False
        self.run(1.0)
        if not world.floor.is_latched:
            assert world.lamp is not Color.RED
        return world

    # --- fingers ------------------------------------------------------------------------

    def move(self, key: Key, *, down: bool) -> None:
        """Move a key, with the bounce that a contact has."""
        for _ in range(self.dice.choice([0, 0, 1, 3])):
            self.world.contact(key, down=down)
            self.run(self.dice.uniform(0, 0.004))
            self.world.contact(key, down=not down)
            self.run(self.dice.uniform(0, 0.003))
        self.world.contact(key, down=down)

    def talk(self) -> None:
        """Press TALK or let it go; a hub that is kind grants a fresh press."""
        down = Key.TALK not in self.world.contacts
        asked = len(self.world.asked)
        self.move(Key.TALK, down=down)
        if down and len(self.world.asked) > asked and self.dice.random() < self.kindness:
            self.grant_last()

    def speak(self) -> None:
        """Press TALK afresh, be granted it, and speak a little."""
        self.world.contact(Key.MUTE, down=False)
        self.world.contact(Key.TALK, down=False)
        self.run(self.dice.choice([0.03, 0.1, 0.6]))
        self.talk()
        self.beat()
        self.run(self.dice.choice([0.02, 0.1, 0.4, 0.9]))

    def tap_talk(self) -> None:
        self.world.contact(Key.TALK, down=False)
        self.run(self.dice.choice([0.03, 0.1]))
        self.talk()
        self.run(self.dice.choice([0.01, 0.05, 0.15, 0.2, 0.3]))
        self.move(Key.TALK, down=False)

    def press_any(self) -> None:
        key = self.dice.choice([key for key in Key if key is not Key.MUTE])
        self.move(key, down=key not in self.world.contacts)

    def mute(self) -> None:
        """Turn the switch at any instant; mostly back again."""
        self.run(self.dice.uniform(0, 0.05))
        self.move(Key.MUTE, down=Key.MUTE not in self.world.contacts)
        if self.dice.random() < 0.7:
            self.run(self.dice.choice([0.03, 0.3]))
            self.move(Key.MUTE, down=False)

    def lost_edges(self) -> None:
        self.world.lost_edge(self.dice.choice([Key.TALK, Key.HAND, Key.MUTE]))

    # --- the hub ------------------------------------------------------------------------

    def grant_last(self) -> None:
        self.run(self.dice.choice([0.0, 0.004, 0.02, 0.06, 0.15]))
        if self.world.asked:
            self.world.grant(self.world.asked[-1], self.dice.choice([None, 1.0, 20.0]))

    def offered(self) -> None:
        """Offer the floor; sometimes grant it although nobody asked."""
        req = self.any_request()
        self.world.hear(FloorOffered(req=req, expires_in_s=20))
        if self.dice.random() < 0.5:
            self.world.grant(self.any_request(), None)

    def told_off(self) -> None:
        req, seconds = self.any_request(), self.dice.choice([0.0, 0.5])
        messages: list[HubMessage] = [
            FloorDenied(req=req, cause=DenyCause.FLOOR_TAKEN, retry_after_s=seconds),
            FloorQueued(req=req, position=1),
            FloorQueued(req=req, position=2),
            FloorRevoked(req=req, cause=RevokeCause.TOO_LONG, grace_s=seconds, retry_after_s=3),
            FloorRevoked(req=req, cause=RevokeCause.HOST_HOLD, grace_s=0, retry_after_s=0),
            FloorCancelled(req=req, cause=CancelCause.BY_HOST),
            FloorReleased(req=req),
        ]
        self.world.hear(self.dice.choice(messages))

    def anything(self) -> None:
        message = self.dice.choice(EXAMPLES)
        grants = None
        if "req" in message.__struct_fields__:
            grants = self.any_request()
            message = replace(message, req=grants)
        self.world.hear(message, grants)

    def space_changes(self) -> None:
        dice = self.dice
        self.me = replace(
            self.me,
            place=dice.choice([Place.SPEAKER, Place.SPEAKER, *Place]),
            held=dice.random() < 0.1,
            agreed=dice.choice([0, 3]),
        )
        states = [*[SpaceState.LIVE] * 5, SpaceState.FROZEN, SpaceState.BACKSTAGE]
        recording = dice.choice([None, None, RECORDING])
        self.space = replace(self.space, state=dice.choice(states), recording=recording)
        self.snapshot()
        # What keeps a microphone closed is over again: else nothing would be heard for long.
        if dice.random() < 0.8:
            self.space = replace(self.space, state=SpaceState.LIVE, recording=None)
            self.snapshot()

    def snapshot(self) -> None:
        self.rev += 1
        req = next((m.req for m in reversed(self.world.outbox) if type(m).__name__ == "Join"), None)
        self.world.hear(
            Snapshot(
                req=req,
                rev=self.rev,
                you=ME,
                space=self.space,
                members=(self.me, person(ANNA)),
                floor=Floor(mode=self.mode, open_limit=2),
            )
        )

    def any_request(self) -> str:
        return self.dice.choice([*self.world.asked[-3:], "stranger", "w-1"])

    def beat(self) -> None:
        self.world.ping()
        if self.world.pings and self.dice.random() < 0.9:
            grant = self.world.asked[-1] if self.world.asked else None
            self.world.hear(Pong(n=self.world.pings[-1], grant=grant))

    # --- faults and time ----------------------------------------------------------------

    def run(self, seconds: float) -> None:
        self.world.run(seconds)

    def wait(self) -> None:
        self.run(self.dice.choice(WAITS))

    def wait_long(self) -> None:
        for _ in range(int(self.dice.choice(LONG_WAITS))):
            self.beat()
            self.run(1.0)

    def link(self) -> None:
        self.world.spoil(LinkDown(), "link")
        self.run(self.dice.choice([0.0, 0.3, 2.0]))
        self.world.pings.clear()
        self.world.spoil(LinkUp(), "link")
        self.snapshot()

    def media(self) -> None:
        self.world.media(False)
        self.run(self.dice.choice([0.0, 0.1, 0.5]))
        if self.world.kind.role is not Role.SPEAKER:
            self.world.media(True)

    def stall(self) -> None:
        """The microphone stands still, and its card says nothing of it."""
        self.world.stalls = True
        self.run(self.dice.choice([0.05, 0.3, 0.8]))
        self.world.stalls = False

    def line(self) -> None:
        """No packet gets through for a while."""
        self.world.line_full = True
        self.run(self.dice.choice([0.02, 0.2]))
        self.world.line_full = False

    def left(self) -> None:
        if self.dice.random() < 0.5:
            self.world.spoil(Left(), "left")
        else:
            self.world.hear(SpaceLeft(space="den", cause=Gone.REMOVED))
        self.snapshot()

    def learn(self) -> None:
        self.world.feed(Learn(), "learn")


@pytest.mark.parametrize("group", range(GROUPS))
def test_red_exactly_while_frames_leave(group: int) -> None:
    frames = bursts = 0
    numbers = range(group, HISTORIES, GROUPS)
    for number in numbers:
        try:
            world = History(number).play()
        except AssertionError as error:
            raise AssertionError(f"history {number}: {error}") from error
        frames, bursts = frames + world.frames, bursts + world.bursts
    # A world in which nobody is heard would keep every promise.
    if len(numbers) >= ENOUGH:
        assert bursts >= 2 * len(numbers)
        assert frames >= 10 * bursts


def _mute_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Participant, "_on_mute", lambda _self, _now: [])


def _the_lamp_stays_red(patch: pytest.MonkeyPatch) -> None:
    def on_air(tally: Tally, on: bool) -> None:
        tally._is_on_air = on
        if on:
            tally._light()

    patch.setattr(Tally, "on_air", on_air)


def _a_dead_microphone_is_not_missed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transmitter, "check", lambda _self, _now: None)


def _any_grant_opens(patch: pytest.MonkeyPatch) -> None:
    rows = {(phase, TalkCue.GRANT): (Talk.LIVE, Act.OPEN) for phase in (Talk.UP, Talk.SPENT)}
    patch.setattr("device.floor.talk.TALK", {**TALK, **rows})
    patch.setattr(TalkKey, "is_mine", lambda self, req: req == self._req)


def _a_cough_outlives_what_closes_the_microphone(patch: pytest.MonkeyPatch) -> None:
    rows = {(Talk.COUGH, TalkCue.STOP): (Talk.COUGH, Act.CUT)}
    patch.setattr("device.floor.talk.TALK", {**TALK, **rows})


@pytest.mark.parametrize(
    "fault",
    [
        _mute_is_ignored,
        _the_lamp_stays_red,
        _a_dead_microphone_is_not_missed,
        _any_grant_opens,
        _a_cough_outlives_what_closes_the_microphone,
    ],
)
def test_a_box_that_breaks_its_promise_is_caught(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def play_all() -> None:
        for number in range(300):
            History(number).play()

    fault(monkeypatch)
    with pytest.raises(AssertionError):
        play_all()
