"""The computer, what sits on its header, and what its firmware was told."""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from device.checkup import hats, i2c
from device.checkup.finding import Finding
from device.checkup.machine import Machine
from device.profiles.model import Board, FittedConfig

# Its decoder alone would take half of a processor that has one core and no NEON.
_TOO_SLOW: Final = re.compile(r"Raspberry Pi (Zero( W)?|Model [AB]|Compute Module) Rev")
# Who drives the pins of the header: BCM2835 up to the Pi 4, RP1 on the Pi 5.
_HEADER_CHIPS: Final = ("raspberrypi,rp1-gpio", "brcm,bcm2711-gpio", "brcm,bcm2835-gpio")
# The same by what their drivers are called, where the device tree does not say it.
_LABELS: Final = frozenset({"pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835"})
# ioctl of Linux's GPIO chips: name and label of 32 bytes each, and how many lines there are.
_CHIP_INFO: Final = 0x8044B401
_CHIP_INFO_BYTES: Final = 68
# Up to this version gpiozero looks for the pins of a Pi 5 at chip 4 and nowhere else.
_OLD_GPIOZERO: Final = (2, 0, 1)
# Each claims the I2S pins, so there is only one of them.
_I2S_OVERLAYS: Final = re.compile(
    r"dtoverlay=(googlevoicehat|wm8960|hifiberry|max98357a|respeaker|rpi-|iqaudio|i2s-|seeed)"
)
_VOLTAGE: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"
# Bits of the firmware's answer: too little voltage now, and at any time since the start.
_NOW, _ONCE = 1 << 0, 1 << 16
_TOOL_S: Final = 2.0


def computer(machine: Machine) -> Finding:
    """Which Raspberry Pi this is, and whether it is fast enough."""
    name = "computer"
    if not machine.is_pi:
        return Finding(name, ok=True, sentence="This is no Raspberry Pi.", required=False)
    slow = _TOO_SLOW.match(machine.model) is not None
    mend = "Use a Raspberry Pi Zero 2 W, 3, 4 or 5."
    words = f"{machine.model}{', which is too slow' if slow else ''}."
    return Finding(name, ok=not slow, sentence=words, mend=mend, required=False)


def hat(machine: Machine, config: FittedConfig, boards: Mapping[str, Board]) -> Finding:
    """Which sound HAT is there, and whether the settings are for it."""
    name = "sound HAT"
    product = " ".join(machine.text(f"proc/device-tree/hat/{key}") for key in ("vendor", "product"))
    there = i2c.answered(machine, hats.addresses(boards))
    found = hats.fitting(boards, product.strip(), there)
    seen = _seen(product.strip(), there)
    if not found:
        lacks = config.board.form == "hat" and machine.is_pi
        words = f"{seen or 'None was found'}, but the settings are for {config.board.title}."
        mend = "Press the HAT down on all 40 pins, with the power off, and start again."
        plain = f"{seen or 'None was found'}."
        return Finding(name, not lacks, words if lacks else plain, mend, required=False)
    titles = " or ".join(boards[each].title for each in found)
    if any(boards[each] == config.board for each in found):
        return Finding(name, ok=True, sentence=f"{config.board.title} ({seen}).", required=False)
    words = f"{titles} ({seen}), but the settings are for {config.board.title}."
    mend = f'Write in the settings: profile = "{found[0]}"'
    return Finding(name, ok=False, sentence=words, mend=mend, required=False)


def _seen(product: str, there: frozenset[int]) -> str:
    """Return what was found, in words."""
    chips = ", ".join(f"{each:#04x}" for each in sorted(there))
    named = f"its memory says {product}" if product else ""
    return "; ".join(filter(None, (named, f"I2C answers at {chips}" if chips else "")))


def boot(machine: Machine, config: FittedConfig) -> Finding:
    """Whether the firmware was told what the board needs."""
    name = "boot settings"
    path, lines = machine.boot_lines
    wanted = config.board.config_txt
    if not machine.is_pi or not wanted:
        words = f"{config.board.title} needs none." if not wanted else "Only a Pi has them."
        return Finding(name, ok=True, sentence=words, required=False)
    lacking = [line for line in wanted if line not in lines]
    if lacking:
        words = f"{path} lacks: {'  '.join(lacking)}."
        quoted = " ".join(f"'{line}'" for line in lacking)
        mend = f"printf '%s\\n' {quoted} | sudo tee -a {path}, then start the Pi anew."
        return Finding(name, ok=False, sentence=words, mend=mend, required=False)
    rivals = [line for line in lines if _I2S_OVERLAYS.match(line) and line not in wanted]
    if rivals:
        words = f"{path} has a second overlay for the same pins: {rivals[0]}."
        mend = f"Take the line {rivals[0]} out and start again."
        return Finding(name, ok=False, sentence=words, mend=mend, required=False)
    return Finding(name, ok=True, sentence=f"{path} has all that is needed.", required=False)


def header(machine: Machine, gpiozero: str | None = None) -> Finding:
    """Which GPIO chip carries the header, and whether the library will look there."""
    name = "header"
    chip = header_chip(machine)
    if chip is None:
        words = "No chip of this machine carries a 40-pin header."
        return Finding(name, ok=True, sentence=words, required=False)
    words = f"The header is on {chip}."
    old = parsed(gpiozero or installed_version("gpiozero")) <= _OLD_GPIOZERO
    linked = machine.path("dev/gpiochip4").exists()
    if "Pi 5" in machine.model and chip == "gpiochip0" and old and not linked:
        mend = "Make the link that Raspberry Pi OS has: sudo ln -s gpiochip0 /dev/gpiochip4"
        words += " The installed gpiozero looks for it on gpiochip4."
        return Finding(name, ok=False, sentence=words, mend=mend, required=False)
    return Finding(name, ok=True, sentence=words, required=False)


def header_chip(machine: Machine) -> str | None:
    """Return the chip whose lines are the pins of the header; None: there is none."""
    for chip in machine.names("sys/bus/gpio/devices", "gpiochip*"):
        made_by = machine.text(f"sys/bus/gpio/devices/{chip}/of_node/compatible").split()
        if any(each in _HEADER_CHIPS for each in made_by):
            return chip
    chips = machine.names("dev", "gpiochip*")
    return next((chip for chip in chips if label(machine.path(f"dev/{chip}")) in _LABELS), None)


def label(chip: Path) -> str:
    """Return what a GPIO chip is called by its driver; empty where it does not answer."""
    try:
        with chip.open("rb") as file:
            told = fcntl.ioctl(file, _CHIP_INFO, bytes(_CHIP_INFO_BYTES))
    except OSError:
        return ""
    return told[32:64].partition(b"\0")[0].decode(errors="replace")


def power(machine: Machine) -> Finding:
    """Whether the power supply is strong enough."""
    name = "power supply"
    if not machine.is_pi:
        return Finding(name, ok=True, sentence="Only a Pi watches it.", required=False)
    bits = _throttled(machine)
    if bits is None:
        words = "Whether the voltage holds cannot be seen."
        return Finding(name, ok=True, sentence=words, required=False)
    if not bits & (_NOW | _ONCE):
        return Finding(name, ok=True, sentence="The voltage has held.", required=False)
    words = f"The voltage {'is' if bits & _NOW else 'was, since the start,'} too low."
    mend = "Use the power supply that belongs to this Pi, and a short cable."
    return Finding(name, ok=False, sentence=words, mend=mend, required=False)


def _throttled(machine: Machine) -> int | None:
    """Return the firmware's word on voltage, from a file or its own tool."""
    for each in machine.names("sys/class/hwmon"):
        if machine.text(f"sys/class/hwmon/{each}/name") == "rpi_volt":
            alarm = machine.number(f"sys/class/hwmon/{each}/in0_lcrit_alarm")
            if alarm:
                return _NOW
    bits = machine.number(_VOLTAGE, 16)
    return _vcgencmd() if bits is None else bits


def _vcgencmd() -> int | None:
    tool = shutil.which("vcgencmd")
    if tool is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [tool, "get_throttled"], capture_output=True, text=True, timeout=_TOOL_S, check=False
        )
        return int(done.stdout.strip().partition("=")[2], 16)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def installed_version(package: str) -> str:
    """Return the version of an installed package; empty if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def parsed(text: str) -> tuple[int, ...]:
    """Return the numbers of a version; nothing is newer than no version."""
    numbers = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(each) for each in numbers[0].split(".")) if numbers else (1 << 16,)
