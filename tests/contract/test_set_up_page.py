"""The phone page over real HTTP, and the files of the set-up on a real disk."""

import asyncio
import os
import socket
import stat
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from provisioning import bootdisk, bootroot
from provisioning.bootfile import BootFile, BootFileError
from provisioning.hotspot import server
from provisioning.hotspot.page import HEADERS
from provisioning.hotspot.server import Page
from provisioning.network import country, surroundings
from provisioning.network import terms as t
from provisioning.network.publish import toml
from provisioning.network.surroundings import Places, Surroundings
from provisioning.network.wifi import Seen, Wifi
from stagebox.netstate import SETTINGS_FILE, NetworkStep, decode

SEEN = (Seen("Harbour", 70, is_secured=True),)
FILE = 'country = "DE"\nssid = "Harbour"\nkey = "correct horse"\n'


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


class Phone:
    def __init__(self, page: Page, port: int, submitted: "asyncio.Queue[t.Submitted]") -> None:
        self.page = page
        self.port = port
        self.submitted = submitted
        self.address = "127.0.0.1"

    async def ask(self, path: str = "/", **more: object) -> tuple[int, str, str]:
        """Return status, where it leads, and text; ``host`` and ``form`` may be given."""
        host = str(more.get("host", f"127.0.0.1:{self.port}"))
        line = aiohttp.TCPConnector(local_addr=(self.address, 0))
        async with (
            aiohttp.ClientSession(connector=line) as session,
            session.request(
                "POST" if "form" in more else "GET",
                f"http://127.0.0.1:{self.port}{path}",
                data=more.get("form"),
                headers={"Host": host, "Accept-Language": str(more.get("language", "en-GB"))},
                allow_redirects=False,
            ) as answer,
        ):
            for name, value in HEADERS.items():
                assert answer.headers[name] == value
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def form(self, **changes: str) -> dict[str, str]:
        _, _, text = await self.ask()
        token = text.partition('name="token" value="')[2].partition('"')[0]
        given = {"network": "Harbour", "other": "", "key": "correct horse", "country": "DE"}
        return {"token": token, **given, **changes}


@pytest.fixture
async def phone(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Phone]:
    monkeypatch.setattr(server, "_BEFORE_IT_CLOSES_S", 0.01)
    submitted: asyncio.Queue[t.Submitted] = asyncio.Queue()
    page, port = Page(submitted.put_nowait), free_port()
    await page.open(("127.0.0.1", port), SEEN, None, None)
    yield Phone(page, port, submitted)
    await page.close()


async def test_a_phone_sets_a_box_up(phone: Phone) -> None:
    status, _, text = await phone.ask(language="de-AT,de;q=0.9")
    assert (status, 'lang="de"' in text, "Harbour" in text) == (200, True, True)
    assert '<option value="AT" selected>' in text
    status, _, _ = await phone.ask(form=await phone.form())
    assert status == 200
    submitted = await asyncio.wait_for(phone.submitted.get(), 20)
    assert submitted.target == t.Target(Wifi("Harbour", "correct horse"), "DE", from_file=False)


async def test_a_phone_that_looks_for_the_internet_is_led_to_the_page(phone: Phone) -> None:
    here = f"http://127.0.0.1:{phone.port}/"
    for path, host in (("/generate_204", "connectivitycheck.gstatic.com"), ("/", "example.org")):
        assert (await phone.ask(path, host=host))[:2] == (302, here)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"key": "short"}, 422), ({"token": "other"}, 400), ({"country": ""}, 422)],
)
async def test_what_is_wrong_changes_nothing(
    phone: Phone, changes: dict[str, str], status: int
) -> None:
    answered, _, text = await phone.ask(form=await phone.form(**changes))
    assert answered == status
    assert ('role="alert"' in text) == (status == 422)
    await asyncio.sleep(0.1)
    assert phone.submitted.empty()


async def test_a_form_that_is_too_long_or_from_elsewhere(phone: Phone) -> None:
    async with aiohttp.ClientSession() as session:
        form = await phone.form(other="x" * 9_000)
        async with session.post(f"http://127.0.0.1:{phone.port}/", data=form) as answer:
            assert answer.status == 413
    assert (await phone.ask(form=await phone.form(), host="example.org"))[0] == 403
    many = await phone.form(**{f"f{i}": "x" for i in range(20)})
    assert (await phone.ask(form=many))[0] == 400
    assert phone.submitted.empty()


async def test_a_second_phone_is_turned_away(phone: Phone) -> None:
    form = await phone.form()
    phone.address = "127.0.0.2"
    assert (await phone.ask())[0] == 403
    assert (await phone.ask(form=form))[0] == 403
    assert phone.submitted.empty()


async def test_an_address_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_BIND_WAIT_S", 0.0)
    page = Page(lambda _submitted: None)
    with pytest.raises(OSError, match="bind"):
        await page.open(("203.0.113.1", free_port()), SEEN, None, None)
    await page.close()


# --- files ------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("run", "boot"):
        (tmp_path / name).mkdir()
    return Places(tmp_path / "run", tmp_path / "state", tmp_path / "ask", (tmp_path / "boot",))


@pytest.fixture
def world(places: Places, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    monkeypatch.setenv("PATH", str(places.runtime))  # no iw but ours
    return Surroundings(places, lambda _submitted: None)


def boot(places: Places, text: str = FILE, name: str = "stagebox.toml") -> Path:
    path = places.boot[0] / name
    path.write_text(text)
    return path


def test_what_a_boot_file_says(places: Places, world: Surroundings) -> None:
    assert (world.boot_file(), world.boot_stamp()) == (None, None)
    path = boot(places)
    file = world.boot_file()
    assert isinstance(file, BootFile)
    assert file.wifi == Wifi("Harbour", "correct horse")
    stamp = world.boot_stamp()
    path.write_text('kee = "x"\n')
    assert world.boot_file() == t.FileFault("kee", 1)
    assert world.boot_stamp() != stamp
    path.unlink()
    path.symlink_to("/dev/zero")  # no file, and without an end
    assert world.boot_file() is None


def test_what_windows_makes_of_its_name(places: Places, world: Surroundings) -> None:
    boot(places, name="stagebox.toml.txt")
    assert isinstance(world.boot_file(), BootFile)


def test_what_the_box_takes_over_and_what_root_does(places: Places, world: Surroundings) -> None:
    path = boot(
        places, FILE + 'name = "K\\u00fcche \\"1\\""\nlanguage = "de"\nssh_key = "ssh-rsa A"\n'
    )
    path.chmod(0o644)
    file = world.boot_file()
    assert isinstance(file, BootFile)
    world.hand_over(file)
    settings = tomllib.loads((places.runtime / SETTINGS_FILE).read_text())
    assert settings == {"name": 'Küche "1"', "sound": {"language": "de"}}
    login = places.state / "login"
    assert bootroot.take_care(places.boot, places.runtime, login) == 0
    assert (login / bootroot.AUTHORIZED).read_text() == "ssh-rsa A\n"
    assert "horse" in path.read_text()
    world.scrub()
    assert bootroot.take_care(places.boot, places.runtime, login) == 0
    assert "horse" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(places.boot[0]) == ["stagebox.toml"]  # noqa: PTH208
    again = path.stat().st_mtime_ns
    assert bootroot.take_care(places.boot, places.runtime, login) == 0
    assert path.stat().st_mtime_ns == again


def test_a_key_that_stayed_is_asked_for_again_and_no_other(
    places: Places, world: Surroundings
) -> None:
    path, request = boot(places, FILE), places.runtime / bootroot.REQUEST
    world.scrub_still()
    assert not request.exists()  # nothing was to be removed
    world.scrub()
    for _ in range(2):  # each is lost
        request.unlink()
        world.scrub_still()
        assert request.read_text() == bootroot.SCRUB
    assert bootroot.take_care(places.boot, places.runtime, places.state) == 0
    assert "horse" not in path.read_text()
    request.unlink()
    world.scrub_still()
    assert not request.exists()
    # Somebody's new file: its network was not tried yet.
    world.scrub()
    request.unlink()
    path.write_text(FILE.replace("Harbour", "Another"))
    world.scrub_still()
    assert not request.exists()


def test_root_meets_what_it_cannot_use(places: Places, tmp_path: Path) -> None:
    assert bootroot.take_care(places.boot, places.runtime, tmp_path) == 0
    path = boot(places, 'kee = "x"\n')
    assert bootroot.take_care(places.boot, places.runtime, tmp_path) == 1
    assert not bootdisk.scrub(path)
    path.write_text("kee")
    with pytest.raises(BootFileError):
        bootdisk.scrub(path)
    path.write_text("#" * 20_000)
    assert len(bootdisk.read(path)) == 16 * 1024 + 1


def test_steps_get_rising_numbers(places: Places, world: Surroundings) -> None:
    for number in (1, 2):
        world.tell(t.Tell(NetworkStep.AWAY, "x" * 70))
        state = decode((places.runtime / "network.json").read_bytes())
        assert (state.number, len(state.detail)) == (number, 64)


def test_a_full_disk_is_no_end(
    places: Places, world: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    places.runtime.rmdir()
    world.tell(t.Tell(NetworkStep.AWAY))
    world.scrub()
    world.hand_over(BootFile())
    assert len(caplog.records) == 3


def test_settings_as_toml() -> None:
    assert toml({}) == ""
    assert toml({"a": "b\\n\n", "t": {"c": "d"}}) == 'a = "b\\\\n\\n"\n[t]\nc = "d"\n'


def iw(places: Places, says: str) -> Path:
    path = places.runtime / "iw"
    path.write_text(f'#!/bin/sh\necho "$@" >> {places.runtime}/asked\n{says}\n')
    path.chmod(0o755)
    return places.runtime / "asked"


async def test_the_country_is_told_to_the_kernel_and_remembered(
    places: Places, world: Surroundings
) -> None:
    assert await world.known_country(None) is None
    asked = iw(places, "echo 'global'; echo 'country GB: DFS-ETSI'")
    assert await world.known_country(None) == "GB"
    await world.set_country("DE")
    assert asked.read_text() == "reg get\nreg set DE\n"
    assert await world.known_country(None) == "DE"
    assert await world.known_country(BootFile(country="AT")) == "AT"
    (places.state / "country").write_text("nonsense")
    assert await world.known_country(None) == "GB"


async def test_an_iw_that_hangs(
    places: Places, world: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(country, "_ANSWER_S", 0.2)
    iw(places, "exec /bin/sleep 60")
    assert await country.told() is None


async def test_a_hub_that_answers_and_one_that_does_not(
    world: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "_PROBE_S", 0.5)
    line = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = line.sockets[0].getsockname()[1]
    assert await world.probe(f"wss://127.0.0.1:{port}")
    line.close()
    await line.wait_closed()
    for hub in (f"ws://127.0.0.1:{port}", "ws://[", "wss://127.0.0.1"):
        assert not await world.probe(hub)
