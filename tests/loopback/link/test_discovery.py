"""Real multicast DNS between two parties in one process, and what goes wrong with it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from device.link import discovery
from device.link.candidates import MAX_SEEN, Candidate, HubChoice, Source
from device.link.discovery import MAX_RESOLVING, HubBrowser, seen_hub
from device.link.hubs import FILE_NAME, KnownHubs
from stagebox import mdns
from stagebox.mdns import own_addresses
from stagebox.wire.terms import SERVICE_TYPE

OWN = "a" * 32


def announcement(
    name: str, properties: dict[str, str] | bytes | None = None, **more: object
) -> AsyncServiceInfo:
    arguments: dict[str, object] = {
        "addresses": [socket.inet_aton("10.1.2.3")],
        "port": 7300,
        "server": "test-hub.local.",
    }
    full = f"{name}.{SERVICE_TYPE}"
    text = {"id": OWN, "txtvers": "1"} if properties is None else properties
    return AsyncServiceInfo(SERVICE_TYPE, full, properties=text, **(arguments | more))  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], deadline_s: float = 15) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 - looks from outside
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def task(coroutine: object) -> AsyncIterator[None]:
    running = asyncio.ensure_future(coroutine)  # type: ignore[call-overload]
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_a_hub_is_seen_when_it_comes_and_when_it_says_goodbye() -> None:
    changes: list[bool] = []
    problems: list[str | None] = []
    browser = HubBrowser(changes.append, problems.append)
    other = AsyncZeroconf(ip_version=IPVersion.V4Only)
    async with task(browser.run()):
        info = announcement("Kitchen hub")
        await (await other.async_register_service(info))
        await until(lambda: len(browser.hubs) == 1)
        hub = browser.hubs[0]
        assert (hub.name, hub.id, hub.port) == ("Kitchen hub", OWN, 7300)
        assert hub.addresses == ("10.1.2.3",)
        await (await other.async_unregister_service(info))
        await until(lambda: browser.hubs == ())
    assert changes == [True, False]
    assert problems == []
    await other.async_close()


async def test_a_hub_that_was_there_before_is_seen() -> None:
    other = AsyncZeroconf(ip_version=IPVersion.V4Only)
    await (await other.async_register_service(announcement("Early hub")))
    browser = HubBrowser(lambda _: None, lambda _: None)
    async with task(browser.run()):
        await until(lambda: [hub.name for hub in browser.hubs] == ["Early hub"])
    await other.async_close()


async def test_a_flood_of_announcements_stays_bounded() -> None:
    browser = HubBrowser(lambda _: None, lambda _: None, prefer=OWN)
    browser._take(announcement("Own hub"))
    for n in range(200):
        browser._take(announcement(f"False hub {n}", {"id": f"{n:032x}"}))
    assert len(browser.hubs) == MAX_SEEN
    assert OWN in {hub.id for hub in browser.hubs}


@pytest.mark.parametrize(
    ("properties", "more"),
    [
        ({"path": "no slash"}, {}),
        ({"path": "/" + "x" * 64}, {}),
        ({}, {"port": 0}),
        ({}, {"addresses": []}),
    ],
)
def test_announcements_that_cannot_be_used(
    properties: dict[str, str], more: dict[str, object]
) -> None:
    assert seen_hub(announcement("Odd hub", properties, **more)) is None


def test_text_that_is_no_text_is_not_read() -> None:
    text = b"\x05id=\xff\xfe"
    hub = seen_hub(announcement("Odd hub", text))
    assert hub is not None
    assert hub.id is None


async def test_a_name_that_breaks_the_rules_is_left_alone() -> None:
    browser = HubBrowser(lambda _: None, lambda _: None)
    other = AsyncZeroconf(ip_version=IPVersion.V4Only)
    name = f"bell\x07.{SERVICE_TYPE}"
    browser._listener.changed(other.zeroconf, SERVICE_TYPE, name, ServiceStateChange.Added)
    assert browser.hubs == ()
    await other.async_close()


async def test_records_that_are_missing_are_asked_for_but_not_by_hundreds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    answer = asyncio.Event()

    async def request(info: AsyncServiceInfo, _zeroconf: object, _timeout: float) -> bool:
        asked.append(info.name)
        await answer.wait()
        info.port, info.addresses = 7300, [b"\x0a\x01\x02\x03"]
        return info.name.startswith("Hub 0")

    monkeypatch.setattr(AsyncServiceInfo, "async_request", request)
    browser = HubBrowser(lambda _: None, lambda _: None)
    other = AsyncZeroconf(ip_version=IPVersion.V4Only)
    for n in range(100):
        name = f"Hub {n}.{SERVICE_TYPE}"
        browser._listener.changed(other.zeroconf, SERVICE_TYPE, name, ServiceStateChange.Added)
    await until(lambda: len(asked) == MAX_RESOLVING)
    answer.set()
    await until(lambda: [hub.name for hub in browser.hubs] == ["Hub 0"])
    await until(lambda: not browser._listener.resolving)
    await other.async_close()


@pytest.mark.parametrize(("said", "port"), [("0", 0), ("65536", 0), ("99999999", 0), ("-1", 0)])
def test_a_port_that_is_none_is_left_out(said: str, port: int) -> None:
    hub = seen_hub(announcement("Hub", {"id": OWN, "tls": said, "enrol": "1"}))
    assert hub is not None
    assert (hub.secure_port, hub.enrols) == (port, True)


def test_an_id_that_is_none_is_left_out_and_the_rest_is_used() -> None:
    hub = seen_hub(announcement("Hub\u202e one", {"id": "x", "path": "/there", "tls": "7443"}))
    assert hub is not None
    assert (hub.id, hub.path, hub.secure_port, hub.name) == (None, "/there", 7443, "Hub one")
    assert not hub.enrols


async def test_a_network_without_multicast_is_reported_once_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problems: list[str | None] = []
    tries = 0
    real = AsyncZeroconf

    def sometimes(**arguments: object) -> AsyncZeroconf:
        nonlocal tries
        tries += 1
        if tries <= 6:
            raise OSError(19, "No such device")
        return real(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(mdns, "AsyncZeroconf", sometimes)
    monkeypatch.setattr(discovery, "RESCAN_S", 0.01)
    browser = HubBrowser(lambda _: None, problems.append)
    async with task(browser.run()):
        await until(lambda: len(problems) == 2)
    assert problems[0] is not None
    assert "No such device" in problems[0]
    assert problems[1] is None


async def test_new_addresses_are_a_reason_to_look_and_to_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = [frozenset({"10.0.0.1"})]
    changes: list[bool] = []
    problems: list[str | None] = [None]
    opened = 0
    real = AsyncZeroconf

    def counted(**arguments: object) -> AsyncZeroconf:
        nonlocal opened
        opened += 1
        return real(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(mdns, "AsyncZeroconf", counted)
    monkeypatch.setattr(discovery, "RESCAN_S", 0.02)
    monkeypatch.setattr(discovery, "own_addresses", lambda: addresses[0])
    browser = HubBrowser(changes.append, problems.append)
    async with task(browser.run()):
        await until(lambda: opened == 1)
        addresses[0] = frozenset({"10.0.0.1", "10.0.0.2"})
        await until(lambda: opened == 2)
        addresses[0] = frozenset({"10.0.0.2"})
        await until(lambda: opened == 3)
        addresses[0] = frozenset()
        await until(lambda: len(problems) == 2)
        addresses[0] = frozenset({"10.0.0.2"})
        await until(lambda: opened == 4)
    assert changes == [True, False, False, True]
    assert problems[1] is not None
    assert "no address" in problems[1]


async def test_a_box_without_a_hub_asks_the_network_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = 0
    real = AsyncZeroconf

    def counted(**arguments: object) -> AsyncZeroconf:
        nonlocal opened
        opened += 1
        return real(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(mdns, "AsyncZeroconf", counted)
    monkeypatch.setattr(discovery, "RESCAN_S", 0.02)
    monkeypatch.setattr(discovery, "ASK_AGAIN_S", 0.1)
    browser = HubBrowser(lambda _: None, lambda _: None)
    async with task(browser.run()):
        await until(lambda: opened == 1)
        await asyncio.sleep(0.5)
        assert opened == 1
        browser.ask_again()
        await until(lambda: opened == 2)


def test_this_machine_has_addresses() -> None:
    assert "127.0.0.1" in own_addresses()


async def test_known_hubs_joins_what_was_found_and_what_was_used(tmp_path: Path) -> None:
    kicks: list[None] = []
    hubs = KnownHubs(HubChoice(), tmp_path)
    assert hubs.plan().candidates == ()
    other = AsyncZeroconf(ip_version=IPVersion.V4Only)
    async with task(hubs.run(lambda: kicks.append(None), lambda _: None)):
        await (await other.async_register_service(announcement("Found hub")))
        await until(lambda: len(hubs.plan().candidates) == 1)
        assert hubs.plan().candidates[0] == Candidate("ws://10.1.2.3:7300/member/v1", Source.FOUND)
        hubs.remember("ws://10.1.2.3:7300/member/v1", OWN)
    assert kicks
    assert KnownHubs(HubChoice(), tmp_path).plan().candidates == (
        Candidate("ws://10.1.2.3:7300/member/v1", Source.LAST, OWN),
    )
    await other.async_close()


def test_the_last_hub_is_written_only_when_it_changed(tmp_path: Path) -> None:
    hubs = KnownHubs(HubChoice(), tmp_path)
    hubs.remember("ws://10.1.2.3:1/x", OWN)
    written = (tmp_path / FILE_NAME).stat()
    hubs.remember("ws://10.1.2.3:1/x", OWN)
    assert (tmp_path / FILE_NAME).stat().st_ino == written.st_ino
    hubs.remember("ws://10.1.2.4:1/x", OWN)
    assert KnownHubs(HubChoice(), tmp_path).plan().candidates[0].url == "ws://10.1.2.4:1/x"


def test_a_state_directory_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hubs = KnownHubs(HubChoice(), tmp_path / "file")
    hubs.remember("ws://10.1.2.3:1/x", OWN)
    assert hubs.plan().candidates[0].url == "ws://10.1.2.3:1/x"


def test_a_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\x00\xff{")
    assert KnownHubs(HubChoice(), tmp_path).plan().candidates == ()
