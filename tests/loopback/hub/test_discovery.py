"""The hub announced by real mDNS on this machine."""

import asyncio
import secrets

import pytest
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hub import discovery as hub_discovery
from hub.discovery import Advertiser, Link, local_links
from hub.metrics import Metrics
from stagebox.wire.terms import MEMBER_PATH, SERVICE_TYPE
from tests.loopback.hub.crew import PATIENCE_S, until


class Browser:
    """Instances seen and gone."""

    def __init__(self, hub_id: str) -> None:
        self.hub_id = hub_id
        self.there: set[str] = set()
        self.updates = 0
        self.zeroconf = AsyncZeroconf(ip_version=IPVersion.All)
        self._browser = AsyncServiceBrowser(
            self.zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._changed]
        )

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if self.hub_id[:8] not in name:
            return
        self.updates += state_change is ServiceStateChange.Updated
        if state_change is ServiceStateChange.Removed:
            self.there.discard(name)
        else:
            self.there.add(name)

    async def info(self) -> AsyncServiceInfo:
        (name,) = self.there
        info = AsyncServiceInfo(SERVICE_TYPE, name)
        assert await info.async_request(self.zeroconf.zeroconf, 5_000)
        return info

    async def aclose(self) -> None:
        await self._browser.async_cancel()
        await self.zeroconf.async_close()


async def test_the_hub_is_found_updated_and_says_goodbye() -> None:
    hub_id, metrics = secrets.token_hex(16), Metrics()
    links = [Link(1, ("127.0.0.1",))]
    advertiser = Advertiser(
        hub_id=hub_id, name="Stage. One", port=7300, bind=("::", "0.0.0.0"), metrics=metrics
    )
    advertiser.rescan_s = 0.2
    advertiser.read_links = lambda: list(links)
    browser = Browser(hub_id)
    advertiser.start()
    try:
        await until(lambda: len(browser.there) == 1)
        info = await browser.info()
        assert info.name == f"Stage  One {hub_id[:8]}.{SERVICE_TYPE}"
        assert info.port == 7300
        assert info.parsed_addresses() == ["127.0.0.1"]
        assert info.decoded_properties == {
            "txtvers": "1",
            "id": hub_id,
            "proto": "1",
            "path": MEMBER_PATH,
            "tls": "0",
        }
        links[:] = [Link(1, ("127.0.0.2",))]
        seen: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            while "127.0.0.2" not in seen:
                await asyncio.sleep(0.1)  # what is in the cache comes without waiting
                seen = (await browser.info()).parsed_addresses()
        assert metrics.registry.get_sample_value("stagebox_discovery_failures_total") == 0
    finally:
        await advertiser.aclose()
    await until(lambda: not browser.there)
    await browser.aclose()


async def test_a_failure_is_counted_logged_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics, tries = Metrics(), 0

    def unreadable() -> list[Link]:
        nonlocal tries
        tries += 1
        return []

    advertiser = Advertiser(hub_id="0" * 32, name="x", port=1, bind=("0.0.0.0",), metrics=metrics)
    advertiser.rescan_s = 0.01
    advertiser.read_links = unreadable
    advertiser.start()
    await until(lambda: tries >= 3)
    await advertiser.aclose()
    failures = metrics.registry.get_sample_value("stagebox_discovery_failures_total")
    assert failures is not None
    assert failures >= 2
    assert len([r for r in caplog.records if r.name == "hub.discovery"]) == 1


async def test_a_link_that_fails_is_told_once_and_does_not_stop_the_next(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_id, metrics = secrets.token_hex(16), Metrics()
    advertiser = Advertiser(
        hub_id=hub_id, name="x", port=1, bind=("::", "0.0.0.0"), metrics=metrics
    )
    advertiser.rescan_s = 0.05
    broken, whole = Link(9, ("192.0.2.7", "2001:db8::7")), Link(1, ("127.0.0.1",))
    advertiser.read_links = lambda: [broken]

    def open_sockets(interfaces: list[str]) -> AsyncZeroconf:
        if "192.0.2.7" in interfaces:
            raise OSError("no such device")
        return AsyncZeroconf(interfaces=interfaces)

    monkeypatch.setattr(hub_discovery, "AsyncZeroconf", open_sockets)
    browser = Browser(hub_id)
    advertiser.start()

    def failures() -> float:
        return metrics.registry.get_sample_value("stagebox_discovery_failures_total") or 0.0

    try:
        await until(lambda: failures() >= 3)
        advertiser.read_links = lambda: [whole]
        await until(lambda: len(browser.there) == 1)
    finally:
        await advertiser.aclose()
    said = [r.getMessage() for r in caplog.records if r.name == "hub.discovery"]
    assert len(said) == 1
    assert "2001:db8::7" in said[0]
    await until(lambda: not browser.there)
    await browser.aclose()


def test_the_loopback_interface_is_among_the_links() -> None:
    found = [link for link in local_links() if "127.0.0.1" in link.addresses]
    assert len(found) == 1
    assert all(found[0].interface != link.interface for link in local_links() if link not in found)


async def test_an_advertiser_that_never_started_closes() -> None:
    advertiser = Advertiser(hub_id="0" * 32, name="x", port=1, bind=(), metrics=Metrics())
    await advertiser.aclose()


async def test_that_a_box_may_be_added_is_announced_while_it_is_so() -> None:
    hub_id = secrets.token_hex(16)
    advertiser = Advertiser(
        hub_id=hub_id,
        name="Stage",
        port=7300,
        secure_port=7443,
        bind=("0.0.0.0",),
        metrics=Metrics(),
    )
    advertiser.read_links = lambda: [Link(1, ("127.0.0.1",))]
    browser = Browser(hub_id)

    async def told(wanted: str | None) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (await browser.info()).decoded_properties.get("enrol") != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # what is in the cache comes without waiting

    advertiser.enrolling(True)  # before anything is announced
    advertiser.start()
    try:
        await until(lambda: len(browser.there) == 1)
        await told("1")
        assert (await browser.info()).decoded_properties["tls"] == "7443"
        advertiser.enrolling(False)
        await told(None)
    finally:
        await advertiser.aclose()
    await browser.aclose()
