"""Joining, the floor, errors and replacement, over real sockets."""

import asyncio
from pathlib import Path

import pytest

from hub.config import HubConfig, SpaceConfig, SpaceLimits
from hub.ports import BadOfferError, MediaError
from stagebox.wire.acts import FloorNext
from stagebox.wire.causes import DenyCause, ErrorCode
from stagebox.wire.messages import (
    Challenge,
    Done,
    Error,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorRelease,
    FloorReleased,
    FloorRequest,
    Hello,
    Join,
    Leave,
    MediaAnswer,
    MediaOffer,
    Pong,
    Snapshot,
    SnapshotRequest,
    StatusUpdate,
)
from stagebox.wire.space import FloorChanged, MemberChanged, MemberLeft, StateEvent
from stagebox.wire.terms import Mode, Place, Role, Via
from stagebox.wire.view import SpaceView
from tests.loopback.hub.crew import Guest, crew, no_errors_logged, running_hub, until

TWO_SPACES = HubConfig(
    space=(
        SpaceConfig(id="main", name="Main"),
        SpaceConfig(
            id="side", name="Side", mode=Mode.MODERATED, limits=SpaceLimits(member_limit=1)
        ),
    )
)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_guest_joins_the_default_space_over_ipv4_and_ipv6(
    tmp_path: Path, host: str
) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            snapshot = await anna.enter(hub, host=host)
            assert anna.handshake.challenge is not None
            assert anna.handshake.challenge.hub_id == hub.identity.id
            assert snapshot.req == "join"
            assert snapshot.space.id == "main"
            assert [(m.name, m.place) for m in snapshot.members] == [("Anna", Place.SPEAKER)]
            assert hub.value("stagebox_sessions") == 1


async def test_a_late_joiner_sees_what_an_early_one_built_from_events(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2, role=Role.STUDIO)
        async with crew(anna, berta):
            view = SpaceView.of(await anna.enter(hub))
            await anna.send(FloorRequest(req="talk"))
            late = SpaceView.of(await berta.enter(hub))
            while view.rev < late.rev:
                message = await anna.next()
                if isinstance(message, StateEvent):
                    applied = view.apply(message)
                    assert applied is not None
                    view = applied
            assert (view.members, view.floor) == (late.members, late.floor)
            assert late.members[berta.id].place is Place.HOST
            assert late.floor.talkers == (anna.id,)


async def test_the_floor_opens_the_gate_and_closes_it(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2)
        async with crew(anna, berta):
            await anna.enter(hub)
            await berta.enter(hub)
            await anna.send(FloorRequest(req="a1"))
            assert (await anna.get(FloorGranted)).req == "a1"
            await berta.send(FloorRequest(req="b1"))
            denied = await berta.get(FloorDenied)
            assert (denied.cause, denied.holder) == (DenyCause.FLOOR_TAKEN, "Anna")
            await anna.ping()
            assert pong(await anna.get(Pong)) == (1, "a1")
            await anna.send(FloorRelease(req="a1"))
            await anna.get(FloorReleased)
            await anna.ping()
            assert pong(await anna.get(Pong)) == (2, None)
            gates = [call for call in hub.media.calls if call[0] in ("open", "close")]
            assert gates == [("open", "main", anna.id), ("close", "main", anna.id)]
            assert hub.value("stagebox_floor_events_total", type="floor.granted") == 1


async def test_requests_outside_a_space_get_an_answer(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.open(hub)
            for message in (
                FloorRequest(req="r1"),
                FloorNext(req="r2"),
                StatusUpdate(req="r3", muted=True),
                SnapshotRequest(req="r4"),
                MediaOffer(req="r5", sdp="v=0"),
            ):
                await anna.send(message)
                error = await anna.get(Error)
                assert (error.code, error.req) == (ErrorCode.NOT_IN_SPACE, message.req)
            await anna.send(FloorRelease(req="r6"))
            assert await anna.get(FloorReleased) == FloorReleased(req="r6")
            await anna.send(Leave(req="r7"))
            assert await anna.get(Done) == Done(req="r7")
            await anna.ping()
            assert pong(await anna.get(Pong)) == (1, None)
            assert hub.value("stagebox_bad_messages_total", code="not_in_space") == 5


async def test_a_host_calls_the_next_hand_and_mute_is_shown(tmp_path: Path) -> None:
    space = SpaceConfig(id="main", name="Main", mode=Mode.MODERATED)
    async with running_hub(tmp_path, HubConfig(space=(space,))) as hub:
        host, anna = Guest("Host", number=1, role=Role.STUDIO), Guest("Anna", number=2)
        async with crew(host, anna):
            await host.enter(hub)
            await anna.enter(hub)
            await anna.send(StatusUpdate(req="s1", muted=True))
            changed = await host.get(MemberChanged)
            assert (changed.member.id, changed.member.muted) == (anna.id, True)
            await anna.send(StatusUpdate(req="s2", muted=False))
            await anna.send(FloorRequest(req="a1", via=Via.HAND))
            await anna.get(FloorQueued)
            await host.send(FloorNext(req="n1"))
            assert (await anna.get(FloorOffered)).req == "a1"
            assert await host.get(Done) == Done(req="n1")


async def test_leaving_and_changing_space(tmp_path: Path) -> None:
    async with running_hub(tmp_path, TWO_SPACES) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2)
        async with crew(anna, berta):
            await anna.enter(hub)
            await berta.enter(hub)
            await anna.send(Join(req="j2", space="side"))
            assert (await anna.get(Snapshot)).space.id == "side"
            assert (await berta.get(MemberLeft)).id == anna.id
            await berta.send(Join(req="j3", space="side"))
            full = await berta.get(Error)
            assert (full.code, full.req) == (ErrorCode.SPACE_FULL, "j3")
            await berta.send(SnapshotRequest(req="still"))
            assert (await berta.get(Snapshot)).space.id == "main"
            await berta.send(Join(req="j4", space="nowhere"))
            assert (await berta.get(Error)).code is ErrorCode.NO_SUCH_SPACE
            await anna.send(Leave(req="bye"))
            await anna.get(Done)
            await until(lambda: hub.media.calls.count(("disconnect", anna.id)) == 2)
            await berta.send(Join(req="j5", space="side"))
            assert (await berta.get(Snapshot)).space.id == "side"


async def test_a_repeated_join_is_answered_again_and_changes_nothing(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            first = await anna.enter(hub)
            again = await anna.join()
            assert (again.rev, again.members) == (first.rev, first.members)


async def test_a_second_hello_is_out_of_order(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.open(hub)
            await anna.send(anna.handshake._hello)
            assert (await anna.get(Error)).code is ErrorCode.OUT_OF_ORDER
            await anna.ping()
            await anna.get(Pong)


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({"proto_min": 7, "proto_max": 9}, ErrorCode.VERSION),
        ({"id": "0" * 32}, ErrorCode.IDENTITY),
    ],
)
async def test_a_bad_hello_is_refused(
    tmp_path: Path, hello: dict[str, object], code: ErrorCode
) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.connect(hub)
            await anna.get(Challenge)
            fields = {
                name: getattr(anna.handshake._hello, name) for name in Hello.__struct_fields__
            }
            await anna.send(Hello(**{**fields, **hello}))
            assert (await anna.get(Error)).code is code
            assert await anna.closed() == 4403
            assert hub.value("stagebox_refused_connections_total", reason="handshake") == 1


async def test_a_message_before_hello_is_refused(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.connect(hub)
            await anna.ping()
            await anna.get(Challenge)
            assert (await anna.get(Error)).code is ErrorCode.OUT_OF_ORDER
            assert await anna.closed() == 4403


async def test_no_hello_is_refused_after_its_deadline(tmp_path: Path) -> None:
    async with running_hub(tmp_path, hello_s=0.2) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.connect(hub)
            await anna.get(Challenge)
            await anna.get(Error)
            assert await anna.closed() == 4403
            assert hub.value("stagebox_refused_connections_total", reason="hello_deadline") == 1


async def test_a_full_hub_says_so(tmp_path: Path) -> None:
    async with running_hub(tmp_path, members=1) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2)
        async with crew(anna, berta):
            await anna.open(hub)
            await berta.connect(hub)
            await berta.get(Challenge)
            await berta.send(berta.handshake._hello)
            error = await berta.get(Error)
            assert error.code is ErrorCode.HUB_FULL
            assert error.retry_after_s > 0
            assert await berta.closed() == 1013


async def test_a_newer_session_replaces_the_older_and_does_not_flap(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        first, watcher = Guest("Anna", number=1), Guest("Watch", number=9)
        second, third = first.again(), first.again()
        async with crew(first, second, third, watcher):
            await watcher.enter(hub)
            await first.enter(hub)
            await first.send(FloorRequest(req="a1"))
            await first.get(FloorGranted)
            snapshot = await second.enter(hub)
            assert snapshot.floor.talkers == ()
            assert (await first.get(Error)).code is ErrorCode.REPLACED
            assert await first.closed() == 4409
            await third.connect(hub)
            await third.get(Challenge)
            await third.send(third.handshake._hello)
            error = await third.get(Error)
            assert error.code is ErrorCode.RATE_LIMITED
            assert 0 < error.retry_after_s <= 3
            assert await third.closed() == 4403
            await second.ping()
            await second.get(Pong)
            assert hub.value("stagebox_sessions") == 2
            assert ("close", "main", first.id) in hub.media.calls


async def test_a_silent_member_is_lost_and_its_floor_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.control.session._LOST_AFTER_S", 1.0)
    async with running_hub(tmp_path) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2)
        async with crew(anna, berta):
            await berta.enter(hub)
            await anna.enter(hub)
            await anna.send(FloorRequest(req="a1"))
            await anna.get(FloorGranted)
            chatter = asyncio.create_task(_keep_pinging(berta))
            assert await anna.closed() == 4410
            await until(lambda: hub.spaces.pick("main", None).members == 1)
            while True:
                changed = await berta.get(MemberChanged)
                if changed.member.id == anna.id and not changed.member.connected:
                    break
            while (await berta.get(FloorChanged)).floor.talkers:
                pass
            chatter.cancel()
            assert hub.value("stagebox_sessions_closed_total", reason="silent") == 1


def pong(message: Pong) -> tuple[int, str | None]:
    assert message.clock > 0
    return message.n, message.grant


async def _keep_pinging(guest: Guest) -> None:
    while True:
        await guest.ping()
        await asyncio.sleep(0.1)


async def test_a_broken_connection_frees_the_floor(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2)
        async with crew(anna, berta):
            await berta.enter(hub)
            await anna.enter(hub)
            await anna.send(FloorRequest(req="a1"))
            await anna.get(FloorGranted)
            anna.break_off()
            chatter = asyncio.create_task(_keep_pinging(berta))
            talkers: tuple[str, ...] = ("nobody yet",)
            while talkers:
                talkers = (await berta.get(FloorChanged)).floor.talkers
            chatter.cancel()
            assert ("close", "main", anna.id) in hub.media.calls


async def test_media_offers_are_answered_meanwhile_and_errors_are_typed(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        gate = asyncio.Event()

        async def slowly(sdp: str) -> str:
            await gate.wait()
            return "late"

        def fail(error: Exception) -> None:
            raise error

        async with crew(anna):
            await anna.enter(hub)
            hub.media.answer = slowly
            await anna.send(MediaOffer(req="m1", sdp="one"))
            await anna.ping()
            await anna.get(Pong)  # the session goes on
            await anna.send(MediaOffer(req="m1", sdp="one"))  # repeated: still one
            await anna.send(MediaOffer(req="m2", sdp="two"))
            error = await anna.get(Error)
            assert (error.code, error.req) == (ErrorCode.MEDIA_FAILED, "m2")
            gate.set()
            assert await anna.get(MediaAnswer) == MediaAnswer(req="m1", sdp="late")
            await anna.send(MediaOffer(req="m1", sdp="one"))
            assert await anna.get(MediaAnswer) == MediaAnswer(req="m1", sdp="late")
            assert hub.media.calls == [("connect", "main", anna.id, "127.0.0.1")]
            for number, (raised, code) in enumerate(
                [
                    (BadOfferError("no fingerprint"), ErrorCode.BAD_SDP),
                    (MediaError("no route"), ErrorCode.MEDIA_FAILED),
                ]
            ):
                hub.media.answer = lambda _sdp, raised=raised: fail(raised)
                await anna.send(MediaOffer(req=f"bad{number}", sdp="x"))
                error = await anna.get(Error)
                assert (error.code, error.detail) == (code, str(raised))


async def test_an_offer_has_a_deadline(tmp_path: Path) -> None:
    async with running_hub(tmp_path, media_s=0.1) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.enter(hub)
            hub.media.answer = lambda _sdp: asyncio.sleep(60)
            await anna.send(MediaOffer(req="m1", sdp="one"))
            error = await anna.get(Error)
            assert (error.code, error.req) == (ErrorCode.MEDIA_FAILED, "m1")


async def test_spoken_audio_reaches_the_floor(tmp_path: Path) -> None:
    limits = SpaceLimits(talk_limit_s=0)
    config = HubConfig(space=(SpaceConfig(id="main", name="Main", limits=limits),))
    async with running_hub(tmp_path, config) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.enter(hub)
            await anna.send(FloorRequest(req="a1"))
            assert (await anna.get(FloorGranted)).duration_s is None
            hub.media.heard(anna.id)
            hub.media.heard("0" * 32)  # nobody: no error
            await anna.ping()
            assert (await anna.get(Pong)).grant == "a1"


async def test_the_hub_says_goodbye_when_it_stops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with no_errors_logged(caplog):
        anna = Guest("Anna", number=1)
        async with running_hub(tmp_path) as hub:
            await anna.enter(hub)
            closing = asyncio.create_task(anna.closed())
            await hub.server.aclose()
            assert await closing == 1001
        await anna.aclose()
