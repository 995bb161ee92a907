"""What is plugged in: the card and its levels, a speakerphone, a panel on USB, and who may."""

import grp
import os
from pathlib import Path
from typing import Final

from device.audio.cards import card_ids
from device.audio.levels import sentence, wrong
from device.audio.mixer import contents
from device.buttons.serialport import find_ports
from device.buttons.speakerphone import ANY, HidrawBus, udev_rule
from device.buttons.usbpanel import AUTO
from device.checkup.finding import Finding
from device.checkup.machine import Machine
from device.config import SPI_LAMP_PINS, LampKind, PanelConfig
from device.profiles.model import FittedConfig

_RULES: Final = "/etc/udev/rules.d/70-stagebox-phone.rules"


def levels(machine: Machine, config: FittedConfig) -> Finding:
    """Whether the board's card is there, and its mixer as the profile wants it."""
    name = "sound levels"
    wanted = config.sound.mixer
    ids = card_ids(config.sound.loudspeaker) or card_ids(config.sound.microphone)
    if not ids:
        return Finding(name, ok=True, sentence="The settings name no card by id.", required=False)
    there = {each.casefold(): each for each in machine.cards}
    card = next((there[each.casefold()] for each in ids if each.casefold() in there), None)
    if card is None:
        found = ", ".join(machine.cards) or "none"
        words = f"There is no card with the id {' or '.join(ids)} (found: {found})."
        mend = (
            "Mend the boot settings and the HAT first; stagebox profiles NAME says what it needs."
        )
        return Finding(name, ok=False, sentence=words, mend=mend, required=False)
    if not wanted:
        return Finding(name, ok=True, sentence=f"{card} needs none.", required=False)
    faults = wrong(wanted, contents(card))
    if not faults:
        return Finding(name, ok=True, sentence=f"Those of {card} are right.", required=False)
    mend = "The box sets them whenever it opens the card. Is alsa-utils installed? What it could"
    mend += " not set stands in its log: journalctl -u stagebox-box"
    return Finding(name, ok=False, sentence=sentence(card, faults), mend=mend, required=False)


def speakerphone(machine: Machine, config: PanelConfig) -> Finding:
    """Whether a telephone on USB is there, and its keys may be read."""
    name, wanted = "speakerphone", bool(config.speakerphone)
    bus = HidrawBus(machine.path("sys/class/hidraw"), machine.path("dev"))
    found = bus.find(config.speakerphone or ANY)
    if found is None:
        words = "None is plugged in."
        mend = "Plug in the speakerphone by its USB cable."
        return Finding(name, not wanted, words, mend, required=wanted and config.kind == "none")
    if not wanted:
        words = f'{found.name} is plugged in; its keys are read with speakerphone = "any".'
        return Finding(name, ok=True, sentence=words, required=False)
    if os.access(found.path, os.R_OK | os.W_OK):
        return Finding(name, ok=True, sentence=f"{found.name} can be used.", required=False)
    words = f"The keys of {found.name} may not be used by this user."
    mend = f"echo '{udev_rule(found)}' | sudo tee {_RULES}, then plug it in again."
    return Finding(name, False, words, mend, required=config.kind == "none")


def pico(machine: Machine, config: PanelConfig) -> Finding:
    """Whether a panel on USB is there, and may be used."""
    name, wanted = "Pico panel", config.pico
    ports = [Path(port) for port in find_ports(machine.path("dev/serial/by-id"))]
    if wanted and wanted != AUTO:
        ports = [path for path in (machine.path(wanted.lstrip("/")),) if path.exists()]
    alone = bool(wanted) and config.kind == "none"
    if not ports:
        words = "None is plugged in." if wanted in {"", AUTO} else f"{wanted} is not there."
        mend = "Plug in the Pico; a new one first gets its program with: stagebox panel install"
        return Finding(name, not wanted, words, mend, required=alone)
    if not wanted:
        words = f'{ports[0].name} is plugged in; it is used with pico = "auto".'
        return Finding(name, ok=True, sentence=words, required=False)
    return right(name, ports[0], "dialout", required=alone)


def lamp(machine: Machine, config: PanelConfig) -> Finding:
    """Whether the bus of the lamp is there and may be used."""
    name = "lamp"
    if config.kind != "gpio" or config.lamp is LampKind.NONE:
        return Finding(name, ok=True, sentence="None on the header.", required=False)
    if config.lamp is LampKind.KTD2027:
        bus, group, line = "dev/i2c-1", "i2c", "dtparam=i2c_arm=on"
    elif (config.lamp_data, config.lamp_clock) == SPI_LAMP_PINS:
        bus, group, line = "dev/spidev0.0", "spi", "dtparam=spi=on"
    else:
        return Finding(name, ok=True, sentence="It is on pins of the header.", required=False)
    path = machine.path(bus)
    if path.exists():
        return right(name, path, group, required=False)
    if not machine.is_pi:
        return Finding(name, ok=True, sentence=f"Only a Pi has /{bus}.", required=False)
    mend = f"Add the line {line} to {machine.boot_lines[0]} and start again."
    return Finding(name, ok=False, sentence=f"/{bus} is not there.", mend=mend, required=False)


def sound_right(machine: Machine) -> Finding:
    """Whether this user may use the sound cards."""
    nodes = machine.names("dev/snd", "control*")
    if not nodes:
        words = "This machine has no sound card of its own."
        return Finding("right to sound", ok=True, sentence=words, required=False)
    return right("right to sound", machine.path(f"dev/snd/{nodes[0]}"), "audio", required=True)


def right(name: str, path: Path, usual: str, *, required: bool) -> Finding:
    """Whether this user may read and write a device; ``usual`` is the group that may."""
    if os.access(path, os.R_OK | os.W_OK):
        return Finding(name, ok=True, sentence=f"{path} can be used.", required=required)
    mend = f"Add this user to the group: sudo usermod -aG {group_of(path, usual)} $USER"
    words = f"This user may not use {path}."
    return Finding(name, False, words, f"{mend}, then log in again.", required)


def group_of(path: Path, usual: str) -> str:
    """Return the group of a device; ``usual`` where that is nobody's or root's."""
    try:
        name = grp.getgrgid(path.stat().st_gid).gr_name
    except (KeyError, OSError):
        return usual
    return usual if name == "root" else name
