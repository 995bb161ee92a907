"""Which hardware a box uses: what is wired to it, or files and keys for the simulator."""

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.audio.canceller import BoxCanceller
from device.audio.cards import Direction
from device.audio.echo import (
    ClearMicrophone,
    EchoCanceller,
    EchoMissingError,
    KnownLoudspeaker,
    WebrtcCanceller,
)
from device.audio.mixer import Mixer
from device.audio.portaudio import PortAudioLoudspeaker, PortAudioMicrophone, list_devices
from device.audio.ports import Loudspeaker, Microphone, SoundError
from device.audio.room import Air, RoomLoudspeaker, RoomMicrophone
from device.audio.wav import NullLoudspeaker, NullMicrophone, WavLoudspeaker, WavMicrophone
from device.buttons.gpio import GpioPanel
from device.buttons.ports import Panel, PanelError
from device.buttons.script import ScriptError, ScriptPanel
from device.buttons.several import joined
from device.buttons.speakerphone import Speakerphone
from device.buttons.terminal import TerminalPanel
from device.buttons.usbpanel import OnTrouble, UsbPanel
from device.config import BoxConfig, Duplex, PanelConfig
from device.simulator.panel import PagePanel
from device.wiring import wiring
from stagebox.wire.terms import Role

MakeMicrophone = Callable[[], Microphone]
MakeLoudspeaker = Callable[[], Loudspeaker]

_MAX_SCRIPT: Final = 1024 * 1024
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What ``--simulate`` was given; what was left out is the computer's own, or nothing."""

    mic: Path | None
    speaker: Path | None
    script: Path | None
    air: Air | None = None
    page: PagePanel | None = None

    @property
    def has_terminal(self) -> bool:
        """Whether a person works the buttons."""
        return self.script is None and sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Sound:
    """What makes the two devices; whether the one may play while the other is heard.

    ``lacks``: why it may not although that was asked for, and the remedy.
    """

    microphone: MakeMicrophone
    loudspeaker: MakeLoudspeaker
    full_duplex: bool
    lacks: str = ""


def sound(
    config: BoxConfig, simulation: Simulation | None, tell: Callable[[str], None] = _log.warning
) -> Sound:
    """Return the box's sound: full duplex where it was asked for and can be.

    ``tell`` hears, in the devices' threads, which levels a card would not take.
    """
    mixer = Mixer(config.sound.mixer, tell)
    mic, speaker = microphone(config, simulation, mixer), loudspeaker(config, simulation, mixer)
    if config.sound.duplex is not Duplex.FULL or config.role is Role.SPEAKER:
        return Sound(mic, speaker, full_duplex=config.sound.duplex is not Duplex.HALF)
    try:
        canceller = _canceller(config, simulation)
    except EchoMissingError as error:
        return Sound(mic, speaker, full_duplex=False, lacks=str(error))
    return Sound(
        lambda: ClearMicrophone(mic(), canceller),
        lambda: KnownLoudspeaker(speaker(), canceller),
        full_duplex=True,
    )


def _canceller(config: BoxConfig, simulation: Simulation | None) -> EchoCanceller:
    """Return the better canceller where both devices surely have one clock."""
    names = config.sound.microphone, config.sound.loudspeaker
    one_card = bool(names[0]) and names[0] == names[1]
    one_clock = simulation.air is not None if simulation is not None else one_card
    return BoxCanceller(WebrtcCanceller()) if one_clock else WebrtcCanceller()


def microphone(config: BoxConfig, simulation: Simulation | None, mixer: Mixer) -> MakeMicrophone:
    """Return what makes the box's microphone."""
    if simulation is not None and simulation.mic is not None:
        path, air = simulation.mic, simulation.air
        return lambda: WavMicrophone(path) if air is None else RoomMicrophone(path, air)
    if simulation is not None and not _has_own(Direction.INPUT):
        return NullMicrophone
    return lambda: PortAudioMicrophone(config.sound.microphone, on_open=mixer.set)


def loudspeaker(config: BoxConfig, simulation: Simulation | None, mixer: Mixer) -> MakeLoudspeaker:
    """Return what makes the box's loudspeaker."""
    if simulation is not None and simulation.speaker is not None:
        path, air = simulation.speaker, simulation.air
        return lambda: WavLoudspeaker(path) if air is None else RoomLoudspeaker(path, air)
    if simulation is not None and not _has_own(Direction.OUTPUT):
        return NullLoudspeaker
    return lambda: PortAudioLoudspeaker(config.sound.loudspeaker, on_open=mixer.set)


def panel(
    config: BoxConfig,
    simulation: Simulation | None,
    on_quit: Callable[[], None],
    on_trouble: OnTrouble | None = None,
) -> Panel:
    """Return the box's panel; ``on_trouble`` is told how one on a cable does.

    Raises:
        PanelError: the script cannot be read or is wrong.
    """
    if simulation is None:
        return joined(_fitted(config.panel, on_trouble))
    own = _by_hand(simulation, on_quit)
    return joined((own,) if simulation.page is None else (own, simulation.page))


def _fitted(config: PanelConfig, on_trouble: OnTrouble | None) -> Iterator[Panel]:
    """Yield every panel that the settings name."""
    if config.kind == "gpio":
        yield GpioPanel(wiring(config))
    if config.speakerphone:
        yield Speakerphone(config.speakerphone)
    if config.pico:
        yield UsbPanel(config.pico, on_trouble)


def _by_hand(simulation: Simulation, on_quit: Callable[[], None]) -> Panel:
    """Return the panel that is a terminal or a script.

    Raises:
        PanelError: the script cannot be read or is wrong.
    """
    if simulation.has_terminal:
        return TerminalPanel(on_quit=on_quit)
    if simulation.script is None:
        return ScriptPanel()
    try:
        with simulation.script.open(encoding="utf-8") as file:
            text = file.read(_MAX_SCRIPT + 1)
        if len(text) <= _MAX_SCRIPT:
            return ScriptPanel(text)
        why = "it is too large to be one"
    except OSError as error:
        why = (error.strerror or "unknown error").lower()
    except UnicodeDecodeError:
        why = "it is not UTF-8 text"
    except ScriptError as error:
        raise PanelError(f"{simulation.script}: {error}") from None
    raise PanelError(f"The script {simulation.script} cannot be read: {why}.")


def _has_own(direction: Direction) -> bool:
    """Whether this computer has a sound device of its own for the simulator to use."""
    try:
        return any(device.channels(direction) > 0 for device in list_devices())
    except SoundError:
        return False
