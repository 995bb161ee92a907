"""A space that is recorded, in simulated time, and what other people's software makes of it."""

import io
from dataclasses import dataclass, field

import av
import numpy as np

from hub.media.mail import Tape
from hub.recording import journal, notice
from hub.recording.index import Index, made_of
from hub.recording.journal import Line, Opened
from hub.recording.opusfile import length
from hub.recording.remake import remade
from hub.recording.take import (
    JOURNAL,
    PROGRAMME,
    Append,
    Cleanse,
    Remake,
    Remove,
    Step,
    Take,
    samples,
    voice_file,
)
from stagebox.media.frames import SAMPLE_RATE, Pcm
from tests.unit.hub.mix_kit import BEGIN, Room

NOTICE = notice.packets(None)
NOTICE_S = samples(NOTICE) / SAMPLE_RATE
STAMP = "2026-05-01T20:00:00Z"


def opened(title: str = "Kitchen talk") -> Opened:
    return Opened(
        id="20260501-200000-main-abc",
        space="main",
        title=title,
        version=1,
        by="Hanna",
        since=STAMP,
        keep_days=30,
        notice=notice.sentence(title),
        notice_samples=samples(NOTICE),
        chairs=("c" * 32,),
    )


@dataclass
class Folder:
    """Files in memory; does what a deck does on a disk."""

    files: dict[str, bytes] = field(default_factory=dict)

    def do(self, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case Append(file, data):
                    self.files[file] = self.files.get(file, b"") + data
                case Remove(file):
                    self.files.pop(file, None)
                case Remake(ranges):
                    voices = [d for n, d in self.files.items() if n not in {PROGRAMME, JOURNAL}]
                    self.files[PROGRAMME] = b"".join(remade(self.files[PROGRAMME], ranges, voices))
                case Cleanse(member):
                    kept = journal.without(self.lines(), member)
                    self.files[JOURNAL] = b"".join(map(journal.encode, kept))

    def lines(self) -> list[Line]:
        return journal.lines(self.files[JOURNAL])

    def index(self) -> Index:
        return made_of(self.lines(), length(self.files[PROGRAMME]), STAMP)

    def programme(self) -> Pcm:
        return decoded(self.files[PROGRAMME])

    def voice(self, member: str) -> Pcm:
        return decoded(self.files[voice_file(member)])


class Studio:
    """A room whose tape goes into a take; ``now`` is the room's."""

    def __init__(self, *ears: str) -> None:
        self.room = Room(*ears)
        self.folder = Folder()
        self.take = Take(opened(), NOTICE, BEGIN, iter(range(1, 1_000)).__next__)
        self.folder.do(self.take.begin())
        self.room.audio.tape(self.taped)
        self.tapes: list[Tape] = []

    def taped(self, tape: Tape) -> None:
        self.tapes.append(tape)
        self.folder.do(self.take.tape(tape))

    def agree(self, *members: str) -> None:
        for member in members:
            self.folder.do(self.take.agree(member, member.title(), self.room.now, STAMP))

    def withdraw(self, member: str) -> None:
        self.room.audio.close(member)
        self.folder.do(self.take.withdraw(member, self.room.now, STAMP))

    def tick(self) -> None:
        self.folder.do(self.take.tick(self.room.now))

    def pass_time(self, seconds: float) -> None:
        """Let time pass in which nobody sends anything."""
        until = self.room.now + seconds
        while self.room.now < until - 1e-9:
            self.room.wait_until(min(until, self.room.now + 0.1))
            self.room.frame = round((self.room.now - BEGIN) * 50)
            self.tick()

    def close(self) -> Index:
        self.folder.do(self.take.close(self.room.now, "stopped", STAMP))
        return self.folder.index()


def decoded(data: bytes) -> Pcm:
    """Decode a file with FFmpeg, as it plays: with what comes before its first sound left out."""
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    pcm = np.concatenate(frames)
    if pcm.dtype.kind == "f":
        pcm = np.clip(pcm * 32_768, -32_768, 32_767)
    return np.asarray(pcm).astype(np.int16)


def heard_in(said: Pcm, pcm: Pcm, about: int, slack: int = 4_800) -> tuple[float, int]:
    """Return how alike, and how much later, ``said`` is in ``pcm`` near a position."""
    begin = max(0, about - slack)
    part = pcm[begin : about + said.size + slack].astype(float)
    part = np.pad(part, (0, about + said.size + slack - begin - part.size))
    wanted = said.astype(float)
    size = 1 << (part.size + wanted.size).bit_length()
    product = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(wanted, size)), size)
    lags = product[: part.size - wanted.size + 1]
    at = int(np.argmax(lags))
    there = part[at : at + wanted.size]
    norm = float(np.linalg.norm(there) * np.linalg.norm(wanted)) or 1.0
    return float(np.dot(there, wanted)) / norm, begin + at - about


def alike_anywhere(said: Pcm, pcm: Pcm) -> float:
    """Return the highest correlation of any whole second of ``said`` anywhere in ``pcm``.

    Where ``pcm`` is quieter than any speech it counts as if it were not: the noise of a
    codec is no voice.
    """
    sound = np.pad(pcm.astype(float), (0, SAMPLE_RATE))
    energy = np.concatenate(([0.0], np.cumsum(sound**2)))
    windows = energy[SAMPLE_RATE:] - energy[:-SAMPLE_RATE]
    scale = np.sqrt(np.maximum(windows, SAMPLE_RATE * 100.0**2))
    size = 1 << (sound.size + SAMPLE_RATE).bit_length()
    spectrum = np.fft.rfft(sound, size)
    best = 0.0
    for begin in range(0, said.size - SAMPLE_RATE + 1, SAMPLE_RATE):
        piece = said[begin : begin + SAMPLE_RATE].astype(float)
        if np.abs(piece).mean() < 100:
            continue
        product = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)[: scale.size]
        best = max(best, float((np.abs(product) / scale).max() / np.linalg.norm(piece)))
    return best


def heard_together(voices: list[Pcm], pcm: Pcm, about: int) -> float:
    """Return how alike ``pcm`` and the sum of voices are, second by second, in the middle.

    Each voice may be late by a lag of its own, which a mix's playout may change.
    """
    found = []
    for begin in range(0, voices[0].size - SAMPLE_RATE + 1, SAMPLE_RATE):
        total = np.zeros(SAMPLE_RATE)
        for voice in voices:
            piece = voice[begin : begin + SAMPLE_RATE]
            _alike, late = heard_in(piece, pcm, about + begin)
            total += np.roll(piece.astype(float), late)
        there = pcm[about + begin :][:SAMPLE_RATE].astype(float)
        found.append(np.dot(there, total) / (np.linalg.norm(there) * np.linalg.norm(total)))
    return float(np.median(found))
