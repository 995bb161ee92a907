"""Ana talks to Ben, whose loudspeaker stands beside his microphone, in an open space."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.speech import write_wav
from tests.support.crew import Box, Hub, free_port, running
from tests.support.signals import voice

HUB = '[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n'


@dataclass(frozen=True)
class Scene:
    """What fingers do, for how long, what Ben's room answers and how loud it is by itself.

    ``room``: the way from his loudspeaker to his microphone. ``noise``: RMS in int16 steps.
    """

    ana: str
    ben: str
    seconds: float
    room: Callable[[], Pcm]
    noise: float


def played(folder: Path, scene: Scene, duplex: str) -> tuple[Box, Box]:
    """Run a hub, Ana, and Ben whose box has this duplex; return both when they have ended."""
    write_wav(folder / "room.wav", scene.room())
    (folder / "hub.toml").write_text(HUB)
    (folder / "ana.toml").write_text('[sound]\nduplex = "headset"\n')
    (folder / "ben.toml").write_text(f'[sound]\nduplex = "{duplex}"\n')
    hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
    size = round(scene.seconds + 20) * SAMPLE_RATE
    quiet = np.random.default_rng(5).normal(0, scene.noise, size).astype(np.int16)
    with running(hub):
        hub.wait_up()
        ana, ben = (
            Box(
                folder,
                name,
                hub.url,
                script=script,
                mic=mic,
                seconds=scene.seconds,
                wait_joined=30,
                extra=("--config", str(folder / f"{name.lower()}.toml"), *air),
            )
            for name, script, mic, air in (
                ("Ana", scene.ana, voice(scene.seconds, 3), ()),
                ("Ben", scene.ben, quiet, ("--room", str(folder / "room.wav"))),
            )
        )
        with running(ana, ben):
            for box in (ana, ben):
                assert box.wait(scene.seconds + 60) == 0, box.logged()
    return ana, ben
