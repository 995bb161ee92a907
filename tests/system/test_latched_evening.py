"""An evening for a hand that cannot hold: latch, cough, and what ends them, judged by the tables.

The log is judged as in the other evenings. Here the tones are looked for in the sound itself as
well, as the card's loudspeaker played it: each where the log has it, note by note in its
spectrum. A machine that stutters may take a tap for a press that is held, so what depends on
that is tried again, and judged all the same.
"""

import contextlib
import time
from collections.abc import Iterator

import numpy as np
import pytest

from device.audio.earcons import SCORES, Earcon, Note, render
from device.floor.manner import Manner
from stagebox.wire.causes import RevokeCause
from tests.support.crew import Event, Hub, free_port, running
from tests.support.hands import FOUND_S, HandBox, is_back, talks
from tests.support.hearing import Ear, listening
from tests.support.judge import faults
from tests.support.pulse import PulseServer, missing, pulse_server
from tests.support.traces import RATE, Sound, Trace, trace

pytestmark = [pytest.mark.slow, pytest.mark.sound, pytest.mark.timeout(300)]

SETTINGS = 'name = "Hall"\n[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n'
CONFIG = (
    'tutorial = false\n[gestures]\nlatch = true\n[sound]\nvoice = "off"\n'
    'microphone = "ana"\nloudspeaker = "ana"\n'
)
# A finger that taps; and how long a tap may take to show, how often it is tried.
TAP_S, SEEN_S, TRIES = 0.12, 4.0, 8
# From the order of a tone to its beginning in a loudspeaker: as a rule, and on a loaded machine.
# The first place at which it is found counts, for the same tone may come again.
HEARD_WITHIN_S = (0.3, 1.0, 2.5, 5.0)
# A tone that follows another one cuts it off: nobody is as quick with his finger as a test.
PACE_S = 1.0
# Noise and a codec are not in the way here: what is less like the tone than this is another one.
ALIKE = 0.7
# A note of 60 ms has a peak 17 Hz wide.
PITCH_HZ = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[PulseServer]:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (apt-get install pulseaudio-utils)")
    pytest.importorskip("pyaudio")
    with pulse_server() as server:
        server.add_card("ana")
        yield server


def said(box: HandBox, name: str) -> int:
    return len(box.told("prompt", name=name))


def taps(box: HandBox, state: str, prompt: str | None = None) -> None:
    """Tap TALK until the floor is as wanted, and a new prompt was said."""
    for _ in range(TRIES):
        before = said(box, prompt) if prompt else -1
        box.press("talk")
        time.sleep(TAP_S)
        box.press("talk")
        with contextlib.suppress(AssertionError):
            box.wait_for(
                lambda _, before=before: (
                    box.last_state("floor") == state
                    and (prompt is None or said(box, prompt) > before)
                ),
                SEEN_S,
                state,
            )
            time.sleep(PACE_S)
            return
    raise AssertionError(f"no tap led to {state}\n{box.logged()[-1000:]}")


def is_heard(box: HandBox) -> None:
    before = box.frames()
    box.wait_for(lambda _: box.frames() > before + 20, FOUND_S, "on the air")
    assert box.lamp == ("red", "live")


def coughs(box: HandBox) -> None:
    """Put the finger down while the microphone is latched."""
    box.press("talk")
    box.wait_for(lambda _: box.last_state("floor") == "cough", FOUND_S, "coughs")
    box.wait_for(lambda _: box.lamp == ("amber", "cough"), FOUND_S, "shows it")


def spend(box: HandBox, hub: Hub) -> None:
    """Latch, cough, go on, tap it shut; cough for too long; MUTE; and lose the hub."""
    taps(box, "live", "latched")
    is_heard(box)
    coughs(box)
    time.sleep(0.5)
    frames = box.frames()
    time.sleep(0.5)
    assert box.frames() == frames
    box.press("talk")
    is_heard(box)
    time.sleep(PACE_S)
    taps(box, "idle_free")
    taps(box, "live", "latched")
    coughs(box)
    box.wait_for(lambda _: box.told("prompt", cause=RevokeCause.SILENCE), FOUND_S, "taken back")
    time.sleep(PACE_S)
    box.press("talk")
    box.wait_for(lambda _: box.last_state("floor") == "idle_free", FOUND_S, "free again")
    taps(box, "live", "latched")
    is_heard(box)
    box.press("mute")
    box.wait_for(lambda _: said(box, "muted"), FOUND_S, "muted")
    time.sleep(PACE_S)
    box.press("mute")
    box.wait_for(lambda _: box.last_state("floor") == "idle_free", FOUND_S, "free again")
    talks(box)  # a hold is a hold, on this box as well
    box.press("talk")
    box.wait_for(lambda _: box.last_state("floor") == "idle_free", FOUND_S, "given back")
    hub.stop()
    box.wait_for(lambda _: said(box, "link_lost"), FOUND_S, "misses the hub")
    time.sleep(HEARD_WITHIN_S[-1])  # until the last tone was played


Evening = tuple[list[Event], Sound, float]


@pytest.fixture(scope="module")
def evening(server: PulseServer, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    """The log, what the card played, and when that began."""
    folder = tmp_path_factory.mktemp("latched")
    (folder / "hub.toml").write_text(SETTINGS)
    hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
    with running(hub), listening(server, server.cards["ana"].playback) as ear:
        hub.wait_up()
        box = HandBox(folder, "Ana", hub.url, own_sound=True, config=CONFIG, env=server.env)
        with running(box):
            is_back(box.wait_started(), "Hall")
            spend(box, hub)
            events = box.events()
        return [*events], heard(ear), ear.recording.start


def heard(ear: Ear) -> Sound:
    return Sound.of((ear.recording.samples * 32_767).astype(np.int16))


def test_the_log_is_by_the_tables(evening: Evening) -> None:
    events, _, _ = evening
    assert faults(events, Manner()) == []


def test_the_evening_had_it_all(evening: Evening) -> None:
    events, _, _ = evening
    floors = {each["state"] for each in events if each["event"] == "floor"}
    assert floors >= {"live", "cough", "cut", "idle_free", "offline"}
    acts = {each["act"] for each in events if each["event"] == "gesture"}
    assert acts >= {"latch", "unlatch", "cough", "mute", "unmute", "talk"}
    tones = {each["tone"] for each in events if each["event"] == "prompt"}
    assert tones >= {"permit", "latched", "cough", "revoked", "deny", "link_lost"}


def test_each_tone_is_heard_as_its_table_has_it(evening: Evening) -> None:
    events, sound, start = evening
    told = [each for each in events if each["event"] == "prompt" and each["tone"] is not None]
    assert len(told) >= 12
    for each in told:
        tone = Earcon(each["tone"])
        wanted = Sound.of(render(SCORES[tone]))
        told_at = float(each["t"]) - start
        there = find(wanted, sound, told_at)
        print(f"{each['name']:12} {tone:10} {there.alike:.2f} after {there.at - told_at:.2f} s")
        assert there.alike > ALIKE, each
        assert pitches(tone, sound, there.at) == pytest.approx(
            [note.hz for note in SCORES[tone]], abs=PITCH_HZ
        )


def test_another_tone_is_not_found_where_one_was(evening: Evening) -> None:
    """So the search tells them apart: nothing in this evening sounded like these."""
    _, sound, _ = evening
    for tone in (Earcon.ENDED, Earcon.RECORDING, Earcon.LINK_BACK, Earcon.OFFERED):
        assert trace(Sound.of(render(SCORES[tone])), sound).alike < ALIKE, tone


def find(wanted: Sound, sound: Sound, told_at: float) -> Trace:
    """Return the first place soon after ``told_at`` at which a sound is."""
    begin = max(0.0, told_at - 0.1)
    found = Trace(0.0, begin)
    for within in HEARD_WITHIN_S:
        there = trace(wanted, sound.between(begin, begin + within + wanted.seconds))
        found = Trace(there.alike, begin + there.at)
        if found.alike > ALIKE:
            break
    return found


def pitches(tone: Earcon, sound: Sound, at: float) -> list[float]:
    """Return the loudest frequency in each note of a tone that begins there, in Hz."""
    found = []
    for note in SCORES[tone]:
        found.append(_peak(sound.between(at, at + note.ms / 1000)))
        at += _lasts(note)
    return found


def _peak(note: Sound) -> float:
    size = 1 << 15
    spectrum = np.abs(np.fft.rfft(note.pcm * np.hanning(note.pcm.size), size))
    return float(np.argmax(spectrum)) * RATE / size


def _lasts(note: Note) -> float:
    return (note.ms + note.rest) / 1000
