"""Speakers that mDNS announces on this machine, by real packets."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hub.speakers.browse import MAX_SEEN, Browse
from hub.speakers.fake import FakeHouse
from hub.speakers.speakers import Around, Speakers
from tests.loopback.hub.crew import until

SERVICE = "_stagebox-test._tcp.local."
HERE = "127.0.0.1"


@contextlib.asynccontextmanager
async def browsing(folder: Path, fake: FakeHouse) -> AsyncIterator[Browse]:
    speakers = Speakers([fake], Around(lambda _: None, lambda _space, _host: {}), folder)
    browse = Browse(speakers, [HERE])
    task = asyncio.create_task(browse.run())
    try:
        yield browse
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def info(name: str, port: int = 8_009, **text: str) -> ServiceInfo:
    return ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=port,
        properties=text,
        server=f"{name}.local.",
        parsed_addresses=[HERE],
    )


async def test_what_is_announced_changes_and_goes_is_told(tmp_path: Path) -> None:
    fake, name = FakeHouse(services=(SERVICE,)), secrets.token_hex(4)
    async with browsing(tmp_path, fake) as browse:
        announcer = AsyncZeroconf(interfaces=[HERE])
        try:
            await (await announcer.async_register_service(info(name, fn="Küche")))
            await until(lambda: bool(fake.heard_of))
            (heard,) = fake.heard_of
            assert (heard.host, heard.port, heard.text["fn"]) == (HERE, 8_009, "Küche")
            assert heard.name == f"{name}.{SERVICE}"
            await (await announcer.async_update_service(info(name, port=8_010)))
            await until(lambda: fake.heard_of[-1].port == 8_010)
            await (await announcer.async_unregister_service(info(name)))
            await until(lambda: not fake.heard_of)
            await (await announcer.async_register_service(info(name)))
            await until(lambda: bool(fake.heard_of))
            assert len(browse._seen) <= MAX_SEEN
        finally:
            await announcer.async_close()
    assert not fake.heard_of  # nobody looks any more
