"""What a hub remembers over restarts, clean or not."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.config import HubConfig, SpaceConfig, SpacesConfig
from hub.floor.rules import FloorRules
from hub.spaces.kept import Kept
from hub.spaces.rights import Actor
from hub.store.database import Store, StoredMember, StoreError, Trouble
from hub.store.schema import NEWEST
from hub.store.shelf import KeptSpace, Shelf
from stagebox.wire.acts import MemberPlace, PinAdd, SpaceEdit, SpaceMade, SpaceNew
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import (
    Done,
    Error,
    FloorQueued,
    FloorRequest,
    Snapshot,
    SnapshotRequest,
)
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import Kind, Mode, Place, Role, SpaceState, Via
from tests.loopback.hub.crew import Guest, crew, running_hub

TWO = HubConfig(space=(SpaceConfig(id="main", name="Main"), SpaceConfig(id="side", name="Side")))
ANNA = StoredMember("0" * 32, "key", "Anna", Kind.BOX, Role.GUEST)


async def test_a_member_comes_back_to_its_last_space_and_place(tmp_path: Path) -> None:
    async with running_hub(tmp_path, TWO) as hub:
        anna, host = Guest("Anna", number=1), Guest("Host", number=3, role=Role.STUDIO)
        async with crew(anna, host):
            assert (await anna.enter(hub, "side")).space.id == "side"
            await host.enter(hub, "side")
            await host.send(MemberPlace(req="p", member=anna.id, place=Place.COHOST))
            await host.get(Done)
    async with running_hub(tmp_path, TWO) as hub:
        anna, berta = anna.again(), Guest("Berta", number=2)
        async with crew(anna, berta):
            snapshot = await anna.enter(hub)
            assert snapshot.space.id == "side"
            places = {member.name: (member.place, member.connected) for member in snapshot.members}
            assert places == {"Anna": (Place.COHOST, True), "Host": (Place.HOST, False)}
            assert (await berta.enter(hub)).space.id == "main"


async def test_a_space_made_while_running_is_there_after_a_restart(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        host = Guest("Host", number=1, role=Role.STUDIO)
        async with crew(host):
            await host.open(hub)
            for _ in range(2):  # the same wish, sent twice
                await host.send(SpaceNew(req="n1", name="Küche & Co.", mode=Mode.OPEN))
                assert await host.get(SpaceMade) == SpaceMade(req="n1", space="kuche-co")
            await host.send(SpaceNew(req="n2", name="Küche & Co."))
            assert (await host.get(SpaceMade)).space == "kuche-co-2"
            assert (await host.join("kuche-co")).space.host == host.id
            await host.send(SpaceEdit(req="e", open_limit=3, topic="News"))
            await host.get(Done)
            await host.send(PinAdd(req="p", text="Bring a cup"))
            await host.get(Done)
    async with running_hub(tmp_path) as hub:
        host = host.again()
        async with crew(host):
            snapshot = await host.enter(hub)
            assert snapshot.space.id == "kuche-co"
            assert (snapshot.floor.mode, snapshot.floor.open_limit) == (Mode.OPEN, 3)
            assert (snapshot.space.name, snapshot.space.topic) == ("Küche & Co.", "News")
            assert [pin.text for pin in snapshot.pins] == ["Bring a cup"]
            assert (snapshot.space.state, snapshot.space.host) == (SpaceState.LIVE, host.id)


async def test_hands_are_kept_in_order_over_a_restart(tmp_path: Path) -> None:
    config = HubConfig(space=(SpaceConfig(id="main", name="Main", mode=Mode.MODERATED),))
    guests = [Guest(f"Guest {n}", number=n) for n in range(1, 5)]
    async with running_hub(tmp_path, config) as hub, crew(*guests):
        for guest in guests:
            await guest.enter(hub)
        for guest in reversed(guests):
            await guest.send(FloorRequest(req="h", via=Via.HAND))
            await guest.get(FloorQueued)
    async with running_hub(tmp_path, config) as hub:
        back = [guest.again() for guest in guests]
        async with crew(*back):
            for guest in back:
                await guest.enter(hub)
            await back[0].send(SnapshotRequest(req="s"))
            floor = (await back[0].get(Snapshot)).floor
            assert list(floor.queue) == [guest.id for guest in reversed(back)]
            assert floor.talkers == ()


async def test_there_are_no_more_spaces_than_a_hub_can_run(tmp_path: Path) -> None:
    config = HubConfig(spaces=SpacesConfig(most=5, keep_days=7))
    async with running_hub(tmp_path, config) as hub:
        admin = Actor(None, "Admin", admin=True)
        for number in range(4):
            made = hub.spaces.create(admin, SpaceNew(req=f"n{number}", name="S"))
            assert isinstance(made, SpaceMade)
        refused = hub.spaces.create(admin, SpaceNew(req="more", name="S"))
        assert isinstance(refused, Error)
        assert refused.code is ErrorCode.TOO_MANY
        assert hub.spaces.find("s").kept().keep_days == 7


async def test_settings_that_changed_win_and_those_that_did_not_give_way(tmp_path: Path) -> None:
    def config(name: str, mode: Mode) -> HubConfig:
        return HubConfig(space=(SpaceConfig(id="main", name=name, mode=mode),))

    admin = Actor(None, "Admin", admin=True)
    async with running_hub(tmp_path, config("Main", Mode.OPEN)) as hub:
        edit = SpaceEdit(req="e", name="Kitchen", mode=Mode.FIFO, topic="Soup")
        assert isinstance(hub.spaces.act("main", admin, edit), Done)
    async with running_hub(tmp_path, config("Main", Mode.OPEN)) as hub:
        space = hub.spaces.find("main")
        assert (space.info.name, space.rules.mode) == ("Kitchen", Mode.FIFO)
    async with running_hub(tmp_path, config("Hall", Mode.OPEN)) as hub:
        space = hub.spaces.find("main")
        assert (space.info.name, space.rules.mode) == ("Hall", Mode.OPEN)
        assert space.info.topic == "Soup"


async def test_a_stored_space_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        shelf = Shelf(hub.store)
        await shelf.save(KeptSpace("bad", '{"info": 0}'), [], "now")
        await shelf.save(KeptSpace("main", "not JSON"), [], "now")
    async with running_hub(tmp_path) as hub:
        assert [space.info.name for space in hub.spaces] == ["Main"]


async def test_a_standing_space_that_left_the_settings_is_archived(tmp_path: Path) -> None:
    async with running_hub(tmp_path, TWO) as hub:
        admin = Actor(None, "Admin", admin=True)
        assert isinstance(hub.spaces.act("side", admin, SpaceEdit(req="e", topic="T")), Done)
    async with running_hub(tmp_path) as hub:
        assert [space.info.id for space in hub.spaces] == ["main"]
        assert [each.id for each in hub.spaces.ended()] == ["side"]


async def test_a_hub_with_a_broken_database_starts_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    path.write_bytes(b"this is no database" * 1000)
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.enter(hub)
        assert hub.value("stagebox_store_troubles_total", kind="corrupt") == 1
        assert path.with_name("hub.sqlite3.broken-1").read_bytes().startswith(b"this is no")
    async with running_hub(tmp_path) as hub:
        assert hub.value("stagebox_store_troubles_total", kind="corrupt") == 0
        assert await hub.store.member(anna.id) is not None


async def test_damage_inside_the_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    store = await Store.open(path)
    await store.saw(ANNA)
    await store.aclose()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    troubles: list[Trouble] = []
    store = await Store.open(path, troubles.append)
    assert troubles == [Trouble.CORRUPT]
    assert await store.member(ANNA.id) is None
    await store.saw(ANNA)
    await store.aclose()


async def test_broken_files_do_not_pile_up(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    for _ in range(7):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).write_bytes(b"broken" * 1000)
        await (await Store.open(path)).aclose()
    assert len(await asyncio.to_thread(os.listdir, tmp_path)) <= 5 * 3 + 1


@pytest.mark.parametrize("name", ["file/hub.sqlite3", "directory"])
async def test_a_place_that_cannot_be_used_gives_a_hub_without_memory(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "directory").mkdir()
    troubles: list[Trouble] = []
    store = await Store.open(tmp_path / name, troubles.append)
    assert troubles == [Trouble.NOT_KEPT]
    await store.saw(ANNA)
    found = await store.member(ANNA.id)
    assert found is not None
    assert found.name == "Anna"
    await store.aclose()


async def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    store = await Store.open(path)
    await store.execute("INSERT INTO schema_version VALUES (?, ?)", (NEWEST + 1, "later"))
    await store.aclose()
    with pytest.raises(StoreError, match="newer version"):
        await Store.open(path)
    assert path.exists()


async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from hub.store.database import Store\n"
        "from hub.store.shelf import KeptSpace, Shelf\n"
        "async def main():\n"
        "    shelf = Shelf(await Store.open(Path(sys.argv[1])))\n"
        "    number = 0\n"
        "    while True:\n"
        "        await shelf.save(KeptSpace(str(number), '{}'), [], 'now')\n"
        "        print(number, flush=True)\n"
        "        number += 1\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(  # noqa: ASYNC220 - reads and kill are quick
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    last = -1
    while last < 50:
        last = int(await asyncio.to_thread(process.stdout.readline))
    os.kill(process.pid, signal.SIGKILL)
    rest = await asyncio.to_thread(process.stdout.read)
    process.stdout.close()
    process.wait()
    last = max([last, *map(int, rest.split())])
    troubles: list[Trouble] = []
    store = await Store.open(path, troubles.append)
    kept = {each.id for each in await Shelf(store).spaces()}
    await store.aclose()
    assert troubles == []
    assert kept >= {str(number) for number in range(last + 1)}


async def test_a_closed_store_and_a_hanging_disk_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[Trouble] = []
    store = await Store.open(tmp_path / "hub.sqlite3", troubles.append)
    monkeypatch.setattr("hub.store.database.MAX_WAITING", 0)
    with pytest.raises(StoreError, match="disk"):
        await Shelf(store).spaces()
    assert troubles == [Trouble.BUSY]
    monkeypatch.undo()
    await store.saw(ANNA)
    await store.execute("UPDATE members SET kind = ?", ("no such kind",))
    with pytest.raises(StoreError):
        await store.member(ANNA.id)
    assert troubles == [Trouble.BUSY, Trouble.FAILED]
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="closed"):
        await Shelf(store).spaces()


async def test_a_store_that_cannot_be_read_costs_only_the_stored_spaces(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.store.execute("DROP TABLE spaces")
        await hub.store.execute("DROP TABLE ended_spaces")
    async with running_hub(tmp_path) as hub:
        assert [space.info.id for space in hub.spaces] == ["main"]


async def test_sessions_go_on_when_the_store_fails(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.store.aclose()
        anna = Guest("Anna", number=1)
        async with crew(anna):
            snapshot = await anna.enter(hub)
            assert snapshot.members[0].place is Place.SPEAKER


async def test_a_space_that_ended_when_the_hub_stopped_is_put_away_afterwards(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path) as hub:
        info = SpaceInfo(id="late", name="Late", state=SpaceState.ENDED)
        kept = Kept(info=info, rules=FloorRules.for_mode(Mode.OPEN))
        await Shelf(hub.store).save(KeptSpace("late", kept.encode().decode()), [], "now")
    async with running_hub(tmp_path) as hub:
        assert [(each.id, each.state) for each in hub.spaces.ended()] == [
            ("late", SpaceState.ARCHIVED)
        ]
        assert await Shelf(hub.store).spaces() == []
