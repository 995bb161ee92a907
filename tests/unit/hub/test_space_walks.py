"""Long evenings: everybody does what people do, for hundreds of steps, by seeded dice.

``Hall`` asserts after each step what must always hold (see ``test_space_sequences``, which
looks for short histories that break it; these are long and busy ones). At the end a walk
must have been through most of what a space can be, or it proves little.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from hub.spaces.kept import Kept
from hub.spaces.lifecycle import OVER
from hub.spaces.rights import Actor
from stagebox.wire.acts import (
    Act,
    Agree,
    FloorClear,
    FloorHold,
    FloorMove,
    FloorNext,
    FloorPriority,
    Invite,
    InviteNew,
    InviteRevoke,
    MemberPlace,
    MemberRemove,
    MemberUnblock,
    MemberVolume,
    PinAdd,
    PinRemove,
    React,
    RecordSet,
    SpaceCancel,
    SpaceConfirm,
    SpaceEdit,
    SpaceEnd,
    SpaceStart,
)
from stagebox.wire.terms import Kind, Mark, Mode, Place, Role, SpaceState, Speak
from tests.unit.hub.floor_kit import name_of
from tests.unit.hub.spaces_kit import ADMIN, Hall, ahead, fresh, mid

STEPS = 400
MEMBERS = [mid(number) for number in range(1, 13)]
ROLES = [Role.STUDIO, Role.STUDIO, *[Role.GUEST] * 8, Role.SPEAKER, Role.GUEST]
SETTINGS = {"people_limit": 5, "pin_limit": 4, "invite_limit": 4, "blocked_limit": 2}


class Evening:
    """One walk. ``seen`` counts what was there to be seen after each step."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.tokens = [""]
        self.halls = seed
        self.hall = self.new_hall()
        self.steps: list[tuple[int, Callable[[], object]]] = [
            (12, self.come),
            (2, self.leave),
            (3, self.lose),
            (20, self.press),
            (12, self.let_go),
            (3, self.mute),
            (10, self.pass_time),
            (40, self.chair_acts),
            (8, self.anybody_acts),
            (8, self.agree),
            (5, self.settle_down),
            (1, self.start),
            (1, self.end),
            (1, self.restart),
        ]

    def new_hall(self) -> Hall:
        mode = self.rng.choice([Mode.FIFO, Mode.MODERATED, *Mode])
        self.halls += 1
        kept = fresh(mode, (SpaceState.LIVE, SpaceState.BACKSTAGE)[self.halls % 2])
        if self.rng.random() < 0.2:
            kept = Kept.standing_space(fresh(mode).info, kept.rules)
        return Hall(kept, **SETTINGS)

    def walk(self) -> None:
        weights = [weight for weight, _ in self.steps]
        for _ in range(STEPS):
            gates = self.hall.gates.copy()
            (_, step), *_ = self.rng.choices(self.steps, weights)
            step()
            if step != self.press:
                assert self.hall.gates <= gates, "a microphone opened without a finger"
            self.look()
            if self.hall.state in OVER and self.rng.random() < 0.3:
                self.hall, self.tokens = self.new_hall(), [""]

    def look(self) -> None:
        hall, floor = self.hall, self.hall.floor
        self.seen[hall.state] += 1
        for name, is_so in {
            "recorded talk": hall.gates and hall.info.recording,
            "two talk": len(hall.gates) > 1,
            "queue": len(floor.queue) > 1,
            "offer": floor.offered,
            "priority": floor.priority,
            "all held": floor.held,
            "hidden": hall.hidden,
            "blocked": hall.space.blocked,
            "captions": hall.writes,
            "pins": hall.view.pins,
            "chairs": sum(each.place is Place.COHOST for each in hall.view.members.values()) == 2,
        }.items():
            self.seen[name] += bool(is_so)
        self.seen.update(hall.happened())
        hall.forget()

    # --- what people do -------------------------------------------------------------

    def come(self) -> None:
        number = self.rng.randrange(len(MEMBERS))
        invite = self.rng.choice(self.tokens) if self.rng.random() < 0.2 else ""
        self.hall.arrive(
            MEMBERS[number],
            Kind.BROWSER if number in (4, 5, 6, 11) else Kind.BOX,
            ROLES[number],
            admin=number == 11 and self.rng.random() < 0.5,
            known=number == 4,
            hidden=self.rng.random() < 0.1,
            invite=invite or None,
        )

    def leave(self) -> None:
        self.hall.leave(self.anybody())

    def lose(self) -> None:
        self.hall.lose(self.anybody() if self.rng.random() < 0.6 else self.host())

    def press(self) -> None:
        for _ in range(self.rng.randint(1, 4)):
            offered = self.hall.floor.offered
            member = offered[0] if offered and self.rng.random() < 0.5 else self.anybody()
            press = self.hall.hand if self.rng.random() < 0.3 else self.hall.talk
            press(member)

    def let_go(self) -> None:
        for member in sorted(self.hall.gates):
            self.hall.stop(member)

    def mute(self) -> None:
        self.hall.mute(self.anybody(), self.rng.random() < 0.3)

    def pass_time(self) -> None:
        seconds = self.rng.choice([0.1, 1.0, 2.5, 4.0, 12.0, 33.0])
        self.hall.wait(seconds, sorted(self.hall.gates) if seconds < 10 else ())

    def chair_acts(self) -> None:
        actor = self.rng.choice([ADMIN, self.actor(self.host()), self.actor(self.host())])
        self.act(actor, *self.deed())

    def anybody_acts(self) -> None:
        self.act(self.actor(self.anybody()), *self.deed())

    def agree(self) -> None:
        recording = self.hall.info.recording
        for _ in range(4):
            version = self.rng.choice([0, 1, recording.version]) if recording else 0
            captions = self.rng.choice([None, True, False])
            member = self.actor(self.anybody())
            self.act(member, Agree, {"recording": version, "captions": captions})

    def settle_down(self) -> None:
        """Somebody sensible puts things in order, and everybody agrees."""
        for member in list(self.hall.space.blocked):
            self.act(ADMIN, MemberUnblock, {"member": member})
        for member in MEMBERS:
            self.act(ADMIN, FloorHold, {"on": False, "member": member})
            recording = self.hall.info.recording
            version = recording.version if recording else 0
            self.act(self.actor(member), Agree, {"recording": version})
        self.act(ADMIN, FloorHold, {"on": False})
        self.act(ADMIN, SpaceEdit, {"locked": False, "speak": Speak.EVERYONE})
        self.act(self.actor(self.host()), FloorPriority, {"on": False})
        for _ in range(4):
            self.come()

    def start(self) -> None:
        self.act(ADMIN, SpaceStart, {})

    def end(self) -> None:
        actor = self.actor(self.host())
        confirm = self.hall.act(actor, SpaceEnd)
        if isinstance(confirm, SpaceConfirm) and self.rng.random() < 0.5:
            self.act(actor, SpaceEnd, {"token": confirm.token})
        elif self.rng.random() < 0.1:
            self.act(ADMIN, SpaceCancel, {})

    def restart(self) -> None:
        queue = (*self.hall.floor.offered, *self.hall.floor.queue)
        self.hall = self.hall.restart()
        after = self.hall.floor.queue
        assert after == tuple(each for each in queue if each in after), "the queue kept its order"
        assert not self.hall.gates

    # --- how ------------------------------------------------------------------------

    def deed(self) -> tuple[type[Act], dict[str, Any]]:
        rng, who = self.rng, self.anybody()
        someone = rng.choice([None, who])
        deeds: list[tuple[type[Act], dict[str, Any]]] = [
            *[(FloorNext, {"member": rng.choice([None, None, who])})] * 3,
            (FloorHold, {"on": rng.random() < 0.3, "member": someone}),
            *[(FloorPriority, {"on": rng.random() < 0.3})] * 2,
            (FloorClear, {"member": someone}),
            (FloorMove, {"member": who, "position": rng.randint(1, 4)}),
            *[(MemberPlace, {"member": who, "place": rng.choice([*Place])})] * 3,
            (MemberVolume, {"member": who, "volume": rng.choice([50, 100])}),
            (MemberRemove, {"member": who, "block": rng.random() < 0.5}),
            (MemberUnblock, {"member": who}),
            (InviteNew, {"place": rng.choice([*Place]), "uses": rng.randint(1, 2)}),
            (InviteRevoke, {"token": rng.choice([each or "x" * 16 for each in self.tokens])}),
            (PinAdd, {"text": "Read this"}),
            (PinRemove, {"id": rng.randint(1, 9)}),
            (React, {"mark": rng.choice([*Mark])}),
            *[(RecordSet, {"on": rng.random() < 0.7})] * 2,
            *[(SpaceEdit, self.changes())] * 2,
        ]
        return rng.choice(deeds)

    def changes(self) -> dict[str, Any]:
        rng = self.rng
        every: dict[str, Any] = {
            "topic": rng.choice(["", "News"]),
            "mode": rng.choice([Mode.FIFO, Mode.MODERATED, *Mode]),
            "speak": rng.choice([Speak.EVERYONE, *Speak]),
            "locked": rng.random() < 0.2,
            "hidden_allowed": rng.random() < 0.8,
            "captions": rng.random() < 0.7,
            "stage_limit": rng.randint(3, 13),
            "open_limit": rng.randint(1, 3),
            "queue_limit": rng.randint(0, 9),
            "talk_limit_s": rng.choice([0.0, 5.0]),
            "keep_days": rng.choice([0, 7, 30]),
            "starts_at": ahead(rng.choice([-1, 1, 9999]), self.hall.utc),
        }
        return {name: every[name] for name in rng.sample(sorted(every), 2)}

    def act(self, actor: Actor, kind: type[Act], fields: dict[str, Any]) -> None:
        act = kind(req=self.hall.new_req(), **fields)
        reply = self.hall.repeat(actor, act)
        if isinstance(reply, Invite):
            self.tokens.append(reply.token)
        effects = len(self.hall.effects)
        assert self.hall.repeat(actor, act) == reply
        assert len(self.hall.effects) == effects, "done twice"

    def anybody(self) -> str:
        return self.rng.choice(MEMBERS)

    def host(self) -> str:
        return self.hall.info.host or self.anybody()

    def actor(self, member_id: str) -> Actor:
        return Actor(member_id, name_of(member_id))


@pytest.mark.parametrize("block", range(4))
def test_long_evenings(block: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(block * 4, block * 4 + 4):
        evening = Evening(seed)
        evening.walk()
        seen += evening.seen
    wanted = {
        *(SpaceState.LIVE, SpaceState.FROZEN, SpaceState.BACKSTAGE, SpaceState.ENDED),
        *("recorded talk", "two talk", "queue", "offer", "priority", "all held", "hidden"),
        *("blocked", "captions", "pins", "chairs", "host_changed", "granted", "removed"),
    }
    assert not {each for each in wanted if not seen[each]}
