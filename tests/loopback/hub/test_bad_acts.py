"""Acts that are wrong, in form or in sense: a typed answer, nothing changed, nobody disturbed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from hub.config import HubConfig, SpaceConfig
from stagebox.wire import acts
from stagebox.wire.acts import Act, SpaceConfirm, SpaceMade, SpaceNew
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import decode_member
from stagebox.wire.messages import Done, Error, Health, Join, MemberMessage, Pong, Snapshot
from stagebox.wire.messages import SnapshotRequest as Look
from stagebox.wire.space import StateEvent
from stagebox.wire.terms import Mode, Place, Role
from tests.loopback.hub.crew import Guest, Hub, crew, no_errors_logged, running_hub

NOBODY = "f" * 32
TOKEN = "x" * 32
KINDS: tuple[type[MemberMessage], ...] = (*get_args(Act), SpaceNew, Health, Join)
# What no field of an act takes; each is tried in each.
WRONG: tuple[Any, ...] = ({"a": 1}, [[1]], -1, 10**30, 0.5, "", "\u0000", "x" * 1_000)


def forms(kind: type[MemberMessage]) -> Iterator[dict[str, Any]]:
    """Yield messages of this type that do not decode."""
    config = msgspec.json.schema(kind)
    fields = next(iter(config["$defs"].values()))["properties"]
    good: dict[str, Any] = {"t": kind.__struct_config__.tag, "req": "r1"}
    yield {**good, "extra": 1}
    for name in fields:
        for value in WRONG if name != "t" else ():
            candidate = {**good, name: value}
            with contextlib.suppress(ValueError):
                decode_member(msgspec.json.encode(candidate))
                continue
            yield candidate


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
async def test_every_wrong_form_is_told_and_changes_nothing(
    tmp_path: Path, kind: type[MemberMessage], caplog: pytest.LogCaptureFixture
) -> None:
    with no_errors_logged(caplog):
        async with running_hub(tmp_path, message_burst=1_000, members=500) as hub:
            host = Guest("Host", number=1, role=Role.STUDIO)
            async with crew(host):
                before = await host.enter(hub)
                wrong = list(forms(kind))
                assert len(wrong) > 5
                async with sender(hub) as mallory:
                    for each in wrong:
                        await mallory(each)
                await quiet(host, before.rev)
                assert hub.value("stagebox_bad_messages_total", code="malformed") == len(wrong)


@contextlib.asynccontextmanager
async def sender(hub: Hub) -> AsyncIterator[Any]:
    """Give what sends a bad message on a line of its own, which the hub closes now and then."""
    guests: list[Guest] = []

    async def send(message: dict[str, Any]) -> None:
        if not guests or guests[-1].pings == 4:  # the fifth would close it
            guests.append(await Guest("Mallory", number=1_000 + len(guests)).open(hub))
        mallory = guests[-1]
        mallory.pings += 1
        await mallory.send_raw(msgspec.json.encode(message).decode())
        error = await mallory.next()
        assert isinstance(error, Error)
        assert error.code is ErrorCode.MALFORMED
        assert error.detail

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(lambda: _close(guests))
        yield send


async def _close(guests: list[Guest]) -> None:
    await asyncio.gather(*(guest.aclose() for guest in guests))


async def quiet(guest: Guest, rev: int) -> None:
    """See to it that nothing has happened since ``rev``, and nothing was heard of it."""
    await guest.send(Look(req="look"))
    heard = len(guest.seen)
    snapshot = await guest.get(Snapshot)
    assert snapshot.rev == rev
    news = [each for each in guest.seen[heard:-1] if not isinstance(each, StateEvent)]
    assert news == [], "what is older than the snapshot may still have been on its way"


# What a guest may not, and what nobody can.
AS_GUEST: list[tuple[Act, ErrorCode]] = [
    (acts.FloorNext(req="a1"), ErrorCode.NOT_ALLOWED),
    (acts.FloorHold(req="a2", on=True), ErrorCode.NOT_ALLOWED),
    (acts.FloorHold(req="a3", on=True, member=NOBODY), ErrorCode.NOT_ALLOWED),
    (acts.FloorPriority(req="a4", on=True), ErrorCode.NOT_ALLOWED),
    (acts.FloorClear(req="a5"), ErrorCode.NOT_ALLOWED),
    (acts.FloorMove(req="a6", member=NOBODY, position=1), ErrorCode.NOT_ALLOWED),
    (acts.MemberPlace(req="a7", member=NOBODY, place=Place.HOST), ErrorCode.NO_SUCH_MEMBER),
    (acts.MemberVolume(req="a8", member=NOBODY, volume=200), ErrorCode.NOT_ALLOWED),
    (acts.MemberRemove(req="a9", member=NOBODY), ErrorCode.NOT_ALLOWED),
    (acts.MemberUnblock(req="b1", member=NOBODY), ErrorCode.NOT_ALLOWED),
    (acts.SpaceEdit(req="b2", name="Mine"), ErrorCode.NOT_ALLOWED),
    (acts.SpaceStart(req="b3"), ErrorCode.ONLY_HOST),
    (acts.SpaceEnd(req="b4"), ErrorCode.ONLY_HOST),
    (acts.SpaceEnd(req="b5", token=TOKEN), ErrorCode.ONLY_HOST),
    (acts.SpaceCancel(req="b6"), ErrorCode.ONLY_HOST),
    (acts.InviteNew(req="b7", place=Place.SPEAKER), ErrorCode.NOT_ALLOWED),
    (acts.PinAdd(req="b8", text="x"), ErrorCode.NOT_ALLOWED),
    (acts.PinRemove(req="b9", id=1), ErrorCode.NOT_ALLOWED),
    (acts.RecordSet(req="c1", on=True), ErrorCode.NOT_ALLOWED),
    (acts.Agree(req="c2", recording=7), ErrorCode.BAD_VALUE),
]
AS_HOST: list[tuple[Act, ErrorCode]] = [
    (acts.FloorNext(req="a1"), ErrorCode.QUEUE_EMPTY),
    (acts.FloorNext(req="a2", member=NOBODY), ErrorCode.NO_SUCH_MEMBER),
    (acts.FloorHold(req="a3", on=True, member=NOBODY), ErrorCode.NO_SUCH_MEMBER),
    (acts.FloorMove(req="a5", member=NOBODY, position=1), ErrorCode.NO_SUCH_MEMBER),
    (acts.MemberPlace(req="a6", member=NOBODY, place=Place.COHOST), ErrorCode.NO_SUCH_MEMBER),
    (acts.MemberVolume(req="a7", member=NOBODY, volume=0), ErrorCode.NO_SUCH_MEMBER),
    (acts.MemberRemove(req="a8", member=NOBODY), ErrorCode.NO_SUCH_MEMBER),
    (acts.SpaceStart(req="b1"), ErrorCode.ALREADY_LIVE),
    (acts.SpaceEnd(req="b2", token=TOKEN), ErrorCode.CONFIRM_EXPIRED),
    (acts.SpaceCancel(req="b3"), ErrorCode.ALREADY_LIVE),
    (acts.SpaceEdit(req="b4", starts_at="2020-01-01T00:00:00Z"), ErrorCode.ALREADY_LIVE),
    (acts.PinRemove(req="b6", id=99), ErrorCode.NO_SUCH_PIN),
    (acts.SpaceEdit(req="b7", captions=True), ErrorCode.NO_CAPTIONS),
]
IN_STANDING: list[tuple[Act, ErrorCode]] = [
    (acts.SpaceStart(req="a1"), ErrorCode.STANDING),
    (acts.SpaceEnd(req="a2"), ErrorCode.STANDING),
    (acts.SpaceCancel(req="a3"), ErrorCode.STANDING),
    (acts.SpaceEdit(req="a4", starts_at="2020-01-01T00:00:00Z"), ErrorCode.STANDING),
]


async def test_acts_that_make_no_sense_have_their_own_answers(tmp_path: Path) -> None:
    async with running_hub(tmp_path, messages_per_s=10_000) as hub:
        host, anna = Guest("Host", number=1, role=Role.STUDIO), Guest("Anna", number=2)
        watcher = Guest("Watch", number=3, role=Role.SPEAKER)
        async with crew(host, anna, watcher):
            await host.open(hub)
            await host.send(SpaceNew(req="new", name="Talk", mode=Mode.MODERATED))
            space = (await host.get(SpaceMade)).space
            await host.join(space)
            await anna.enter(hub, space)
            rev = (await watcher.enter(hub, space)).rev
            await refused(anna, AS_GUEST)
            await refused(host, AS_HOST)
            await quiet(watcher, rev)


async def test_a_standing_space_neither_begins_nor_ends(tmp_path: Path) -> None:
    async with running_hub(tmp_path, messages_per_s=10_000) as hub:
        host = Guest("Host", number=1, role=Role.STUDIO)
        async with crew(host):
            rev = (await host.enter(hub)).rev
            await refused(host, IN_STANDING)
            await quiet(host, rev)


async def refused(guest: Guest, cases: list[tuple[Act, ErrorCode]]) -> None:
    for act, code in cases:
        for _ in range(2):  # the same answer when it is sent again
            await guest.send(act)
            while not isinstance(error := await guest.next(), Error):
                assert not isinstance(error, Done), act
            assert (error.code, error.req) == (code, act.req), act
            assert error.detail.endswith("."), error.detail


async def test_a_confirmation_ends_one_space_once_and_for_who_asked(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        host, anna = Guest("Host", number=1, role=Role.STUDIO), Guest("Anna", number=2)
        async with crew(host, anna):
            await host.open(hub)
            await host.send(SpaceNew(req="new", name="Talk", mode=Mode.OPEN))
            space = (await host.get(SpaceMade)).space
            await host.join(space)
            await anna.enter(hub, space)
            await host.send(acts.SpaceEnd(req="e1"))
            token = (await host.get(SpaceConfirm)).token
            await anna.send(acts.SpaceEnd(req="e2", token=token))
            assert (await anna.get(Error)).code is ErrorCode.ONLY_HOST
            await host.send(acts.SpaceEnd(req="e3"))
            newer = (await host.get(SpaceConfirm)).token
            await host.send(acts.SpaceEnd(req="e4", token=token))
            assert (await host.get(Error)).code is ErrorCode.CONFIRM_EXPIRED
            await host.send(acts.SpaceEnd(req="e5", token=newer))
            assert (await host.get(Error)).code is ErrorCode.CONFIRM_EXPIRED, "used up by the try"
            assert [each.info.id for each in hub.spaces] == ["main", space]


async def test_wrong_invitations_are_all_refused_alike_and_let_nobody_in(tmp_path: Path) -> None:
    config = HubConfig(space=(SpaceConfig(id="main", name="Main", mode=Mode.STAGE),))
    async with running_hub(tmp_path, config, messages_per_s=10_000, message_burst=2_000) as hub:
        host, mallory = Guest("Host", number=1, role=Role.STUDIO), Guest("M", number=2)
        async with crew(host, mallory):
            rev = (await host.enter(hub)).rev
            await mallory.open(hub)
            said = set()
            for number in range(1_000):
                await mallory.send(Join(req=f"j{number}", invite=f"{number:016}"))
                error = await mallory.get(Error)
                said.add((error.code, error.detail))
            assert len(said) == 1
            assert said.pop()[0] is ErrorCode.BAD_INVITE
            await mallory.ping()
            await mallory.get(Pong)
            await quiet(host, rev)


def test_there_is_no_act_that_opens_a_microphone() -> None:
    fields = {name for kind in get_args(Act) for name in kind.__struct_fields__}
    assert not fields & {"muted", "open", "live", "talk"}
