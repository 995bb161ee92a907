"""The bundle for support: what helps is in it, and none of the canaries that were hidden about."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.support.gather import Machine, bundle
from stagebox.identity import Identity

# A secret of each kind, as it lies on a machine and as it gets into a log.
WIFI = "correct horse battery"
HOTSPOT = "4711 0815 1234"
CODE = "314159"
PIN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SIGNATURE = "c2lnbmF0dXJlIHdpdGggbm9uY2VzIHRvZ2V0aGVyMTIzNDU2Nzg5MA=="
PASSWORD = "Tr0ub4dor&3"
SHORT = "hunter22"


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Machine, list[str]]:
    identity = Identity.load_or_create(tmp_path / "var/lib/stagebox")
    private = (tmp_path / "var/lib/stagebox/identity.key").read_text().strip()
    files = {
        "var/lib/stagebox/enrolment.json": json.dumps({"pin": PIN, "hub_key": identity.key}),
        "etc/stagebox/box.toml": f'name = "Ada"\nrole = "guest"\nhub_pin = "{PIN}"\n'
        f'[wifi]\nssid = "Home"\nkey = "{WIFI}"\n',
        "etc/stagebox/hub.toml": 'name = "House"\nport = 7300\n',
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12"\n',
        "etc/NetworkManager/system-connections/a.nmconnection": f"[wifi-security]\npsk={SHORT}\n",
        "boot/firmware/stagebox.toml": f'[wifi]\nkey = "{WIFI}"\n',
        "run/stagebox-network/network.json": json.dumps({"secret": HOTSPOT}),
        "run/stagebox/health.json": json.dumps(
            {"pid": 7, "build": 105, "joined": True, "audio": False}
            | {"hub": {"host": "192.168.1.10", "port": 7443, "pin": PIN}}
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    log = "\n".join(
        (
            "[   12.345678] stagebox[812]: hub 1a2b3c4d listens on port 7300",
            f"[   13.000000] NetworkManager[3]: wifi tries {WIFI} and {SHORT}, then {HOTSPOT}",
            f"[   14.000000] stagebox[812]: the enrolment code is {CODE}",
            f"[   15.000000] stagebox[812]: password: {PASSWORD}",
            f"[   16.000000] stagebox[812]: Traceback ... signature {SIGNATURE} {private}",
            f"[   17.000000] stagebox[812]: a=ice-pwd:asd88fgpdd777uzjYhagZg pin {PIN}",
        )
    )
    doctor = json.dumps({"findings": [{"text": f"voice codec: fine, key {private}"}]})

    def ask(command: tuple[str, ...]) -> str:
        return {"journalctl": log, "/usr/bin/stagebox": doctor}.get(
            command[0], "ActiveState=active"
        )

    canaries = [WIFI, SHORT, HOTSPOT, CODE, PIN, SIGNATURE, PASSWORD, private, identity.key]
    return Machine(tmp_path, ask), [*canaries, "asd88fgpdd777uzjYhagZg"]


def test_no_canary_is_in_a_bundle(machine: tuple[Machine, list[str]]) -> None:
    made, canaries = machine
    text = bundle(made)
    assert [each for each in canaries if each in text] == []
    # Not in pieces either.
    assert [each[:12] for each in canaries if len(each) > 20 and each[:12] in text] == []


def test_what_helps_is_in_it(machine: tuple[Machine, list[str]]) -> None:
    text = bundle(machine[0])
    for helps in (
        "Debian GNU/Linux 12",
        "role = guest",
        "wifi.key = [removed]",
        "port = 7300",
        "hub 1a2b3c4d listens on port 7300",
        "voice codec: fine",
        "-rw-------",
        "identity.key",
        "'audio': False",
        "ActiveState=active",
    ):
        assert helps in text


def test_a_machine_with_nothing_on_it_gives_a_bundle_too(tmp_path: Path) -> None:
    text = bundle(Machine(tmp_path, lambda _command: ""))
    assert "(it says nothing)" in text


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "stagebox", "support", *arguments]


@pytest.mark.parametrize(("answer", "written"), [("y", True), ("n", False), ("", False)])
def test_it_is_shown_before_it_is_written(answer: str, written: bool, tmp_path: Path) -> None:
    path = tmp_path / "bundle.txt"
    done = subprocess.run(
        command("--out", str(path)),
        input=f"{answer}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "== versions" in done.stdout
    assert path.exists() is written
    if written:
        assert path.stat().st_mode & 0o777 == 0o600
        assert "== journal" in path.read_text()


def test_it_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    done = subprocess.run(
        command("--yes", "--out", str(tmp_path / "link")),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert not (tmp_path / "victim").exists()
