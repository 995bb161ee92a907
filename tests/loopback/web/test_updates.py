"""Releases at the hub: what is offered to whom, the archive, and how things stand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hub.control.health import Facts
from hub.updates.catalogue import MAX_DOWNLOADS, Catalogue
from stagebox.installed import architecture, python
from stagebox.release import unseal
from stagebox.wire.terms import Kind, Role
from tests.loopback.hub.crew import Hub
from tests.loopback.web.kit import Browser, a_hub
from tests.support.releases import Maker

BOX = f"/updates/offer?role=box&architecture={architecture()}&python={python()}"


@asynccontextmanager
async def a_hub_with_releases(data: Path) -> AsyncIterator[tuple[Hub, Maker]]:
    async with a_hub(data) as hub:
        maker = Maker(data / "releases", data / "keys")
        desk = hub.server._desk
        assert desk is not None
        assert desk.releases.folder == data / "releases"
        desk.releases = Catalogue(maker.folder, maker.verify)
        yield hub, maker


async def test_a_box_is_offered_the_newest_it_may_take(tmp_path: Path) -> None:
    async with a_hub_with_releases(tmp_path) as (hub, maker), Browser(hub) as box:
        assert (await box.ask("GET", BOX)).code == "not_found"
        maker.put(103)
        newest = maker.put(105, after=103)
        other = "3.99"
        maker.put(110, python=other)
        for build, offered in ((0, 103), (102, 103), (103, 105), (104, 105)):
            answer = await box.http.get(hub.url(f"/api/v1{BOX}&build={build}"))
            assert answer.status == 200
            assert unseal(await answer.read(), maker.verify()).build == offered
        assert (await box.ask("GET", f"{BOX}&build=105")).code == "not_found"
        archive = await box.http.get(
            hub.url(f"/api/v1/updates/archive?release={newest.stem}"),
            headers={"Range": "bytes=5-9"},
        )
        whole = (maker.folder / f"{newest.stem}.tar.xz").read_bytes()
        assert await archive.read() == whole[5:10]


async def test_nothing_else_of_the_folder_is_given_away(tmp_path: Path) -> None:
    async with a_hub_with_releases(tmp_path) as (hub, maker), Browser(hub) as box:
        maker.put(105)
        (maker.folder / "stagebox-secret.tar.xz").write_bytes(b"secret")
        for name in ("stagebox-secret", "stagebox-box", "../keys/release", "stagebox-..", ""):
            answer = await box.ask("GET", f"/updates/archive?release={name}")
            assert answer.code in {"not_found", "bad_value"}, answer


async def test_only_a_few_fetch_at_once(tmp_path: Path) -> None:
    async with a_hub_with_releases(tmp_path) as (hub, maker), Browser(hub) as box:
        stem = maker.put(105).stem
        desk = hub.server._desk
        assert desk is not None
        desk.releases.downloads = MAX_DOWNLOADS
        answer = await box.ask("GET", f"/updates/archive?release={stem}")
        assert answer.code == "busy"
        assert int(answer.headers["Retry-After"]) > 0
        desk.releases.downloads = 0
        url = hub.url(f"/api/v1/updates/archive?release={stem}")
        await asyncio.gather(*(box.http.get(url) for _ in range(MAX_DOWNLOADS)))
        assert desk.releases.downloads == 0


async def test_an_administrator_sees_how_things_stand(tmp_path: Path) -> None:
    async with a_hub_with_releases(tmp_path) as (hub, maker), Browser(hub) as browser:
        assert (await browser.ask("GET", "/updates")).code == "login_needed"
        await browser.administer()
        maker.put(103, made="2020-01-01")
        stranger = Maker(tmp_path / "elsewhere", tmp_path / "strange-keys")
        stranger.put(107)
        bad = next(stranger.folder.glob("*.release"))
        (maker.folder / bad.name).write_bytes(bad.read_bytes())
        (maker.folder / "stagebox-half.release").write_bytes(b"")
        desk = hub.server._desk
        assert desk is not None
        for number, software in enumerate(("stagebox 1.0+100", "stagebox 1.0+103", "stagebox 1.0")):
            about = {"role": Role.GUEST, "software": software, "address": "", "since": 0.0}
            desk.house.health.opened(Facts(id=f"{number:032x}", name="B", kind=Kind.BOX, **about))
        answer = (await browser.ask("GET", "/updates")).json
        assert [each["build"] for each in answer["releases"]] == [103]
        assert [each["file"] for each in answer["troubles"]] == [bad.name, "stagebox-half.release"]
        assert [(each["build"], each["stale"]) for each in answer["boxes"]] == [
            (100, True),
            (103, False),
            (0, False),
        ]


async def test_without_a_key_nothing_is_passed_on(tmp_path: Path) -> None:
    async with a_hub_with_releases(tmp_path) as (hub, maker), Browser(hub) as browser:
        maker.put(105)
        (maker.keys / "release.pem").unlink()
        assert (await browser.ask("GET", BOX)).code == "not_found"
        await browser.administer()
        answer = (await browser.ask("GET", "/updates")).json
        assert "No release key" in answer["troubles"][0]["detail"]
