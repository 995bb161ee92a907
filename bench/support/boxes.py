"""Real boxes on a real hub, with files for sound cards: from mouth to ear, all included.

The simulated cards keep a card's time: a microphone gives a block of 10 ms when its last
sample was captured, a loudspeaker takes one while the one before it sounds. What a real
card adds are its converters and what its driver keeps beyond two periods.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from bench.support.ear import readings
from bench.support.mouth import voice_of
from bench.support.ways import OPEN_SPACE
from stagebox.media.frames import SAMPLE_RATE
from tests.support.crew import START_S, Box, Hub, free_port, running
from tests.support.recordings import recording

_BOX: Final = '[sound]\nduplex = "headset"\n'
# From joining to the press, and from the press to the first word that counts.
_PRESS_S: Final = 1.5
_SETTLE_S: Final = 1.0
_LEAVE_S: Final = 1.0


def mouth_to_ear(talkers: int, seconds: float) -> list[float]:
    """Let so many boxes talk at once; return how late in seconds one that listens heard them.

    Raises:
        RuntimeError: a box did not end as it should; the text is what it said.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hub.toml").write_text(OPEN_SPACE)
        (folder / "box.toml").write_text(_BOX)
        hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
        with ExitStack() as stack:
            stack.enter_context(running(hub))
            hub.wait_up()
            talking = [_talker(folder, hub, number, seconds) for number in range(talkers)]
            listener = _box(folder, hub, "Listener", "", None, seconds)
            stack.enter_context(running(*talking, listener))
            for box in (*talking, listener):
                if box.wait(START_S + seconds + 2 * (_PRESS_S + _LEAVE_S)) != 0:
                    raise RuntimeError(box.logged())
        return [delay for box in talking for delay in _delays(box, listener, seconds)]


def _talker(folder: Path, hub: Hub, number: int, seconds: float) -> Box:
    script = f"{_PRESS_S:g} talk down\n{_PRESS_S + seconds:g} talk up"
    silence = np.zeros(round(_PRESS_S * SAMPLE_RATE), np.int16)
    mic = np.concatenate([silence, voice_of(number, seconds)])
    return _box(folder, hub, f"Talker {number}", script, mic, seconds)


def _box(
    folder: Path,
    hub: Hub,
    name: str,
    script: str,
    mic: "np.ndarray[tuple[int, ...], np.dtype[np.int16]] | None",
    seconds: float,
) -> Box:
    return Box(
        folder,
        name,
        hub.url,
        script=script,
        mic=mic,
        seconds=_PRESS_S + seconds + _LEAVE_S,
        wait_joined=START_S,
        extra=("--config", str(folder / "box.toml")),
    )


def _delays(talker: Box, listener: Box, seconds: float) -> list[float]:
    said = recording(talker.mic, talker, "mic_started")
    played = recording(listener.speaker, listener, "speaker_started")
    begin = said.start + _PRESS_S
    return readings(said, played, begin + _SETTLE_S, begin + seconds)
