"""Speech from one box's microphone to the other's loudspeaker, through real sound devices.

Boxes and hub are processes. PyAudio opens virtual cards of a PulseAudio server; the
test speaks into the room of one and listens at the loudspeaker of the other.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stagebox import measure as m
from tests.support.crew import Hub, free_port, running
from tests.support.hands import FOUND_S, HandBox, is_back
from tests.support.hearing import Ear, listening
from tests.support.pulse import PulseServer, missing, pulse_server
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.sound, pytest.mark.timeout(180)]

LIKENESS = 0.8  # the sound goes through two resamplers and a speech codec
LEVEL_DB = 3.0
LONGEST_GAP_S = 0.1
SPEECH_S = 6.0
LISTEN_S = 4.0
_WHOLE = 0.99
_ATTEMPTS = 4


@pytest.fixture
def server() -> Iterator[PulseServer]:
    if missing():
        why = "apt-get install pulseaudio pulseaudio-utils libasound2-plugins"
        pytest.skip(f"not installed: {', '.join(missing())} ({why})")
    pytest.importorskip("pyaudio")
    with pulse_server() as server:
        for name in ("ana", "ben"):
            server.add_card(name)
        yield server


@pytest.fixture
def crew(server: PulseServer, tmp_path: Path) -> Iterator[tuple[HandBox, HandBox]]:
    """Ana and Ben, each with a card of their own, joined and with sound."""
    hub = Hub(tmp_path, free_port(), extra=("--name", "Hall"))
    with running(hub):
        hub.wait_up()
        boxes = []
        for name in ("Ana", "Ben"):
            card = name.lower()
            # What a box explains at its first start would lie over what is measured, and making
            # its phrases ready takes a core of this computer, which is sound card as well.
            cards = f'microphone = "{card}"\nloudspeaker = "{card}"\n'
            config = f'tutorial = false\n[sound]\nvoice = "off"\n{cards}'
            boxes.append(
                HandBox(tmp_path, name, hub.url, own_sound=True, config=config, env=server.env)
            )
        ana, ben = boxes
        with running(ana, ben):
            for box in (ana, ben):
                is_back(box.wait_started(), "Hall")
                has_devices(box, "ready")
            yield ana, ben


def has_devices(box: HandBox, *states: str) -> None:
    """Wait until microphone and loudspeaker, the box's own card, went through these states."""
    for kind in ("microphone", "loudspeaker"):
        box.wait_for(
            lambda _, kind=kind: [e["state"] for e in box.told("device", kind=kind)] == [*states],
            FOUND_S,
            f"{kind} {states}",
        )
        assert box.told("device", kind=kind)[-1]["label"] == box.name


def hears(said: m.Recording, heard: m.Recording, begin: float, end: float, who: str) -> None:
    """See to it that what was said between two instants was heard, whole and as loud."""
    result = m.compare(said, heard, begin, end)
    gap = m.longest_dropout_s(said, heard, begin, end, result.delay_ms / 1000)
    level = result.heard_dbfs - result.said_dbfs
    print(
        f"{who}: likeness {result.correlation:.4f}, delay {result.delay_ms:.1f} ms"
        f" (worst {result.worst_delay_ms:.1f}), level {level:+.1f} dB, longest gap {gap:.2f} s"
    )
    assert result.correlation > LIKENESS
    assert result.speech_s > (end - begin) / 2
    assert abs(level) < LEVEL_DB
    assert gap <= LONGEST_GAP_S


def original(speech: np.ndarray, room: Ear) -> m.Recording | None:
    """Put what was played into the room on the clock, by where the room's recording has it.

    None: the room did not get it whole. What the sound server itself leaves out on a machine
    that has no time for it says nothing of a box.
    """
    samples = (speech / 32768).astype(np.float32)
    there = room.recording
    lag, likeness = m.best_lag(samples, there.samples)
    if likeness < _WHOLE:
        return None
    return m.Recording(samples, there.start + lag / m.RATE)


def says(
    server: PulseServer, talker: HandBox, listener: HandBox, seed: int
) -> tuple[m.Recording, m.Recording]:
    """Speak into one box's microphone; return what was said, and what the other played."""
    speech = voice(SPEECH_S, seed)
    card, other = (server.cards[box.name] for box in (talker, listener))
    for _attempt in range(_ATTEMPTS):
        presses_talk(talker)
        with listening(server, card.capture_sink) as room, listening(server, other.playback) as ear:
            with server.playing(card.name, speech):
                time.sleep(SPEECH_S + 1.5)
            said, heard = original(speech, room), ear.recording
        talker.press("talk")
        if said is not None:
            return said, heard
    raise AssertionError("the sound server never got a recording into the room whole")


def presses_talk(box: HandBox) -> None:
    """Wait for a free floor, press TALK and wait until sound leaves the box."""
    box.wait_for(lambda _: box.last_state("floor") == "idle_free", FOUND_S, "a free floor")
    before = box.frames()
    box.press("talk")
    box.wait_for(lambda _: box.frames() > before + 5, FOUND_S, "on the air")


def listens(server: PulseServer, what: str) -> None:
    """See to it that Ben's loudspeaker plays what Ana's microphone hears."""
    with (
        listening(server, server.cards["ana"].capture_sink) as room,
        listening(server, server.cards["ben"].playback) as ear,
    ):
        time.sleep(LISTEN_S + 1.5)
        said, heard = room.recording, ear.recording
    begin = max(said.start, heard.start) + 0.1
    hears(said, heard, begin, begin + LISTEN_S, what)


def test_each_box_hears_the_other_through_real_sound_devices(
    server: PulseServer, crew: tuple[HandBox, HandBox]
) -> None:
    for seed, (talker, listener) in enumerate((crew, crew[::-1])):
        said, heard = says(server, talker, listener, seed)
        hears(said, heard, said.start, said.start + SPEECH_S, f"{talker.name} to {listener.name}")


def test_a_card_pulled_out_and_put_back_sounds_again(
    server: PulseServer, crew: tuple[HandBox, HandBox]
) -> None:
    ana, ben = crew
    presses_talk(ana)
    with server.playing("ana", voice(60)):
        server.unplug("ben")
        has_devices(ben, "ready", "lost")
        server.plug("ben")
        has_devices(ben, "ready", "lost", "ready")
        listens(server, "the loudspeaker is back")
    server.unplug("ana")
    has_devices(ana, "ready", "lost")
    ana.wait_for(lambda _: ana.lamp[0] != "red", 5, "off the air")
    ana.press("talk")
    server.plug("ana")
    has_devices(ana, "ready", "lost", "ready")
    presses_talk(ana)
    with server.playing("ana", voice(60)):
        listens(server, "the microphone is back")
    for box in (ana, ben):
        assert box.running
        assert box.states("link") == ["connecting", "up"]
