"""What a hub remembers over restarts, clean or not."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.config import HubConfig, SpaceConfig, SpaceLimits
from hub.spaces.registry import MAX_SPACES, SpaceExistsError
from hub.store.database import Store, StoredMember, StoredSpace, StoreError, Trouble
from hub.store.schema import NEWEST
from stagebox.wire.terms import Kind, Mode, Place, Role
from tests.loopback.hub.crew import Guest, crew, running_hub

TWO = HubConfig(space=(SpaceConfig(id="main", name="Main"), SpaceConfig(id="side", name="Side")))
ANNA = StoredMember("0" * 32, "key", "Anna", Kind.BOX, Role.GUEST)


async def test_a_member_comes_back_to_its_last_space_and_place(tmp_path: Path) -> None:
    async with running_hub(tmp_path, TWO) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            assert (await anna.enter(hub, "side")).space.id == "side"
        await hub.store.set_place(anna.id, "side", Place.COHOST)
    async with running_hub(tmp_path, TWO) as hub:
        anna, berta = anna.again(), Guest("Berta", number=2)
        async with crew(anna, berta):
            snapshot = await anna.enter(hub)
            assert snapshot.space.id == "side"
            assert snapshot.members[0].place is Place.COHOST
            assert (await berta.enter(hub)).space.id == "main"


async def test_a_space_made_while_running_is_there_after_a_restart(tmp_path: Path) -> None:
    limits = SpaceLimits(open_limit=3)
    made = SpaceConfig(id="new", name="New", mode=Mode.OPEN, limits=limits)
    async with running_hub(tmp_path) as hub:
        await hub.spaces.create(made)
        with pytest.raises(SpaceExistsError):
            await hub.spaces.create(made)
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            snapshot = await anna.enter(hub, "new")
            assert (snapshot.floor.mode, snapshot.floor.open_limit) == (Mode.OPEN, 3)
        for number in range(MAX_SPACES - len(hub.spaces)):
            await hub.spaces.create(SpaceConfig(id=f"s{number}", name="S"))
        with pytest.raises(SpaceExistsError):
            await hub.spaces.create(SpaceConfig(id="one-more", name="S"))


async def test_a_stored_space_that_cannot_run_is_left_out(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.store.save_space(StoredSpace("bad", "Bad", Mode.OPEN, '{"open_limit": 0}'))
        await hub.store.save_space(StoredSpace("main", "Other name", Mode.OPEN, "{}"))
    async with running_hub(tmp_path) as hub:
        assert [space.info.name for space in hub.spaces] == ["Main"]


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
    await store._write("INSERT INTO schema_version VALUES (?, ?)", (str(NEWEST + 1), "later"))
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
        "from stagebox.wire.terms import Place\n"
        "async def main():\n"
        "    store = await Store.open(Path(sys.argv[1]))\n"
        "    number = 0\n"
        "    while True:\n"
        "        await store.set_place('m', str(number), Place.HOST)\n"
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
    places = await store.places("m")
    await store.aclose()
    assert troubles == []
    assert set(places) >= {str(number) for number in range(last + 1)}


async def test_a_closed_store_and_a_hanging_disk_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[Trouble] = []
    store = await Store.open(tmp_path / "hub.sqlite3", troubles.append)
    monkeypatch.setattr("hub.store.database.MAX_WAITING", 0)
    with pytest.raises(StoreError, match="disk"):
        await store.spaces()
    assert troubles == [Trouble.BUSY]
    monkeypatch.undo()
    await store.save_space(StoredSpace("x", "X", Mode.OPEN, "{}"))
    await store._write("UPDATE spaces SET mode = ?", ("no such mode",))
    with pytest.raises(StoreError):
        await store.spaces()
    assert troubles == [Trouble.BUSY, Trouble.FAILED]
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="closed"):
        await store.spaces()


async def test_a_store_that_cannot_be_read_costs_only_the_stored_spaces(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.store._write("DROP TABLE spaces", ())
        await hub.spaces.start()
        assert len(hub.spaces) == 1


async def test_sessions_go_on_when_the_store_fails(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await hub.store.aclose()
        anna = Guest("Anna", number=1)
        async with crew(anna):
            snapshot = await anna.enter(hub)
            assert snapshot.members[0].place is Place.SPEAKER
