"""One recording while it runs: what of the tape is written where. Pure.

Nothing of anybody is written before that member agreed, by its own word, to this very
recording. A member's packets go to its own file under that rule alone. The programme has
all voices in it, and two guards more. Its first words are the notice, and nothing that was
said while the notice is heard is in it, so that no voice which was cut off for want of
agreement ends in it. And should a microphone be open without agreement after all, the
programme is left out for as long as that lasts and until the mix has forgotten it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.media.mail import Tape
from hub.recording import journal
from hub.recording.journal import Line
from hub.recording.opusfile import PAGE_SAMPLES, OpusStream
from hub.recording.timeline import Clock, Track
from stagebox.media.frames import SAMPLE_RATE
from stagebox.media.toc import packet_samples
from stagebox.wire.terms import MemberId

PROGRAMME: Final = "programme.opus"
JOURNAL: Final = "journal.jsonl"
# After its last packet a voice is in the mix for its playout's delay and the fade, and in
# the next frame's FEC: half a second on the worst network. The turns of one who is taken
# out are taken out with as much after them.
TAIL_S: Final = 1.0
# A turn's sound may have reached the mix before the member's own file has it so.
LEAD_S: Final = 0.1
_PAGE_S: Final = PAGE_SAMPLES / SAMPLE_RATE
_VENDOR: Final = "Stagebox"


@dataclass(frozen=True, slots=True)
class Append:
    """Add bytes to a file; the first ones make it."""

    file: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a file; it may not be there."""

    file: str


@dataclass(frozen=True, slots=True)
class Remake:
    """Make these ranges of the programme anew from the files of the voices."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Cleanse:
    """Take what a member said and when out of the journal."""

    member: MemberId


Step = Append | Remove | Remake | Cleanse


def voice_file(member: MemberId) -> str:
    """Return the name of a member's own file."""
    return f"{member}.opus"


def around(turns: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return where in the programme such turns may be heard."""
    lead, tail = round(LEAD_S * SAMPLE_RATE), round(TAIL_S * SAMPLE_RATE)
    return tuple((max(0, begin - lead), end + tail) for begin, end in turns)


@dataclass(slots=True)
class Counts:
    """What was not written. ``refused``: packets of members who did not agree."""

    refused: int = 0
    withheld: int = 0


@dataclass(slots=True)
class _File:
    """One file: what belongs into it, and its pages."""

    name: str
    track: Track
    stream: OpusStream
    put_at: float = 0.0

    def write(self, packets: Iterable[bytes], now: float) -> list[Step]:
        """Return what to append for packets."""
        self.put_at = now
        data = self.stream.put(packets)
        return [Append(self.name, data)] if data else []

    def flush(self, *, last: bool = False) -> list[Step]:
        """Return what to append for packets that wait for a full page."""
        data = self.stream.flush(last=last)
        return [Append(self.name, data)] if data else []


@dataclass(slots=True)
class _Voice:
    """A member who agreed; its file is there from its first word on."""

    name: str
    file: _File | None = None
    turns: list[tuple[int, int]] = field(default_factory=list)
    begun: int | None = None


class Take:
    """One recording. Not thread-safe; times are monotonic seconds, moments calendar time."""

    def __init__(
        self,
        opened: journal.Opened,
        notice: Sequence[bytes],
        began_at: float,
        serial: Callable[[], int],
    ) -> None:
        self.opened = opened
        self.counts = Counts()
        self._serial = serial
        self._notice = notice
        self._heard_from = began_at + opened.notice_samples / SAMPLE_RATE
        self._quiet_until = self._heard_from
        self._clock = Clock(began_at, self._heard_from)
        self._programme = _File(PROGRAMME, Track(opened.notice_samples), OpusStream(serial()))
        self._voices: dict[MemberId, _Voice] = {}

    @property
    def position(self) -> int:
        """How many samples of the programme there are."""
        return self._programme.track.end

    def begin(self) -> list[Step]:
        """Begin with the notice."""
        stream = self._programme.stream
        comments = {
            "TITLE": self.opened.title,
            "DATE": self.opened.since,
            "DESCRIPTION": self.opened.notice,
        }
        head = stream.begin(_VENDOR, comments) + stream.put(self._notice) + stream.flush()
        return [_note(self.opened), Append(PROGRAMME, head)]

    def agree(self, member: MemberId, name: str, now: float, at: str) -> list[Step]:
        """Let a member's voice in from now on."""
        if member in self._voices:
            return []
        self._voices[member] = _Voice(name)
        return [_note(journal.Agreed(member, name, self._clock.position(now), at))]

    def withdraw(self, member: MemberId, now: float, at: str) -> list[Step]:
        """Let it in no longer, and take it out of all that was written."""
        voice = self._voices.pop(member, None)
        if voice is None:
            return []
        self._quiet_until = max(self._quiet_until, now + TAIL_S)
        position = self._clock.position(now)
        steps: list[Step] = [_note(journal.Withdrew(member, voice.name, position, at))]
        if voice.file is None:
            return steps
        if voice.begun is not None:
            voice.turns.append((voice.begun, voice.file.track.end))
        steps += self._programme.write(self._programme.track.stop(), now)
        steps += self._programme.flush()
        steps.append(Remove(voice.file.name))
        return [*steps, Remake(around(voice.turns)), Cleanse(member)]

    def tape(self, tape: Tape) -> list[Step]:
        """Take one packet of the space."""
        if tape.member is None:
            return self._heard(tape)
        voice = self._voices.get(tape.member)
        if voice is None:
            self.counts.refused += 1
            self._quiet_until = max(self._quiet_until, tape.at + TAIL_S)
            return []
        if tape.at < self._heard_from:
            self.counts.withheld += 1
            return []
        return self._said(tape.member, voice, tape)

    def say(self, member: MemberId, began: float, ended: float, text: str) -> list[Step]:
        """Keep what a member said in words; of one who is not in it, nothing."""
        if member not in self._voices or began < self._heard_from:
            return []
        begin, end = self._clock.position(began), self._clock.position(ended)
        return [_note(journal.Said(member, begin, max(begin, end), text))]

    def tick(self, now: float) -> list[Step]:
        """Write what waits for nothing any more; to be called some times a second."""
        steps = []
        for file in self._files():
            packets = file.track.tick(now)
            if packets:
                steps += file.write(packets, now)
            if file.stream.waits and now - file.put_at >= _PAGE_S:
                steps += file.flush()
        for member, voice in self._voices.items():
            steps += _turns(member, voice)
        return steps

    def close(self, now: float, why: str, at: str) -> list[Step]:
        """End it."""
        steps = []
        for file in self._files():
            steps += file.write(file.track.stop(), now)
            steps += file.flush(last=True)
        for member, voice in self._voices.items():
            steps += _turns(member, voice)
        return [*steps, _note(journal.Closed(self._programme.stream.granule, at, why))]

    # --- private --------------------------------------------------------------

    def _files(self) -> list[_File]:
        voices = [voice.file for voice in self._voices.values() if voice.file is not None]
        return [self._programme, *voices]

    def _heard(self, tape: Tape) -> list[Step]:
        if tape.at < self._quiet_until:
            self.counts.withheld += 1
            return []
        return self._sound(self._programme, tape)

    def _said(self, member: MemberId, voice: _Voice, tape: Tape) -> list[Step]:
        steps: list[Step] = []
        if voice.file is None:
            voice.file = _File(voice_file(member), Track(), OpusStream(self._serial()))
            comments = {"TITLE": self.opened.title, "ARTIST": voice.name, "DATE": self.opened.since}
            steps.append(Append(voice.file.name, voice.file.stream.begin(_VENDOR, comments)))
        steps += self._sound(voice.file, tape)
        return steps + _turns(member, voice)

    def _sound(self, file: _File, tape: Tape) -> list[Step]:
        pause = self._clock.sounds(tape.at)
        # What was said before its grant comes at once, and puts the programme behind the
        # clock until the next pause: the voices go with it.
        place = max(self._clock.position(tape.at), self._programme.track.end)
        packets = file.track.put(tape.timestamp, tape.payload, tape.marker, tape.at, place)
        steps = file.write(packets, tape.at) if packets else []
        if pause is not None:
            steps.append(_note(journal.Paused(pause.at, pause.seconds)))
        return steps


def samples(packets: Iterable[bytes]) -> int:
    """Return how many samples packets hold together."""
    return sum(map(packet_samples, packets))


def _turns(member: MemberId, voice: _Voice) -> list[Step]:
    """Note what of a member's turn has begun or ended since the last call."""
    track = voice.file.track if voice.file is not None else None
    if track is None or track.burst_from == voice.begun:
        return []
    steps: list[Step] = []
    if voice.begun is not None:
        voice.turns.append((voice.begun, track.burst_to))
        steps.append(_note(journal.Ended(member, track.burst_to)))
    if track.burst_from is not None:
        steps.append(_note(journal.Began(member, track.burst_from)))
    voice.begun = track.burst_from
    return steps


def _note(line: Line) -> Append:
    return Append(JOURNAL, journal.encode(line))
