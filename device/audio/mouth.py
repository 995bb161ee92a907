"""Makes samples of what is to be said: from recordings where there are some, else espeak-ng.

Each thing that is wrong is told once in the log, and what remains goes on: a phrase that a
prompt pack lacks is the synthesiser's, and what neither has stays a tone.
"""

import asyncio
import logging
from typing import Final

from numpy import float64
from numpy.typing import NDArray

from device.audio import synthesiser
from device.audio.promptpack import Pack, PackError
from device.audio.prompts import Part, Utterance, parts
from device.audio.speech import Kept, Sound, SpeechFormatError, converted, cut, joined, read
from stagebox.media.frames import Pcm
from stagebox.phrases import Language, pronounced

# After so many failures in a row the synthesiser is not asked again.
MAX_FAILURES: Final = 3

_Pieces = list[NDArray[float64]]
_log = logging.getLogger(__name__)


class Mouth:
    """Has the voices of one box. Nothing here keeps the event loop for longer than a piece."""

    def __init__(self, pack: Pack | None = None, program: str | None = None) -> None:
        """``program``: the synthesiser, by default the one that is installed."""
        self._pack = pack
        self._program = program or synthesiser.find()
        self._kept = Kept()
        self._failures = 0
        if self._program is None:
            how = "in tones" if pack is None else "what is recorded, the rest in tones"
            _log.warning("no voice: %s. The box speaks %s.", synthesiser.REMEDY, how)

    @property
    def can_speak(self) -> bool:
        """Whether there is any voice."""
        return self._program is not None or self._pack is not None

    def known(self, utterance: Utterance) -> Pcm | None:
        """Return what was made before."""
        return self._kept.get(utterance)

    async def make(self, utterance: Utterance, nice: int = 0) -> Pcm | None:
        """Return how it sounds, 48 kHz; None where nobody can say it."""
        said = await self._recorded(utterance, nice)
        if said is None:
            whole = await self._spoken(utterance.words, utterance.language, nice)
            said = None if whole is None else [whole]
        if said is None:
            return None
        pcm = joined(said)
        self._kept.put(utterance, pcm)
        return pcm

    async def _recorded(self, utterance: Utterance, nice: int) -> list[_Pieces] | None:
        pack = self._pack
        if pack is None:
            return None
        wanted = parts(utterance)
        if not any(part.file in pack for part in wanted if not part.is_fact):
            return None
        said = [await self._part(pack, part, utterance.language, nice) for part in wanted]
        there = [each for each in said if each is not None]
        return there if len(there) == len(said) else None

    async def _part(self, pack: Pack, part: Part, language: Language, nice: int) -> _Pieces | None:
        pieces = await self._loaded(pack, part.file)
        if pieces is None and part.is_fact:
            pieces = await self._spoken(part.words, language, nice)
        return pieces if pieces is not None else await self._loaded(pack, part.stand_in)

    async def _loaded(self, pack: Pack, name: str | None) -> _Pieces | None:
        if name is None or name not in pack:
            return None
        try:
            return await _in_pieces(pack.load(name))
        except PackError as error:
            other = "nobody" if self._program is None else synthesiser.PROGRAM
            _log.warning("prompts: %s Until then %s says it.", error, other)
            return None

    async def _spoken(self, words: str, language: Language, nice: int) -> _Pieces | None:
        if self._program is None:
            return None
        try:
            answer = await synthesiser.ask(
                self._program, language, pronounced(words, language), nice
            )
            pieces = await _in_pieces(cut(read(answer)))
        except (OSError, TimeoutError, SpeechFormatError) as error:
            self._fail(str(error) or "it does not answer")
            return None
        self._failures = 0
        return pieces

    def _fail(self, why: str) -> None:
        self._failures += 1
        if self._failures == MAX_FAILURES:
            self._program = None
            _log.warning("no voice: %s: %s. The box speaks in tones.", synthesiser.PROGRAM, why)


async def _in_pieces(sound: Sound) -> _Pieces:
    pieces: _Pieces = []
    for piece in converted(sound):
        pieces.append(piece)
        await asyncio.sleep(0)  # a key that was pressed meanwhile comes first
    return pieces
