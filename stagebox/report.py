"""The demo's report: who heard whom, measured from recordings and events files."""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any, Final

import numpy as np

from stagebox import measure as m
from stagebox.speech import read_wav

# Speech through a speech codec keeps its waveform: below this it is not the same speech.
HEARD_CORRELATION: Final = 0.9
_CONCEALED: Final = frozenset({"fec", "plc"})
# A burst begins with the key and ends with the hang time; words lie well inside.
_EDGE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Box:
    """A simulated box and the files it reads and writes."""

    name: str
    mic: Path
    heard: Path
    script: Path
    events: Path
    state: Path

    @property
    def key(self) -> str:
        """The name as a file name."""
        return self.name.lower()

    @classmethod
    def in_folder(cls, folder: Path, name: str) -> "Box":
        """Return the box whose files have their usual names in ``folder``."""
        key = name.lower()
        return cls(
            name=name,
            mic=folder / f"{key}-said.wav",
            heard=folder / f"{key}-heard.wav",
            script=folder / f"{key}.script",
            events=folder / f"{key}.jsonl",
            state=folder / f"{key}-state",
        )


@dataclass(frozen=True, slots=True)
class Row:
    """How one box heard another."""

    talker: str
    listener: str
    speech_s: float
    correlation: float
    delay_ms: float
    worst_delay_ms: float
    level_db: float
    frames: int
    concealed: int

    @property
    def passed(self) -> bool:
        """Whether this counts as heard."""
        return self.speech_s > 0 and self.correlation >= HEARD_CORRELATION


@dataclass(frozen=True, slots=True)
class Report:
    """All rows, as text for people and as JSON for tools."""

    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Whether somebody spoke and everybody else heard it."""
        return bool(self.rows) and all(row.passed for row in self.rows)

    def text(self) -> str:
        """Return the table."""
        head = (
            "\ntalker  heard by  speech   likeness  delay median / worst"
            "    level      frames concealed"
        )
        lines = [head]
        lines += [
            f"{row.talker:<7} {row.listener:<8} {row.speech_s:5.2f} s   {row.correlation:8.3f}"
            f"  {row.delay_ms:6.1f} / {row.worst_delay_ms:6.1f} ms"
            f"  {row.level_db:+6.1f} dB  {row.frames:6d} {row.concealed:9d}"
            f"   {'heard' if row.passed else 'NOT HEARD'}"
            for row in self.rows
        ]
        if not self.rows:
            lines.append("Nobody spoke.")
        return "\n".join(lines)

    def json(self) -> str:
        """Return the rows as JSON text."""
        rows = [asdict(row) | {"passed": row.passed} for row in self.rows]
        return json.dumps({"passed": self.passed, "rows": rows}, indent=2)


def measure(boxes: list[Box], out: Path) -> Report:
    """Measure every pair of boxes and write ``report.json`` to ``out``."""
    logs = {box.name: read_events(box.events) for box in boxes}
    bursts = {box.name: live_times(logs[box.name]) for box in boxes}
    rows = tuple(
        _row(talker, listener, logs, bursts[talker.name])
        for talker, listener in permutations(boxes, 2)
        if bursts[talker.name]
    )
    report = Report(rows)
    (out / "report.json").write_text(report.json())
    return report


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return the lines of an events file; a line cut short by a kill is left out."""
    events = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


def live_times(events: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Return when the box's frames left it, as (first, last) of each run of frames."""
    sent = [event["t"] for event in events if event["event"] == "frame_sent"]
    if not sent:
        return []
    starts = [sent[0], *(b for a, b in pairwise(sent) if b - a > 0.2)]
    ends = [*(a for a, b in pairwise(sent) if b - a > 0.2), sent[-1]]
    return list(zip(starts, ends, strict=True))


def _row(
    talker: Box,
    listener: Box,
    logs: dict[str, list[dict[str, Any]]],
    bursts: list[tuple[float, float]],
) -> Row:
    said = _recording(talker.mic, logs[talker.name], "mic_started")
    heard = _recording(listener.heard, logs[listener.name], "speaker_started")
    results = [m.compare(said, heard, begin - _EDGE_S, end) for begin, end in bursts]
    windows = tuple(window for result in results for window in result.windows)
    levels = [result.heard_dbfs - result.said_dbfs for result in results if result.windows]
    total = m.Heard(windows, 0.0, 0.0)
    kinds = [
        event["kind"]
        for event in logs[listener.name]
        if event["event"] == "frame_played" and any(a <= event["t"] <= b for a, b in bursts)
    ]
    return Row(
        talker=talker.name,
        listener=listener.name,
        speech_s=total.speech_s,
        correlation=round(total.correlation, 4),
        delay_ms=round(total.delay_ms, 1),
        worst_delay_ms=round(total.worst_delay_ms, 1),
        level_db=round(float(np.median(levels)), 1) if levels else 0.0,
        frames=len(kinds),
        concealed=sum(kind in _CONCEALED for kind in kinds),
    )


def _recording(path: Path, events: list[dict[str, Any]], started: str) -> m.Recording:
    start = next((event["t"] for event in events if event["event"] == started), 0.0)
    samples = read_wav(path).astype(np.float32) / np.float32(32768)
    return m.Recording(samples.astype(np.float32), start)
