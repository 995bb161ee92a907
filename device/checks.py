"""What this machine has of what a box needs: one small check for each part.

Every check returns what it found, none of them changes anything. What the board is made of is
looked at in ``device.checkup``; here are its programs, the network and the hub.
"""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from device.audio.cards import Direction, choose, meant
from device.audio.echo import EchoMissingError, WebrtcCanceller
from device.audio.ports import SoundError
from device.audio.synthesiser import PROGRAM
from device.checkup import boards, kernels, plugged
from device.checkup.finding import LIMIT_S, Finding, kept
from device.checkup.machine import Machine
from device.checkup.sounds import Devices, Once, list_devices
from device.config import BoxConfig, Duplex, VoiceChoice
from device.link.candidates import HubChoice, admits
from device.link.dial import Lines, LinkError, ask_who
from device.link.discovery import reachable
from device.link.hubs import KnownHubs
from device.profiles.model import FittedConfig
from device.profiles.shelf import names as profiles
from device.profiles.shelf import profile
from device.trust.belonging import Belonging
from device.trust.kept import Kept
from device.trust.record import Phase
from stagebox.mdns import own_addresses
from stagebox.media.opus import OpusMissingError, opus_version
from stagebox.statefile import state_dir as kept_dir
from stagebox.wire.terms import Role

OLDEST_PYTHON: Final = (3, 11)
# A hub that is there answers in well under one; a lost multicast packet is sent again after one.
FIND_HUB_S: Final = 3.0
# Then each that was found is asked in turn, each within some seconds.
HUB_LIMIT_S: Final = 40.0
# A frame of sound is 20 ms: a coarser clock could not pace it.
COARSEST_CLOCK_S: Final = 0.001

_INSTALL: Final = "Install it with: pip install 'stagebox[hardware]'"
_TOOL_S: Final = 3.0  # iw answers at once or not at all


def all_checks(config: FittedConfig, machine: Machine | None = None) -> Iterator[Finding]:
    """Yield a finding for each part, in the order in which to mend them."""
    here = Machine() if machine is None else machine
    checks = {**_programs(config), **_board(config, here), **_surroundings(config, here)}
    for name, check in checks.items():
        yield kept(name, check, HUB_LIMIT_S if name == "hub" else LIMIT_S)


Checks = dict[str, Callable[[], Finding]]


def _programs(config: FittedConfig) -> Checks:
    wired = config.panel.kind == "gpio"
    return {
        "Python": python,
        "clock": clock,
        "voice codec": opus,
        "sound library": partial(library, "sound library", "pyaudio"),
        "button library": partial(library, "button library", "gpiozero", required=wired),
        "pin library": partial(library, "pin library", "lgpio", required=wired),
        "echo canceller": partial(echo_canceller, config),
        "voice": partial(voice, config),
    }


def _board(config: FittedConfig, machine: Machine) -> Checks:
    known = {name: profile(name).board for name in profiles()}
    talks = config.role is not Role.SPEAKER
    mic, speaker = config.sound.microphone, config.sound.loudspeaker
    devices = Once(list_devices)
    return {
        "computer": partial(boards.computer, machine),
        "power supply": partial(boards.power, machine),
        "kernel": partial(kernels.kernel, machine),
        "sound HAT": partial(boards.hat, machine, config, known),
        "boot settings": partial(boards.boot, machine, config),
        "right to sound": partial(plugged.sound_right, machine),
        str(Direction.INPUT): partial(card, devices, Direction.INPUT, mic, required=talks),
        str(Direction.OUTPUT): partial(card, devices, Direction.OUTPUT, speaker),
        "sound levels": partial(plugged.levels, machine, config),
        "header": partial(boards.header, machine),
        "pins": partial(pins, machine.path("dev"), required=config.panel.kind == "gpio"),
        "lamp": partial(plugged.lamp, machine, config.panel),
        "speakerphone": partial(plugged.speakerphone, machine, config.panel),
        "Pico panel": partial(plugged.pico, machine, config.panel),
    }


def _surroundings(config: FittedConfig, machine: Machine) -> Checks:
    return {
        "state directory": partial(state_dir, Path(config.state_dir)),
        "network": network,
        "Wi-Fi sleep": partial(power_save, machine.path("sys/class/net")),
        "enrolment": partial(enrolment, config),
        "hub": partial(hub, config),
    }


def python() -> Finding:
    """Whether the interpreter is new enough."""
    found = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info[:2] >= OLDEST_PYTHON
    return Finding("Python", ok, f"Python {found}.", "Use Python 3.11 or newer.")


def clock() -> Finding:
    """Whether there is a clock that never jumps and ticks finely enough."""
    info = time.get_clock_info("monotonic")
    ok = info.monotonic and info.resolution <= COARSEST_CLOCK_S
    sentence = f"The steady clock ticks every {info.resolution:.0e} s."
    return Finding("clock", ok, sentence, "Use a kernel with high-resolution timers.")


def opus() -> Finding:
    """Whether the voice codec can be loaded."""
    try:
        return Finding("voice codec", ok=True, sentence=f"{opus_version()}.")
    except OpusMissingError as error:
        mend = "Install it with: sudo apt install libopus0"
        return Finding("voice codec", ok=False, sentence=f"{error}", mend=mend)


def voice(config: BoxConfig) -> Finding:
    """Whether the box can speak, where it is to; without a voice it has its tones."""
    if config.sound.voice is VoiceChoice.OFF:
        return Finding("voice", ok=True, sentence="Switched off.", required=False)
    ok = shutil.which(PROGRAM) is not None
    sentence = f"{PROGRAM} is {'' if ok else 'not '}installed."
    return Finding("voice", ok, sentence, f"Install it with: sudo apt install {PROGRAM}", False)


def library(name: str, module: str, *, required: bool = True) -> Finding:
    """Whether a hardware library is installed. It is not loaded."""
    ok = installed(module)
    sentence = f"{module} is {'' if ok else 'not '}installed."
    return Finding(name, ok, sentence, _INSTALL, required)


def installed(module: str) -> bool:
    """Whether a library is there, without loading it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # half of a package is none
        return False


def card(
    listed: Callable[[], Devices], direction: Direction, match: str, *, required: bool = True
) -> Finding:
    """Whether there is a sound device for this direction, and the one that is asked for."""
    try:
        devices = [device for device in listed() if device.channels(direction) > 0]
    except SoundError as error:
        mend = (
            "Mend the sound library first; where it hangs, pull the sound card out and put it back."
        )
        return Finding(str(direction), ok=False, sentence=str(error), mend=mend, required=required)
    names = ", ".join(device.name for device in devices) or "none"
    if devices and (not match or choose(match, devices) is not None):
        return Finding(str(direction), ok=True, sentence=f"Found: {names}.", required=required)
    wanted = f"No {direction} {meant(match)}" if devices else f"There is no {direction}"
    mend = f"Plug in a sound card, or set [sound] {direction}; this user must be in group audio."
    return Finding(str(direction), False, f"{wanted} (found: {names}).", mend, required)


def echo_canceller(config: BoxConfig) -> Finding:
    """Whether the box can talk and listen at once, beside its loudspeaker."""
    wanted = config.sound.duplex is Duplex.FULL and config.role is not Role.SPEAKER
    name, mend = "echo canceller", "Install it with: pip install 'stagebox[echo]'"
    if not wanted and not installed("livekit"):
        return Finding(name, True, "Not installed, and not asked for.", required=False)
    try:
        WebrtcCanceller()
    except EchoMissingError:
        sentence = "livekit cannot be loaded; the box stays half duplex."
        return Finding(name, False, sentence, mend, required=False)
    return Finding(name, True, "livekit works.", required=False)


def pins(devices: Path, *, required: bool = True) -> Finding:
    """Whether there are GPIO pins and this user may use them."""
    chips = sorted(devices.glob("gpiochip*"))
    if not chips:
        mend = 'Use a Raspberry Pi, or set [panel] kind = "none" for a box without buttons.'
        return Finding("pins", False, "This machine has no GPIO pins.", mend, required)
    closed = (chip for chip in chips if not os.access(chip, os.R_OK | os.W_OK))
    return plugged.right("pins", next(closed, chips[0]), "gpio", required=required)


def state_dir(path: Path) -> Finding:
    """Whether the box can keep its identity: the directory is there, or could be made."""
    place = next(each for each in (path, *path.parents) if each.exists())
    ok = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    sentence = f"{path} can {'' if ok else 'not '}be written."
    return Finding("state directory", ok, sentence, f"Let this user own {path}.")


def network() -> Finding:
    """Whether this machine has an address that others can reach."""
    found = [each.partition("%")[0] for each in reachable(own_addresses())]
    sentence = f"Addresses: {', '.join(found)}." if found else "This machine has no address."
    return Finding("network", bool(found), sentence, "Plug in a cable or join a Wi-Fi network.")


def power_save(interfaces: Path) -> Finding:
    """Whether a Wi-Fi interface sleeps between packets, which delays sound by 100 ms and more."""
    found = sorted(path.parent.name for path in interfaces.glob("*/wireless"))
    if not found:
        return Finding("Wi-Fi sleep", True, "There is no Wi-Fi interface.", required=False)
    tool = shutil.which("iw", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is None:
        sentence = "Whether Wi-Fi sleeps cannot be seen."
        mend = "Install the tool with: sudo apt install iw"
        return Finding("Wi-Fi sleep", False, sentence, mend, required=False)
    asleep = [name for name in found if "on" in _ask_iw(tool, name)]
    if not asleep:
        return Finding("Wi-Fi sleep", True, "Wi-Fi stays awake.", required=False)
    sentence = f"{asleep[0]} sleeps between packets."
    mend = f"Turn it off with: sudo iw dev {asleep[0]} set power_save off"
    return Finding("Wi-Fi sleep", False, sentence, mend, required=False)


def _ask_iw(tool: str, interface: str) -> list[str]:
    """Return the words iw says about power saving; none if it says nothing."""
    command = [tool, "dev", interface, "get", "power_save"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, the name is the kernel's
            command, capture_output=True, text=True, timeout=_TOOL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split()


def hub(config: BoxConfig) -> Finding:
    """Whether the hub answers. Nobody is disturbed: no session is opened."""
    sentence, ok = asyncio.run(_find_hub(config))
    mend = 'Start the hub, check the network, or write its address as hub = "ws://ADDRESS:PORT".'
    return Finding("hub", ok, sentence, mend, required=config.hub is not None)


def enrolment(config: BoxConfig) -> Finding:
    """Whether the box belongs to a hub, and to which. Without one it is looked for in vain."""
    kept = Kept(kept_dir(Path(config.state_dir)))
    mend = (
        "Press Add a box on the hub's console, hold TALK and HAND together for 5 s, and type the"
        " code that the box says."
    )
    if kept.trouble is not None:
        return Finding("enrolment", False, kept.trouble, mend, required=False)
    record = kept.record
    if record is None:
        waits = "It asks the hub of hub_pin to be let in." if config.hub_pin else ""
        return Finding("enrolment", bool(waits), f"Not enrolled. {waits}".strip(), mend, False)
    half = "" if record.phase is Phase.ACTIVE else ", but the hub has not answered since"
    sentence = f"With {record.hub_name} ({record.hub_id[:8]}){half}."
    return Finding("enrolment", True, sentence, mend, required=False)


async def _find_hub(config: BoxConfig) -> tuple[str, bool]:
    choice = HubChoice(config.hub, config.hub_id, config.any_hub)
    kept_in = kept_dir(Path(config.state_dir))
    hubs = KnownHubs(choice, kept_in, Belonging(Kept(kept_in), config.hub_pin))
    found = asyncio.Event()
    browsing = asyncio.create_task(hubs.run(found.set, lambda _: None))
    try:
        if config.hub is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIND_HUB_S):
                    await found.wait()
        return await _try_all(hubs)
    finally:
        browsing.cancel()
        await asyncio.gather(browsing, return_exceptions=True)


async def _try_all(hubs: KnownHubs) -> tuple[str, bool]:
    plan = hubs.plan()
    problem = "No hub was found on this network."
    if plan.lacks_hub:
        problem = "This box belongs to no hub yet."
    if plan.others:
        problem = "The hubs on this network are not the one this box belongs to."
    lines = Lines()
    try:
        for candidate in plan.candidates:
            try:
                challenge = await ask_who(lines, candidate)
            except LinkError as error:
                problem = error.detail
                continue
            if admits(candidate, challenge.hub_id):
                return f"The hub {challenge.hub_id[:8]} answers at {candidate.url}.", True
            problem = f"Another hub answers at {candidate.url}; this box stays with its own."
    finally:
        await lines.close()
    return problem, False
