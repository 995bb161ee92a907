"""A box's recordings, put on the machine's clock."""

from pathlib import Path

import numpy as np

from stagebox import measure as m
from stagebox.speech import read_wav
from tests.support.crew import Box


def recording(path: Path, box: Box, started: str) -> m.Recording:
    """Return a recording that began with the box's event ``started``."""
    samples = (read_wav(path) / 32768).astype(np.float32)
    return m.Recording(samples, float(box.events(started)[0]["t"]))
