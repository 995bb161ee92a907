"""What a box says to its own user is in nobody else's loudspeaker and in no recording.

Three boxes that speak, in three voices, stand in rooms where the loudspeaker reaches the
microphone. Two of their users talk all the time, the third is silent, so that nothing covers
what his microphone might let through. For two minutes their fingers press whatever they find, so
that prompts and bursts follow each other in every order, while the hub records. Then every
prompt that was said is looked for in every output but its own box's, by a matched filter.
What that finds by chance is known from prompts that nobody said; and what a microphone lets
through is in another loudspeaker soon after it was said, never before.
"""

import asyncio
import itertools
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import fftconvolve

from bench.support.room import Room
from device.audio.earcons import SCORES, Earcon, Note, frequencies, render
from device.audio.mouth import Mouth
from device.audio.promptpack import SUFFIX
from device.audio.prompts import freely, recordings
from device.audio.speech import phrase
from device.audio.synthesiser import PROGRAM, ask, find
from hub.recording.take import PROGRAMME
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Decoder, Encoder
from stagebox.phrases import Language
from stagebox.speech import read_wav, write_wav
from stagebox.wire.acts import RecordSet
from stagebox.wire.messages import Done
from stagebox.wire.terms import Role
from tests.support.crew import Box, Hub, free_port, running
from tests.support.traces import RATE, Sound, Trace, trace
from tests.support.voices import speaker
from tests.system.test_consent import Witness
from tests.unit.hub.recording_kit import decoded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(420),
    pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"needs {PROGRAM}"),
]

HUB = """
[web]
secure_port = 0

[recording]
min_free_mb = 10

[[space]]
id = "main"
name = "Main"
mode = "fifo"
"""
# Two busy minutes: over a hundred prompts and dozens of bursts.
SECONDS = 120.0
JOIN_S = 40.0
DIRECT = 0.3  # the loudspeaker's way to the microphone: 10 dB weaker than it was played
QUIET_RMS = 8.0  # of a room, about -72 dBFS
# Softer than this, -60 dBFS, a prompt is under the noise of most rooms, as in half duplex.
AUDIBLE_RMS = 4 * QUIET_RMS
# Nor is a leak louder than the loudspeaker played it, whose own way to the microphone takes 10 dB;
# a vowel at a tone's pitch may be.
LOUDEST = 1.6
# The recording begins with the hub's own notice.
NOTICE_S = 9.0
# From the order to a phrase, and to a tone, to its beginning, on a loaded machine.
WORDS_WITHIN_S, TONE_WITHIN_S = 9.0, 4.0
# A machine that others use may stop a loudspeaker's file for longer: a tone of its own is
# looked for as late as this, and a leak may be as late.
LATE_S = 12.0
# A press cuts a phrase off: what there is of one is its beginning, at least.
HEAD_S = 0.8
# A phrase in its own loudspeaker, over what others say; and far less than this is no trace.
CERTAIN, NONE = 0.35, 0.3
# No output is more alike to a prompt than so many times the most alike that nobody said.
CHANCE = 1.6
LANGUAGES = {"Ana": Language.ENGLISH, "Ben": Language.GERMAN, "Cem": Language.ENGLISH}
# So that nobody is taken for somebody else: Ben's and Cem's boxes play recordings in voices
# of their own, Ana's has the synthesiser's usual one.
VOICES = {"Ben": "de+m5", "Cem": "en+f3"}
RECORDED = (
    *("say.space_joined.part1", "say.recorded", "say.consent", "say.agreed", "say.recording_off"),
    *("say.queued.part1", "number.1", "number.2", "number.3", "say.next", "say.offered"),
    *("say.turn_passed", "say.muted", "say.no_answer", "say.listener", "say.speaker"),
    *("cancel.by_self", "cancel.offer_expired", "revoke.silence", "deny.retry_after"),
    *("say.link_lost", "say.link_back", "say.no_space", "say.no_microphone", "revoke.lost"),
)
# Phrases of situations that do not arise here, in every voice.
NEVER_SAID = (
    *("error.disk_full", "error.bad_invite", "error.cohost_limit", "error.replaced"),
    *("error.version", "error.locked", "news.cancelled.part2", "say.next_given.part2"),
)
# Tones beside each tone, up to a third above and below: as many as lie best between all tones.
TRANSPOSED = tuple(1.25 ** (step / 20) for step in range(-20, 21))
DECOYS = 12


def fingers(seed: int) -> str:
    """Agree to the recording, then ask, talk, raise hands and mute in any order."""
    dice = random.Random(seed)
    at, lines = 8.5 + dice.uniform(0, 1), [f"{4.0 + seed} hand tap"]
    while at < SECONDS - 6:
        act = dice.choices(("talk", "tap", "hand", "mute"), (6, 1, 2, 1))[0]
        held = dice.uniform(1.0, 2.5)
        match act:
            case "talk":  # a tap asks, and a hold takes what was offered meanwhile
                lines += [f"{at} talk tap", f"{at + 0.9} talk down", f"{at + 0.9 + held} talk up"]
                at += 0.9
            case "mute":
                lines += [f"{at} mute on", f"{at + held} mute off"]
            case _:
                lines.append(f"{at} {act.replace('tap', 'talk')} tap")
        at += held + dice.uniform(0.2, 2.0)
    return "\n".join(lines)


def echo_path() -> Pcm:
    path = Room().echo_path()
    return np.rint(path * (DIRECT / np.abs(path).max()) * 32_767).astype(np.int16)


class Voices:
    """The voices of the three boxes, and what each has said so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[tuple[str, str], Pcm] = {}

    async def record(self) -> None:
        """Make the recordings."""
        program = find()
        assert program is not None
        for name, voice in VOICES.items():
            other = self.folder / f"voice-of-{name}"
            other.write_text(f'#!/bin/sh\nshift 2\nexec {program} -v {voice} "$@"\n')
            other.chmod(0o755)
            (self.folder / f"pack-{name}").mkdir()
            words = recordings(LANGUAGES[name])
            for key in (*RECORDED, *NEVER_SAID):
                wav = await ask(str(other), LANGUAGES[name], words[key])
                write_wav(self.file(name, key), phrase(wav))

    def file(self, name: str, key: str) -> Path:
        return self.folder / f"pack-{name}" / (key + SUFFIX)

    async def said(self, words: str, name: str) -> Pcm:
        """Return how a box says this: by the longest recording in it, where there is one."""
        if (words, name) not in self._made:
            pcm = self._recorded(words, name)
            if pcm is None:
                pcm = await Mouth().make(freely(words, LANGUAGES[name]))
            assert pcm is not None
            self._made[words, name] = pcm
        return self._made[words, name]

    def _recorded(self, words: str, name: str) -> Pcm | None:
        known = recordings(LANGUAGES[name]).items()
        parts = [key for key, text in known if text in words and self.file(name, key).exists()]
        longest = max(parts, key=lambda key: self.file(name, key).stat().st_size, default=None)
        return None if longest is None else read_wav(self.file(name, longest))


def make_box(folder: Path, hub: Hub, name: str, number: int, mic: Pcm) -> Box:
    settings = f'tutorial = false\n[sound]\nvoice = "on"\nlanguage = "{LANGUAGES[name]}"\n'
    if name in VOICES:
        settings += f'prompts = "{folder / f"pack-{name}"}"\n'
    (folder / f"{name}.toml").write_text(settings)
    return Box(
        folder,
        name,
        hub.url,
        script=fingers(number),
        mic=mic,
        seconds=2 * JOIN_S + SECONDS,
        wait_joined=JOIN_S,
        extra=("--config", str(folder / f"{name}.toml"), "--room", str(folder / "room.wav")),
    )


async def play(folder: Path) -> tuple[dict[str, Box], dict[str, Pcm]]:
    """Let them press; return the boxes, and what the hub recorded: the mix and each voice."""
    write_wav(folder / "room.wav", echo_path())
    (folder / "hub.toml").write_text(HUB)
    hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
    size = round((2 * JOIN_S + SECONDS) * SAMPLE_RATE)
    quiet = np.random.default_rng(5).normal(0, QUIET_RMS, size).astype(np.int16)
    mics = {
        "Ana": speaker(0, size / SAMPLE_RATE),
        "Ben": quiet,
        "Cem": speaker(1, size / SAMPLE_RATE),
    }
    host = Witness("Studio", number=90, role=Role.STUDIO)
    with running(hub):
        await asyncio.to_thread(hub.wait_up)
        await host.come(hub)
        assert isinstance(await host.ask(RecordSet(req="on", on=True)), Done)
        boxes = {
            name: make_box(folder, hub, name, number, mic)
            for number, (name, mic) in enumerate(mics.items())
        }
        with running(*boxes.values()):
            for box in boxes.values():
                await asyncio.to_thread(box.wait_for, has_sound, 2 * JOIN_S, "has sound")
            await asyncio.sleep(SECONDS + 2.0)  # what was said last is written within a second
        await host.leave()
    files = sorted((folder / "hub" / "recordings").glob("*/*.opus"))
    return boxes, {f"recording/{path.stem}": decoded(path.read_bytes()) for path in files}


def has_sound(box: Box) -> bool:
    return bool(box.events("speaker_started"))


@dataclass(frozen=True)
class Prompt:
    """Something that a box said: what, in whose voice, when, and how it sounds at 48 kHz."""

    what: str
    at: float  # second of its own box's loudspeaker at which it was ordered
    pcm: Pcm

    @cached_property
    def sound(self) -> Sound:
        return Sound.of(self.pcm)

    @property
    def is_tone(self) -> bool:
        return self.what in set(Earcon)

    @property
    def kind(self) -> str:
        """The tone itself, or whose voice it is."""
        return self.what.partition(":")[0]

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(self.pcm.astype(float) ** 2)))

    @property
    def head(self) -> Sound:
        return self.sound.between(0, HEAD_S)

    def found_in(self, own: Sound) -> Trace:
        """Return its beginning in its own box's loudspeaker; ``at``: where that is."""
        begin = max(0.0, self.at - 0.1)
        within = TONE_WITHIN_S if self.is_tone else WORDS_WITHIN_S
        there = trace(self.head, own.between(begin, begin + within + self.head.seconds))
        return Trace(there.alike, begin + there.at)

    def place_in(self, own: Sound) -> tuple[float, float]:
        """Return from when to when this is most likely heard in its own box's loudspeaker."""
        begin = max(0.0, self.at - 0.1)
        there = trace(self.sound, own.between(begin, begin + LATE_S + self.sound.seconds))
        return begin + there.at - 0.2, begin + there.at + self.sound.seconds + 0.2


@dataclass(frozen=True)
class Evening:
    """Everything that was said, and everything that could be heard."""

    boxes: dict[str, Box]
    outputs: dict[str, Sound]
    said: dict[str, list[Prompt]]
    never: dict[str, list[Sound]]  # what nobody said: by voice, and by the tone that is near
    _limits: dict[tuple[str, str], float] = field(default_factory=dict)
    _without: dict[tuple[str, str], Sound] = field(default_factory=dict)

    def output(self, name: str, prompt: Prompt) -> Sound:
        """Return an output in which a prompt must not be.

        All boxes have the same tones: the times at which a box sounded one like this by itself
        are left out. Their voices differ.
        """
        key = name, prompt.kind if prompt.is_tone else ""
        if key not in self._without:
            self._without[key] = self._without_own(name, prompt)
        return self._without[key]

    def _without_own(self, name: str, prompt: Prompt) -> Sound:
        if not prompt.is_tone:
            return self.outputs[name]
        near = [
            own
            for own in self.said.get(name, [])
            if own.is_tone and are_near(Earcon(own.what), Earcon(prompt.what))
        ]
        return self.outputs[name].without(
            [(own.at - 0.1, own.at + TONE_WITHIN_S + own.sound.seconds) for own in near]
            + [own.place_in(self.outputs[name]) for own in near]
        )

    def after(self, name: str, prompt: Prompt, sound: Sound) -> Sound:
        """Return an output with silence wherever no other box had just said the prompt.

        A recording has no clock in common with the boxes: it is left whole.
        """
        if name not in self.boxes:
            return sound
        begins = sorted(
            each.at + self.started(other) - self.started(name)
            for other, prompts in self.said.items()
            for each in prompts
            if other != name and each.what == prompt.what
        )
        gaps, end = [], 0.0
        for begin in begins:
            gaps.append((end, max(end, begin - 0.1)))
            end = begin + LATE_S + prompt.sound.seconds
        return sound.without([*gaps, (end, sound.seconds)])

    def started(self, name: str) -> float:
        """Return when a box's loudspeaker began, on the clock that all boxes share."""
        return float(self.boxes[name].events("speaker_started")[0]["t"])

    def limit(self, name: str, prompt: Prompt) -> float:
        """Return how alike an output may be to a prompt, by chance."""
        if (name, prompt.kind) not in self._limits:
            output = self.output(name, prompt)
            most = max(trace(sound, output).alike for sound in self.never[prompt.kind])
            self._limits[name, prompt.kind] = max(NONE, CHANCE * most)
        return self._limits[name, prompt.kind]

    def others(self, output: str) -> dict[str, Prompt]:
        """Return what was said and must not be in this output, each once."""
        return {
            prompt.what: prompt
            for name, prompts in self.said.items()
            for prompt in prompts
            if name != output
        }


async def prompts_of(box: Box, name: str, voices: Voices) -> list[Prompt]:
    """Return everything that a box said."""
    started = float(box.events("speaker_started")[0]["t"])
    found = []
    for event in box.events("prompt"):
        at = float(event["t"]) - started
        if event["tone"] is not None:
            earcon = Earcon(event["tone"])
            found.append(Prompt(earcon, at, render(SCORES[earcon])))
        if event["said"]:
            pcm = await voices.said(str(event["said"]), name)
            found.append(Prompt(f"{name}: {event['said']}", at, pcm))
    return found


async def never_said(voices: Voices) -> dict[str, list[Sound]]:
    """Return phrases in each voice, and tones beside each tone, that nobody said."""
    found: dict[str, list[Sound]] = {}
    for name, language in LANGUAGES.items():
        words = recordings(language)
        sounds = [Sound.of(await voices.said(words[key], name)) for key in NEVER_SAID]
        found[name] = [*sounds, *(sound.between(0, HEAD_S) for sound in sounds)]
    found |= {earcon: [Sound.of(render(score)) for score in beside(earcon)] for earcon in Earcon}
    return found


def beside(earcon: Earcon) -> list[tuple[Note, ...]]:
    """Return this tone at other pitches, as far as can be from those of any tone."""
    taken = [hz for each in Earcon for hz in frequencies(each)]
    scores = [
        tuple(Note(note.hz * up, note.ms, note.rest) for note in SCORES[earcon])
        for up in TRANSPOSED
    ]

    def clear(score: tuple[Note, ...]) -> float:
        return min(abs(note.hz / hz - 1) for note in score for hz in taken)

    return sorted(scores, key=clear)[-DECOYS:]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    return asyncio.run(lived(tmp_path_factory.mktemp("evening")))


async def lived(folder: Path) -> Evening:
    voices = Voices(folder)
    await voices.record()
    boxes, recorded = await play(folder)
    outputs = {name: Sound.of(read_wav(box.speaker)) for name, box in boxes.items()}
    for name, pcm in recorded.items():
        begin = round(NOTICE_S * SAMPLE_RATE) if name.endswith(Path(PROGRAMME).stem) else 0
        outputs[name] = Sound.of(pcm[begin:])
    said = {name: await prompts_of(box, name, voices) for name, box in boxes.items()}
    return Evening(boxes, outputs, said, await never_said(voices))


def heard(prompt: Prompt, output: Sound) -> Trace:
    """Return what an output has of a prompt, or of its beginning."""
    return max(
        (trace(sound, output) for sound in (prompt.sound, prompt.head)),
        key=lambda each: each.alike,
    )


def are_near(one: Earcon, other: Earcon) -> bool:
    """Whether two tones have a pitch in common, within a semitone."""
    pairs = itertools.product(frequencies(one), frequencies(other))
    return any(abs(a / b - 1) < 0.06 for a, b in pairs)


def test_there_was_a_busy_evening(evening: Evening) -> None:
    for said in evening.said.values():
        assert {"queued", "offered"} <= {prompt.what for prompt in said}
        assert len({prompt.what for prompt in said if not prompt.is_tone}) >= 5
    assert sum(map(len, evening.said.values())) >= 120
    sent = [len(box.events("frame_sent")) for box in evening.boxes.values()]
    assert sum(each > 0 for each in sent) >= 2
    assert sum(sent) >= 50
    # The mix, and each voice on its own.
    assert len([output for output in evening.outputs if output.startswith("recording/")]) == 4


def test_what_a_box_says_is_found_in_its_own_loudspeaker(evening: Evening) -> None:
    """So the search can find. Some phrases are cut off by a press before their first word."""
    for name, prompts in evening.said.items():
        own = evening.outputs[name]
        alike = {p.what: 0.0 for p in prompts}
        for prompt in prompts:
            alike[prompt.what] = max(alike[prompt.what], prompt.found_in(own).alike)
        print(name, {what: round(value, 2) for what, value in alike.items()})
        found = {what for what, value in alike.items() if value > CERTAIN}
        assert "queued" in found
        assert len({what for what in found if what.startswith(name)}) >= 3


def test_what_a_box_says_is_nowhere_else(evening: Evening) -> None:
    found = search(evening, evening.after)
    assert [each for each in found if each[2]] == []


def test_what_a_room_lets_through_would_be_found(evening: Evening) -> None:
    """As the microphone beside a loudspeaker hears a prompt, and the codec sends it, in a pause.

    Where there is no pause speech may cover it, but never in all outputs.
    """
    found = search(evening, lambda _name, prompt, sound: leaked(prompt, sound))
    for what in {what for _, what, _ in found}:
        assert sum(each[2] for each in found if each[1] == what) >= 2, what


def search(
    evening: Evening, as_heard: Callable[[str, Prompt, Sound], Sound]
) -> list[tuple[str, str, bool]]:
    """Look in each output for each prompt of others; return output, prompt, whether it is there."""
    found = []
    for name in evening.outputs:
        for what, prompt in evening.others(name).items():
            sound = evening.output(name, prompt)
            limit = evening.limit(name, prompt)
            there = heard(prompt, as_heard(name, prompt, sound))
            is_there = (
                there.alike > limit
                and there.level * prompt.rms > AUDIBLE_RMS
                and there.level < LOUDEST
            )
            found.append((name, what, is_there))
            print(
                f"{name[:16]:16} {what:56} {there.alike:.2f} (chance {limit:.2f}),"
                f" {20 * np.log10(max(there.level, 1e-9)):5.0f} dB{' FOUND' * is_there}"
            )
    return found


def leaked(prompt: Prompt, into: Sound) -> Sound:
    """Return a stretch of a recording, with what a room lets through of a prompt added."""
    path = echo_path() / 32_767
    through = codec(fftconvolve(prompt.pcm, path)[: prompt.pcm.size])
    leak = Sound.of(through).pcm
    energy = into.energy[leak.size :] - into.energy[: -leak.size]
    begin = int(np.argmin(energy))
    around = np.pad(into.pcm, RATE)[begin : begin + leak.size + 2 * RATE]  # a second on each side
    around[RATE : RATE + leak.size] += leak
    return Sound(around)


def codec(pcm: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Pcm:
    encoder, decoder = Encoder(), Decoder()
    frames = np.pad(pcm, (0, -pcm.size % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    return np.concatenate([decoder.decode(encoder.encode(f.astype(np.int16))) for f in frames])
