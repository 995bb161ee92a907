"""Corners of the shells: bursts, lingering sound, failures of our own, missing addresses."""

import asyncio
import errno
import socket
from pathlib import Path

import pytest

from hub.control.limits import Refusal
from hub.control.listening import BindError, listen
from hub.control.membership import Membership
from hub.floor.events import SetMuted
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import (
    Challenge,
    Done,
    Error,
    FloorRequest,
    Leave,
    MediaAnswer,
    MediaOffer,
    Ping,
    Pong,
)
from stagebox.wire.space import MemberChanged
from tests.loopback.hub.crew import Guest, crew, running_hub, until


async def test_a_burst_in_one_turn_of_the_loop_cuts_nobody_who_reads(tmp_path: Path) -> None:
    async with running_hub(tmp_path, outgoing=100) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.enter(hub)
            space = hub.spaces.pick("main", None)
            for number in range(700):
                space.handle(SetMuted(anna.id, f"r{number}", muted=number % 2 == 0))
            changes = [await anna.get(MemberChanged) for _ in range(700)]
            assert [change.rev for change in changes] == list(range(2, 702))


async def test_sound_lingers_when_control_is_lost_and_ends_if_nobody_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        back = anna.again()
        async with crew(anna, back):
            await anna.enter(hub)
            anna.break_off()
            await until(lambda: hub.value("stagebox_sessions") == 0)
            await back.enter(hub)
            monkeypatch.setattr("hub.spaces.lingering.MEDIA_LINGER_S", 0.05)
            assert ("disconnect", anna.id) not in hub.media.calls
            back.break_off()
            await until(lambda: ("disconnect", anna.id) in hub.media.calls)


async def test_leaving_cancels_the_pending_offer(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        cancelled = asyncio.Event()

        async def for_ever(_sdp: str) -> str:
            try:
                await asyncio.sleep(3600)
            finally:
                cancelled.set()
            return ""

        async with crew(anna):
            await anna.enter(hub)
            hub.media.answer = for_ever
            await anna.send(MediaOffer(req="m1", sdp="x"))
            await until(lambda: bool(hub.media.calls))
            await anna.send(Leave(req="l1"))
            await anna.get(Done)
            await asyncio.wait_for(cancelled.wait(), 20)
            await anna.join()
            hub.media.answer = lambda _sdp: "yes"
            await anna.send(MediaOffer(req="m2", sdp="x"))
            assert (await anna.get(MediaAnswer)).sdp == "yes"


async def test_a_failing_media_plane_is_an_error_for_the_member_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)

        def fail(_sdp: str) -> str:
            raise ZeroDivisionError

        async with crew(anna):
            await anna.enter(hub)
            hub.media.answer = fail
            await anna.send(MediaOffer(req="m1", sdp="x"))
            error = await anna.get(Error)
            assert (error.code, error.req) == (ErrorCode.MEDIA_FAILED, "m1")
            hub.media.disconnect = fail  # type: ignore[assignment, method-assign]
            await anna.send(Leave(req="l1"))
            await anna.get(Done)
            await anna.ping()
            await anna.get(Pong)
    assert {record.name for record in caplog.records} == {
        "hub.control.offers",
        "hub.spaces.lingering",
    }


async def test_a_fault_of_ours_closes_one_session_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_member: Membership, _message: Ping) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(Membership._HANDLERS, Ping, fail)  # type: ignore[arg-type]
    async with running_hub(tmp_path) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2)
        async with crew(anna, berta):
            await anna.enter(hub)
            await berta.enter(hub)
            await anna.ping()
            assert (await anna.get(Error)).code is ErrorCode.INTERNAL
            assert await anna.closed() == 1011
            await berta.send(FloorRequest(req="b1"))
            await berta.get(MemberChanged)
    assert "a session failed" in caplog.text


async def test_a_late_loop_gives_a_silent_member_a_second_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.control.session._LOST_AFTER_S", 0.2)
    monkeypatch.setattr("hub.control.session._LATE_S", -1.0)  # always late
    monkeypatch.setattr("hub.control.session._SECOND_LOOK_S", 1.0)
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.open(hub)
            loop = asyncio.get_running_loop()
            since = loop.time()
            assert await anna.closed() == 4410
            assert loop.time() - since >= 1.0


async def test_a_connection_that_dies_during_the_handshake_leaves_nothing(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.connect(hub)
            await anna.get(Challenge)
            anna.break_off()
            await until(lambda: hub.server.strangers == 0)
            assert hub.value("stagebox_sessions_opened_total") == 0


def test_one_free_port_is_found_for_all_addresses() -> None:
    sockets = listen(["127.0.0.1", "::1"], 0)
    ports = {each.getsockname()[1] for each in sockets}
    for each in sockets:
        each.close()
    assert len(sockets) == 2
    assert len(ports) == 1


def test_a_missing_address_family_is_left_out_unless_nothing_remains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.socket

    def no_ipv6(family: int, *args: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *args)

    monkeypatch.setattr("hub.control.listening.socket.socket", no_ipv6)
    (only,) = listen(["::1", "127.0.0.1"], 0)
    only.close()
    with pytest.raises(BindError, match="not supported"):
        listen(["::1"], 0)


def test_who_has_a_port_has_it_whole() -> None:
    # Two hubs that start in one moment can both bind to it: the later one must not fall over it
    # when it is half up.
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        (ours,) = listen(["127.0.0.1"], other.getsockname()[1])
        with ours, pytest.raises(OSError, match="in use"):
            other.listen()


def test_a_port_taken_on_another_address_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def taken(_addresses: tuple[str, ...], port: int) -> list[socket.socket]:
        tries.append(port)
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr("hub.control.listening._bind_all", taken)
    with pytest.raises(BindError, match="already in use"):
        listen(["127.0.0.1"], 0)
    assert len(tries) == 20
    with pytest.raises(BindError):
        listen(["127.0.0.1"], 7300)
    assert len(tries) == 21


async def test_refusals_are_labelled_from_a_closed_list(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        for reason in Refusal:
            hub.server._refused(reason)
            value = hub.value("stagebox_refused_connections_total", reason=reason.value)
            assert value == 1
