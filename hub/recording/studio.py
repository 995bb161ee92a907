"""All recordings that run. Used on the recording's thread alone."""

import errno
import logging
import secrets
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.ports import Tape
from hub.recording import journal, notice
from hub.recording.deck import Deck
from hub.recording.index import Index, IndexDamagedError
from hub.recording.take import Counts, Step, Take, samples
from hub.recording.vault import Vault
from stagebox.media.frames import Pcm
from stagebox.phrases import Language
from stagebox.speech import SpeechError, read_wav, synthesise
from stagebox.wire.terms import MemberId, SpaceId

DISK_FULL: Final = "disk_full"
DISK_FAILED: Final = "disk_failed"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known when a recording begins. ``at``: the monotonic second."""

    id: str
    space: SpaceId
    title: str
    version: int
    by: str
    since: str
    keep_days: int
    at: float
    chairs: tuple[MemberId, ...] = ()
    agreed: tuple[tuple[MemberId, str], ...] = ()


class Studio:
    """Runs takes on decks.

    ``failed(space, recording, why)`` is called for one that the disk ended.
    """

    def __init__(
        self,
        root: Path,
        failed: Callable[[SpaceId, str, str], None],
        speak: Callable[[str, Language], Pcm | None] | None = None,
        language: Language = Language.ENGLISH,
    ) -> None:
        """``language``: that of the notice."""
        self.counts = Counts()  # of those that are over
        self._vault = Vault(root)
        self._failed = failed
        self._speak = speak or spoken
        self._language = language
        self._decks: dict[SpaceId, Deck] = {}

    def begin(self, beginning: Beginning) -> None:
        """Begin a recording with its notice."""
        text = notice.sentence(beginning.title, self._language)
        packets = notice.packets(self._speak(text, self._language))
        opened = journal.Opened(
            id=beginning.id,
            space=beginning.space,
            title=beginning.title,
            version=beginning.version,
            by=beginning.by,
            since=beginning.since,
            keep_days=beginning.keep_days,
            notice=text,
            notice_samples=samples(packets),
            chairs=beginning.chairs,
        )
        take = Take(opened, packets, beginning.at, lambda: secrets.randbits(32))
        try:
            self._decks[beginning.space] = Deck(self._vault.folder(beginning.id), take)
        except OSError as error:
            self._tell(beginning.space, beginning.id, error)
            return
        self._do(beginning.space, take.begin())
        for member, name in beginning.agreed:
            self.agree(beginning.space, member, name, beginning.at, beginning.since)

    def agree(self, space: SpaceId, member: MemberId, name: str, now: float, at: str) -> None:
        """Let a member's voice in from now on."""
        deck = self._decks.get(space)
        if deck is not None:
            self._do(space, deck.take.agree(member, name, now, at))

    def withdraw(self, space: SpaceId, member: MemberId, now: float, at: str) -> None:
        """Take a member's voice out, and let it in no more."""
        deck = self._decks.get(space)
        if deck is not None:
            self._do(space, deck.take.withdraw(member, now, at))

    def say(self, space: SpaceId, member: MemberId, began: float, ended: float, text: str) -> None:
        """Keep what a member said in words."""
        deck = self._decks.get(space)
        if deck is not None:
            self._do(space, deck.take.say(member, began, ended, text))

    def take(self, tapes: Iterable[Tape], now: float) -> None:
        """Take what came since the last time; to be called some times a second."""
        for tape in tapes:
            deck = self._decks.get(tape.space)
            if deck is not None:
                self._do(tape.space, deck.take.tape(tape))
        for space, deck in list(self._decks.items()):
            self._do(space, deck.take.tick(now))
            self._sync(space, deck, now)

    def end(self, space: SpaceId, now: float, why: str, at: str) -> Index | None:
        """End a recording and return its index; None if there is none to return."""
        deck = self._decks.get(space)
        if deck is None:
            return None
        self._do(space, deck.take.close(now, why, at))
        self._decks.pop(space, None)
        self._count(deck)
        deck.close()
        return self._finished(deck.folder, at, why)

    def salvage(self, recording: str, why: str, at: str) -> Index | None:
        """Return the index of what there is of a recording that the disk ended."""
        return self._finished(self._vault.folder(recording), at, why)

    # --- private --------------------------------------------------------------

    def _finished(self, folder: Path, at: str, why: str) -> Index | None:
        try:
            return self._vault.finish(folder, at, why)
        except (OSError, IndexDamagedError) as error:
            log.error("The recording %s is not finished: %s", folder.name, error)
            return None

    def _do(self, space: SpaceId, steps: Iterable[Step]) -> None:
        deck = self._decks.get(space)
        if deck is None:
            return
        try:
            deck.do(steps)
        except OSError as error:
            self._lose(space, deck, error)

    def _sync(self, space: SpaceId, deck: Deck, now: float) -> None:
        try:
            deck.sync(now)
        except OSError as error:
            self._lose(space, deck, error)

    def _lose(self, space: SpaceId, deck: Deck, error: OSError) -> None:
        """Let a recording go that cannot be written; ``recover`` finishes it one day."""
        if self._decks.pop(space, None) is not None:
            self._count(deck)
            deck.close()
            self._tell(space, deck.take.opened.id, error)

    def _tell(self, space: SpaceId, recording: str, error: OSError) -> None:
        log.error("The recording %s ends: %s", recording, error)
        self._failed(space, recording, DISK_FULL if error.errno in _FULL else DISK_FAILED)

    def _count(self, deck: Deck) -> None:
        self.counts.refused += deck.take.counts.refused
        self.counts.withheld += deck.take.counts.withheld


def spoken(text: str, language: Language) -> Pcm | None:
    """Return a sentence as sound, if there is a voice to say it."""
    try:
        with tempfile.TemporaryDirectory(prefix="stagebox-") as folder:
            path = Path(folder) / "notice.wav"
            synthesise(text, path, language)
            return read_wav(path)
    except (OSError, SpeechError) as error:
        log.info("The notice of a recording is a tone alone: %s", error)
        return None
