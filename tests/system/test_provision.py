"""The set-up helper as a program: a boot file, a message bus, and what it leaves for the box."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioning import bootroot
from stagebox.netstate import NetworkState, NetworkStep, decode
from tests.support.fakenm import FakeNm, Network

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is missing: apt install dbus"
)
CONFIG = """<busconfig><type>custom</type><listen>unix:path={path}</listen>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/>
<allow user="*"/></policy>
</busconfig>"""
KEY = "correct horse"


class House:
    """A machine's folders, its bus, and the helper on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("run", "boot", "bin"):
            (folder / name).mkdir()
        iw = folder / "bin/iw"
        iw.write_text(f'#!/bin/sh\necho "$@" >> {folder}/iw.log\n')
        iw.chmod(0o755)
        self.bus = f"unix:path={folder}/bus"
        self.programs: list[subprocess.Popen[str]] = []
        (folder / "bus.conf").write_text(CONFIG.format(path=folder / "bus"))
        daemon = self.start(
            "dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--print-address"
        )
        assert daemon.stdout is not None
        daemon.stdout.readline()

    def start(self, *command: str) -> subprocess.Popen[str]:
        env = {
            **os.environ,
            "DBUS_SYSTEM_BUS_ADDRESS": self.bus,
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
        }
        program = subprocess.Popen(
            command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.programs.append(program)
        return program

    def helper(self) -> subprocess.Popen[str]:
        return self.start(sys.executable, "-m", "stagebox", "provision", *self.places())

    def places(self) -> list[str]:
        where = {"runtime": "run", "state": "state", "ask": "ask", "boot": "boot"}
        return [word for n, at in where.items() for word in (f"--{n}", str(self.folder / at))]

    def boot_file(self, key: str) -> None:
        text = f'country = "DE"\nssid = "Harbour"\nkey = "{key}"\nname = "Kitchen"\n'
        part = self.folder / "part"
        part.write_text(text)
        part.rename(self.folder / "boot/stagebox.toml")

    def told(self) -> NetworkState | None:
        path = self.folder / "run/network.json"
        return decode(path.read_bytes()) if path.exists() else None

    def stands_at(self, step: NetworkStep) -> bool:
        told = self.told()
        return told is not None and told.step is step

    def end(self) -> None:
        for program in reversed(self.programs):
            program.kill()
            program.communicate()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    there = House(tmp_path)
    yield there
    there.end()


async def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


async def test_from_power_on_to_a_network(house: House) -> None:
    fake = await FakeNm.open(house.bus, {"Harbour": Network(KEY)})
    house.boot_file("wrong horse")
    helper = house.helper()
    await until(lambda: house.stands_at(NetworkStep.WRONG_KEY))
    assert (house.folder / "run/box.toml").read_text() == 'name = "Kitchen"\n'
    house.boot_file(KEY)
    await until(lambda: house.stands_at(NetworkStep.JOINED))
    await until((house.folder / "run" / bootroot.REQUEST).exists)
    await until(lambda: "reg set DE" in (house.folder / "iw.log").read_text())
    # What systemd does when the request changes.
    root = house.start(
        *(sys.executable, "-m", "stagebox", "provision", "--boot-file"), *house.places()
    )
    assert await asyncio.to_thread(root.wait, 30) == 0
    assert KEY not in (house.folder / "boot/stagebox.toml").read_text()
    (house.folder / "ask").touch()
    await until(lambda: house.stands_at(NetworkStep.HOTSPOT))
    told = house.told()
    assert told is not None
    assert (told.detail, len(told.secret)) == ("Stagebox-0042", 12)
    helper.send_signal(signal.SIGTERM)
    said, _ = await asyncio.to_thread(helper.communicate, None, 30)
    assert helper.returncode == 0
    for secret in (KEY, "wrong horse", told.secret):
        assert secret not in said
    assert not fake.volatile
    fake.bus.disconnect()
    await fake.bus.wait_for_disconnect()


async def test_a_networkmanager_that_comes_late(house: House) -> None:
    house.boot_file(KEY)
    house.helper()
    await until((house.folder / "run/box.toml").exists)
    await asyncio.sleep(1)
    fake = await FakeNm.open(house.bus, {"Harbour": Network(KEY)})
    await until(lambda: house.stands_at(NetworkStep.JOINED))
    fake.bus.disconnect()
    await fake.bus.wait_for_disconnect()


def test_without_a_bus_it_says_so(tmp_path: Path) -> None:
    env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"}
    places = [
        word for n in ("runtime", "state", "ask", "boot") for word in (f"--{n}", str(tmp_path))
    ]
    done = subprocess.run(
        [sys.executable, "-m", "stagebox", "provision", *places],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("stagebox provision: no message bus")
