"""Each contract of import-linter refuses the violation that it is there for.

A copy of the tree gets one forbidden import planted; lint-imports must fail and
name the contract. Without a plant it must pass, or the other tests would mean nothing.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.pure import PACKAGES, ROOT, pure_modules

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# (contract, module that gets the line, line)
PLANTS = [
    ("stagebox imports neither the box nor the hub", "stagebox.logs", "import hub.ports"),
    ("stagebox imports neither the box nor the hub", "stagebox.wire.view", "import device"),
    (
        "the box, the hub and provisioning never import each other",
        "device.link.reconnect",
        "import hub.ports",
    ),
    (
        "the box, the hub and provisioning never import each other",
        "hub.control.session",
        "import device.link.session",
    ),
    (
        "the box, the hub and provisioning never import each other",
        "provisioning.package.recipe",
        "import device",
    ),
    ("sound and buttons do not know each other", "device.audio.ports", "import device.buttons"),
    ("pure modules only decide", "stagebox.wire.view", "import asyncio"),
    ("pure modules only decide", "hub.floor.table", "import logging"),
    ("pure modules only decide", "device.link.reconnect", "from time import monotonic"),
    ("pure modules only decide", "device.buttons.lamps", "import stagebox.logs"),
    ("WebRTC lives in stagebox.rtc", "hub.media.plane", "import aiortc"),
    ("WebRTC lives in stagebox.rtc", "device.media", "from aioice import stun"),
    ("zeroconf lives in the discovery modules", "hub.spaces.registry", "import zeroconf"),
    ("SQLite and its executor live in hub.store.database", "hub.store.records", "import sqlite3"),
    ("WebRTC lives in stagebox.rtc", "device.link.session", "import pylibsrtp"),
    ("gpiozero lives in device.buttons.pins", "device.buttons.lamps", "import gpiozero"),
    ("MQTT lives in hub.home", "hub.home.looks", "import paho.mqtt.client"),
    (
        "PyChromecast, which has threads of its own, lives in hub.speakers.chromecast",
        "hub.speakers.speakers",
        "import pychromecast",
    ),
    (
        "discord.py, which has threads of its own, lives in hub.bridges.discord_link",
        "hub.bridges.discord_stage",
        "import discord",
    ),
    ("SPAKE2 lives in stagebox.wire.pake", "device.trust.office", "import spake2"),
    (
        "the message bus lives in provisioning.network",
        "provisioning.support.program",
        "import dbus_fast",
    ),
    (
        "UPnP and the XML of strangers live in hub.speakers.dlna_http and its search",
        "hub.speakers.dlna",
        "import defusedxml",
    ),
    (
        "PocketSphinx lives in hub.captions.recogniser",
        "hub.captions.sphinx",
        "import pocketsphinx",
    ),
    (
        "composition roots are loaded by the command line alone",
        "hub.control.session",
        "def f():\n    import hub.app",
    ),
    ("composition roots are loaded by the command line alone", "device.box", "import device.app"),
    ("PyAudio lives in device.audio.portaudio", "device.audio.capture", "import pyaudio"),
    (
        "livekit lives in device.audio.echo and in the program for its rooms",
        "device.hardware",
        "from livekit import rtc",
    ),
    (
        "SQLite and its executor live in hub.store.database",
        "device.link.session",
        "def f():\n    from concurrent.futures import ThreadPoolExecutor",
    ),
    ("threads live in the sound card's workers", "hub.control.session", "import threading"),
]


def contracts() -> set[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        tool = tomllib.load(file)["tool"]["importlinter"]
    return {contract["name"] for contract in tool["contracts"]}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__")
    for package in (*PACKAGES, "tests/architecture"):
        shutil.copytree(ROOT / package, root / package, ignore=ignore)
    (root / "tests" / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def verdicts(root: Path) -> tuple[int, dict[str, str], str]:
    """Return the exit status of lint-imports and KEPT or BROKEN for each contract."""
    result = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(.+) (KEPT|BROKEN)$", result.stdout, re.MULTILINE)
    return result.returncode, dict(found), result.stdout + result.stderr


def test_the_tree_itself_keeps_every_contract(tree: Path) -> None:
    status, found, output = verdicts(tree)
    assert (status, found) == (0, dict.fromkeys(contracts(), "KEPT")), output


@pytest.mark.parametrize(("contract", "module", "line"), PLANTS)
def test_a_planted_violation_is_caught(tree: Path, contract: str, module: str, line: str) -> None:
    path = tree / (module.replace(".", "/") + ".py")
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    try:
        status, found, output = verdicts(tree)
    finally:
        path.write_text(before, encoding="utf-8")
    assert status != 0
    assert found.get(contract) == "BROKEN", output


def test_a_pure_module_that_does_not_exist_is_noticed(tree: Path) -> None:
    path = tree / "pyproject.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(f'"{pure_modules()[0]}"', '"stagebox.nowhere"'), "utf-8")
    try:
        status, found, output = verdicts(tree)
    finally:
        path.write_text(before, encoding="utf-8")
    assert status != 0
    assert found.get("pure modules only decide") == "BROKEN", output
    assert "stagebox.nowhere does not exist" in output


def test_every_contract_has_a_plant() -> None:
    assert {contract for contract, _, _ in PLANTS} == contracts()
