"""What the doctor sees of a machine, from trees of files as real ones have them."""

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from device.checkup import boards, finding, hats, i2c, kernels, plugged
from device.checkup.finding import Finding, kept
from device.checkup.machine import Machine
from device.profiles.model import FittedConfig
from device.profiles.shelf import names, profile

KNOWN = {name: profile(name).board for name in names()}
PI_4 = "Raspberry Pi 4 Model B Rev 1.4\0"
PI_5 = "Raspberry Pi 5 Model B Rev 1.0\0"
MODEL = "proc/device-tree/model"
CARDS = """ 0 [vc4hdmi        ]: vc4-hdmi - vc4-hdmi
                      vc4-hdmi
 2 [seeed2micvoicec]: seeed-2mic-voic - seeed-2mic-voicecard
                      seeed-2mic-voicecard
"""
USB_CARD = " 1 [USB            ]: USB-Audio - Jabra SPEAK 510 USB\n"
OK_LEVELS = """Simple mixer control 'PCM',0
  Mono: Playback 127 [100%]
Simple mixer control 'HP DAC',0
  Mono: Playback 118 [100%]
Simple mixer control 'Line DAC',0
  Mono: Playback 118 [100%]
Simple mixer control 'HP',0
  Mono: Playback 9 [100%] [on]
Simple mixer control 'Line',0
  Mono: Playback 9 [100%] [on]
Simple mixer control 'PGA',0
  Mono: Capture 95 [80%] [on]
"""
# Usage page 0x0B (Telephony), a headset with a hook switch and a mute key, and an LED.
PHONE = bytes.fromhex("050b0905a1010920092f150025017501950281029506810105080917750195019102c0")

Plant = Callable[[dict[str, str]], Machine]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Return what makes a machine of files."""

    def make(files: dict[str, str]) -> Machine:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("latin-1"))
        return Machine(tmp_path)

    return make


def at(*addresses: int) -> dict[str, str]:
    return {f"sys/bus/i2c/devices/1-{each:04x}/name": "chip\n" for each in addresses}


# --- files --------------------------------------------------------------------------------


def test_a_machine_without_files_has_nothing_and_raises_nothing(plant: Plant) -> None:
    machine = plant({"bad": "x", "folder/file": ""})
    assert (machine.model, machine.kernel, machine.cards, machine.is_pi) == ("", "", {}, False)
    assert machine.boot_lines == ("/boot/firmware/config.txt", [])
    assert machine.text("folder") == machine.text("bad/er") == ""
    assert machine.number("bad") is None
    assert machine.names("nowhere") == []


def test_cards_are_known_by_their_ids(plant: Plant) -> None:
    machine = plant({"proc/asound/cards": CARDS})
    assert machine.cards == {
        "vc4hdmi": "vc4-hdmi - vc4-hdmi",
        "seeed2micvoicec": "seeed-2mic-voic - seeed-2mic-voicecard",
    }


@pytest.mark.parametrize("place", ["boot/firmware/config.txt", "boot/config.txt"])
def test_the_firmwares_settings_where_they_are(plant: Plant, place: str) -> None:
    machine = plant({place: "# a\n[all]\ndtparam=spi=on # lamp\n\n#dtparam=audio=on\n"})
    assert machine.boot_lines == (f"/{place}", ["[all]", "dtparam=spi=on"])


# --- a check that fails or hangs ----------------------------------------------------------


def test_a_check_that_hangs_or_fails_is_a_finding() -> None:
    def hangs() -> Finding:
        time.sleep(30)
        raise AssertionError

    def fails() -> Finding:
        raise ZeroDivisionError("why")

    outer: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: outer.append(1))
    rest = signal.setitimer(signal.ITIMER_REAL, 100.0)
    try:
        assert kept("x", hangs, 0.05).sentence.startswith("This could not be looked at: no answer")
        assert kept("x", fails).sentence == "This could not be looked at (ZeroDivisionError: why)."
        good = Finding("x", ok=True, sentence="Good.")
        assert kept("x", lambda: good) == good
        assert 90 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100, "another timer goes on"
    finally:
        signal.setitimer(signal.ITIMER_REAL, *rest)
        signal.signal(signal.SIGALRM, before)
    assert outer == []
    assert finding.LIMIT_S >= 3


# --- the computer -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "ok", "said"),
    [
        (PI_4, True, "Raspberry Pi 4 Model B Rev 1.4."),
        ("Raspberry Pi Zero 2 W Rev 1.0\0", True, "Raspberry Pi Zero 2 W Rev 1.0."),
        ("Raspberry Pi Zero W Rev 1.1\0", False, "Raspberry Pi Zero W Rev 1.1, which is too slow."),
        ("Raspberry Pi Model B Rev 2\0", False, "Raspberry Pi Model B Rev 2, which is too slow."),
        ("Banana\0", True, "This is no Raspberry Pi."),
    ],
)
def test_which_computer(plant: Plant, model: str, ok: bool, said: str) -> None:
    found = boards.computer(plant({MODEL: model}))
    assert (found.ok, found.sentence, found.required) == (ok, said, False)


def test_an_address_on_the_bus_is_a_chip(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = plant({"dev/i2c-1": "", **at(0x1A)})
    assert i2c.answered(machine, (0x18, 0x1A)) == {0x1A}, "a file is no bus"
    asked: list[int] = []

    def ioctl(_bus: int, request: int, address: int) -> None:
        assert request == 0x0703
        asked.append(address)
        if address in {0x31, 0x52}:
            raise OSError({0x31: errno.EBUSY, 0x52: errno.EINVAL}[address], "no")

    def read(_bus: int, count: int) -> bytes:
        if asked[-1] == 0x1B:
            raise OSError(errno.EREMOTEIO, "nobody")
        return b"\0" * count

    monkeypatch.setattr(i2c, "fcntl", SimpleNamespace(ioctl=ioctl))
    monkeypatch.setattr(i2c.os, "read", read)
    assert i2c.answered(machine, (0x18, 0x1A, 0x1B, 0x31, 0x52)) == {0x18, 0x1A, 0x31}
    assert asked == [0x18, 0x1B, 0x31, 0x52], "what the kernel knows is not asked"


@pytest.mark.parametrize(
    ("product", "answered", "first"),
    [
        ("", {0x18}, "respeaker-2mic-v2"),
        ("", {0x1A}, "adafruit-voice-bonnet"),
        ("", {0x1A, 0x31}, "aiy-voice-bonnet"),
        ("Raspberry Pi Ltd. Raspberry Pi Codec Zero", {0x1A}, "codec-zero"),
        ("IQaudIO Limited www.iqaudio.com Pi-CodecZero", set(), "codec-zero"),
        ("Google, Inc Google AIY audioHAT Board v1", set(), "aiy-voice-hat"),
        ("Google AIY Voice Bonnet", {0x1A, 0x31}, "aiy-voice-bonnet"),
        ("Sense HAT", set(), None),
        ("Sense HAT", {0x18}, "respeaker-2mic-v2"),
        ("", set(), None),
        ("", {0x1B}, None),
    ],
)
def test_which_hat(product: str, answered: set[int], first: str | None) -> None:
    found = hats.fitting(KNOWN, product, frozenset(answered))
    assert (found[0] if found else None) == first


def test_the_two_of_one_address_are_both_named_and_those_with_a_memory_last() -> None:
    found = hats.fitting(KNOWN, "", frozenset({0x1A}))
    assert found == ("adafruit-voice-bonnet", "respeaker-2mic-v1", "codec-zero")
    assert hats.addresses(KNOWN) == (0x18, 0x1A, 0x1B, 0x31)


@pytest.mark.parametrize(
    ("files", "settings", "ok", "said"),
    [
        (at(0x18), "respeaker-2mic-v2", True, "ReSpeaker 2-Mic HAT v2 (I2C answers at 0x18)."),
        (at(0x1A), "respeaker-2mic-v1", True, "ReSpeaker 2-Mic HAT v1 (I2C answers at 0x1a)."),
        (
            *(at(0x18), "respeaker-2mic-v1", False),
            "ReSpeaker 2-Mic HAT v2 (I2C answers at 0x18), but the settings are for ReSpeaker 2-M",
        ),
        (
            *({"proc/device-tree/hat/product": "Pi-CodecZero\0"}, "bare", False),
            "Raspberry Pi Codec Zero (its memory says Pi-CodecZero), but the settings are for bare",
        ),
        ({}, "codec-zero", False, "None was found, but the settings are for Raspberry Pi Codec"),
        ({}, "bare", True, "None was found."),
        (at(0x1B), "bare", True, "I2C answers at 0x1b."),
    ],
)
def test_settings_for_another_hat_are_told(
    plant: Plant, files: dict[str, str], settings: str, ok: bool, said: str
) -> None:
    found = boards.hat(plant({MODEL: PI_4, **files}), profile(settings), KNOWN)
    assert found.ok is ok
    assert found.sentence.startswith(said)
    if not ok and files:
        assert 'profile = "' in found.mend


def test_the_profile_to_write_is_the_one_that_fits(plant: Plant) -> None:
    found = boards.hat(plant({MODEL: PI_4, **at(0x18)}), profile("bare"), KNOWN)
    assert found.mend == 'Write in the settings: profile = "respeaker-2mic-v2"'


def test_the_firmware_was_told_what_the_board_needs(plant: Plant) -> None:
    v1 = profile("respeaker-2mic-v1")
    config = "boot/firmware/config.txt"
    lines = "\n".join(v1.board.config_txt)
    assert boards.boot(plant({}), v1).sentence == "Only a Pi has them."
    assert boards.boot(plant({}), profile("bare")).sentence == "bare header needs none."
    found = boards.boot(plant({MODEL: PI_4, config: "dtparam=spi=on\n#dtparam=i2c_arm=on\n"}), v1)
    assert found.sentence == (
        "/boot/firmware/config.txt lacks: dtparam=i2c_arm=on  dtoverlay=wm8960-soundcard."
    )
    assert found.mend == (
        "printf '%s\\n' 'dtparam=i2c_arm=on' 'dtoverlay=wm8960-soundcard'"
        " | sudo tee -a /boot/firmware/config.txt, then start the Pi anew."
    )
    assert boards.boot(plant({config: lines}), v1).ok
    found = boards.boot(plant({config: f"{lines}\ndtoverlay=hifiberry-dac\n"}), v1)
    assert found.mend == "Take the line dtoverlay=hifiberry-dac out and start again."


def test_which_chip_carries_the_header(plant: Plant) -> None:
    rp1 = "sys/bus/gpio/devices/gpiochip0/of_node/compatible"
    other = "sys/bus/gpio/devices/gpiochip10/of_node/compatible"
    assert boards.header(plant({})).sentence.startswith("No chip of this machine carries a 40-pin")
    machine = plant({MODEL: PI_5, rp1: "raspberrypi,rp1-gpio\0", other: "brcm,brcmstb-gpio\0"})
    assert boards.header_chip(machine) == "gpiochip0"
    found = boards.header(machine, "2.0.1")
    assert (found.ok, found.sentence) == (
        *(False, "The header is on gpiochip0. The installed gpiozero looks for it on gpiochip4."),
    )
    assert found.mend.endswith("sudo ln -s gpiochip0 /dev/gpiochip4")
    assert boards.header(machine, "2.1").ok
    assert boards.header(plant({"dev/gpiochip4": ""}), "2.0.1").ok
    older = plant({MODEL: PI_4, rp1: "brcm,bcm2711-gpio\0"})
    assert boards.header(older).sentence == "The header is on gpiochip0."


def test_a_chip_is_known_by_its_driver_where_no_tree_says_it(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = plant({"dev/gpiochip0": "", "dev/gpiochip1": ""})
    assert boards.header_chip(machine) is None
    labels = iter((b"gpio-mockup", b"pinctrl-bcm2711"))

    def ioctl(_file: object, request: int, told: bytes) -> bytes:
        assert (request, len(told)) == (0x8044B401, 68)
        return b"gpiochipN".ljust(32, b"\0") + next(labels).ljust(32, b"\0") + b"\0\0\0\x36"

    monkeypatch.setattr(boards, "fcntl", SimpleNamespace(ioctl=ioctl))
    assert boards.header_chip(machine) == "gpiochip1"


def test_versions_are_compared_as_numbers() -> None:
    assert boards.parsed("2.0.1") == (2, 0, 1)
    assert boards.parsed("2.0.1.post1") == (2, 0, 1)
    assert boards.parsed("") > boards.parsed("99.9")
    assert boards.installed_version("no-such-package") == ""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Whether the voltage holds cannot be seen."),
        ({"sys/devices/platform/soc/soc:firmware/get_throttled": "0"}, "The voltage has held."),
        (
            {"sys/devices/platform/soc/soc:firmware/get_throttled": "50000"},
            "The voltage was, since the start, too low.",
        ),
        (
            {"sys/devices/platform/soc/soc:firmware/get_throttled": "50005"},
            "The voltage is too low.",
        ),
        (
            {
                "sys/class/hwmon/hwmon0/name": "cpu_thermal",
                "sys/class/hwmon/hwmon1/name": "rpi_volt",
                "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
            },
            "The voltage is too low.",
        ),
    ],
)
def test_the_power_supply(
    plant: Plant, files: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert boards.power(plant({})).sentence == "Only a Pi watches it."
    found = boards.power(plant({MODEL: PI_4, **files}))
    assert found.sentence == said
    assert found.ok is not said.endswith("too low.")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo throttled=0x50000", "The voltage was, since the start, too low."),
        ("echo throttled=0x0", "The voltage has held."),
        ("echo nonsense; exit 1", "Whether the voltage holds cannot be seen."),
    ],
)
def test_the_firmwares_own_tool_knows_the_voltage(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    tool = tmp_path / "bin" / "vcgencmd"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    assert boards.power(plant({MODEL: PI_4})).sentence == said


@pytest.mark.parametrize(
    ("model", "release", "cards", "ok"),
    [
        (PI_4, "6.12.34+rpt-rpi-v8", USB_CARD, False),
        (PI_4, "6.12.34+rpt-rpi-v8", CARDS, True),
        (PI_4, "6.6.51+rpt-rpi-v8", USB_CARD, True),
        ("PC\0", "6.12.1-amd64", USB_CARD, True),
        ("Raspberry Pi 3 Model B Plus Rev 1.3\0", "6.18.39+rpt", "", False),
        (PI_4, "6.18.39+rpt", "", True),
        (PI_4, "6.13", USB_CARD, True),
        (PI_4, "", USB_CARD, True),
    ],
)
def test_kernels_that_are_known(
    plant: Plant, model: str, release: str, cards: str, ok: bool
) -> None:
    machine = plant(
        {MODEL: model, "proc/sys/kernel/osrelease": f"{release}\n", "proc/asound/cards": cards}
    )
    found = kernels.kernel(machine)
    assert found.ok is ok
    assert found.sentence.endswith(".")
    assert ok or "raspberrypi/linux #" in found.sentence


# --- what is plugged in -------------------------------------------------------------------


def test_the_levels_of_the_boards_card(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    said = OK_LEVELS
    monkeypatch.setattr(plugged, "contents", lambda card: asked.append(card) or said)
    v2 = profile("respeaker-2mic-v2")
    assert plugged.levels(plant({}), profile("bare")).sentence == "The settings name no card by id."
    found = plugged.levels(plant({}), v2)
    assert found.sentence == "There is no card with the id seeed2micvoicec (found: none)."
    machine = plant({"proc/asound/cards": CARDS})
    assert plugged.levels(machine, v2).sentence == "Those of seeed2micvoicec are right."
    assert asked == ["seeed2micvoicec"]
    said = OK_LEVELS.replace("118 [100%]", "71 [60%]")
    found = plugged.levels(machine, v2)
    assert "'HP DAC' is not at 100%" in found.sentence
    assert "journalctl" in found.mend
    inmp = plant({"proc/asound/cards": " 0 [sndrpigooglevoi]: x - y\n"})
    assert plugged.levels(inmp, profile("aiy-voice-hat")).sentence == "sndrpigooglevoi needs none."


def phone(plant: Plant) -> Machine:
    at = "sys/class/hidraw/hidraw0/device"
    facts = "HID_ID=0003:00000B0E:00000412\nHID_NAME=GN Netcom A/S Jabra SPEAK 410\n"
    machine = plant({f"{at}/uevent": facts, "dev/hidraw0": ""})
    machine.path(f"{at}/report_descriptor").write_bytes(PHONE)
    return machine


def panel(name: str, **changes: object) -> FittedConfig:
    config = profile(name)
    return structs.replace(config, panel=structs.replace(config.panel, **changes))


def test_a_speakerphone(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, not_wanted = profile("speakerphone").panel, profile("bare").panel
    none = plugged.speakerphone(plant({}), wanted)
    assert (none.ok, none.required, none.sentence) == (False, True, "None is plugged in.")
    assert plugged.speakerphone(plant({}), not_wanted).ok
    machine = phone(plant)
    found = plugged.speakerphone(machine, not_wanted)
    assert found.ok
    assert 'Jabra SPEAK 410 is plugged in; its keys are read with speakerphone = "any".' in (
        found.sentence
    )
    assert plugged.speakerphone(machine, wanted).sentence.endswith("Jabra SPEAK 410 can be used.")
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = plugged.speakerphone(machine, wanted)
    assert found.sentence.endswith("may not be used by this user.")
    assert "/etc/udev/rules.d/70-stagebox-phone.rules" in found.mend
    assert "0b0e" in found.mend
    beside = panel("bare", speakerphone="jabra").panel
    assert not plugged.speakerphone(machine, beside).required


def test_a_pico(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, not_wanted = profile("pico").panel, profile("bare").panel
    none = plugged.pico(plant({}), wanted)
    assert (none.ok, none.required) == (False, True)
    assert "stagebox panel install" in none.mend
    assert plugged.pico(plant({}), not_wanted).ok
    by_path = panel("bare", pico="/dev/ttyACM7").panel
    assert plugged.pico(plant({}), by_path).sentence == "/dev/ttyACM7 is not there."
    assert not plugged.pico(plant({}), by_path).required
    name = "usb-MicroPython_Board_in_FS_mode_e6614c311b7e6f2c-if00"
    machine = plant({f"dev/serial/by-id/{name}": "", "dev/ttyACM7": ""})
    assert "it is used with pico =" in plugged.pico(machine, not_wanted).sentence
    assert plugged.pico(machine, wanted).sentence.endswith(f"{name} can be used.")
    assert plugged.pico(machine, by_path).ok
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(plugged, "group_of", lambda _, usual: usual)
    found = plugged.pico(machine, wanted)
    assert found.mend.startswith("Add this user to the group: sudo usermod -aG dialout $USER")


def test_the_bus_of_the_lamp(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    spi, i2c_lamp = profile("respeaker-2mic-v1").panel, profile("aiy-voice-bonnet").panel
    assert plugged.lamp(plant({}), profile("speaker").panel).sentence == "None on the header."
    assert plugged.lamp(plant({}), profile("pico").panel).sentence == "None on the header."
    assert plugged.lamp(plant({}), profile("bare").panel).sentence == "It is on pins of the header."
    assert plugged.lamp(plant({}), spi).sentence == "Only a Pi has /dev/spidev0.0."
    machine = plant({MODEL: PI_4})
    assert plugged.lamp(machine, spi).mend == (
        "Add the line dtparam=spi=on to /boot/firmware/config.txt and start again."
    )
    assert "dtparam=i2c_arm=on" in plugged.lamp(machine, i2c_lamp).mend
    machine = plant({"dev/spidev0.0": "", "dev/i2c-1": ""})
    assert plugged.lamp(machine, spi).ok
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(plugged, "group_of", lambda _, usual: usual)
    assert "usermod -aG spi" in plugged.lamp(machine, spi).mend
    assert "usermod -aG i2c" in plugged.lamp(machine, i2c_lamp).mend


def test_the_right_to_use_the_cards(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plugged.sound_right(plant({})).ok
    machine = plant({"dev/snd/controlC0": ""})
    assert plugged.sound_right(machine).ok
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = plugged.sound_right(machine)
    assert (found.ok, found.required) == (False, True)
    assert "sudo usermod -aG" in found.mend


def test_the_group_of_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plugged.group_of(tmp_path / "none", "gpio") == "gpio"
    (tmp_path / "node").touch()
    named = SimpleNamespace(gr_name="root")
    monkeypatch.setattr(plugged.grp, "getgrgid", lambda _: named)
    assert plugged.group_of(tmp_path / "node", "audio") == "audio"
    named.gr_name = "plugdev"
    assert plugged.group_of(tmp_path / "node", "audio") == "plugdev"
