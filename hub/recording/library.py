"""The recordings that are over: listed, played, changed and deleted, by people and by time.

On the event loop; what waits for the disk is done on a thread of its own
(docs/decisions/0013-recording.md).
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from hub.recording import retention
from hub.recording.deck import free_bytes, used_bytes
from hub.recording.index import Index
from hub.recording.take import PROGRAMME, voice_file
from hub.recording.vault import Vault
from hub.recording.worker import Worker, WorkerFullError
from hub.store.database import Store, StoreError
from stagebox.calendar import utc_now, utc_stamp
from stagebox.wire.terms import MemberId, SpaceId

# People wait for what is asked; more at once are no people.
_MAX_ASKED: Final = 32
_PURGE_S: Final = 3_600.0

log = logging.getLogger(__name__)
_T = TypeVar("_T")


class NoSuchRecordingError(Exception):
    """There is no recording of this id; ``gone``: there was one."""

    def __init__(self, *, gone: bool) -> None:
        super().__init__("This recording was deleted." if gone else "There is no such recording.")
        self.gone = gone


class BusyError(Exception):
    """Too much is being asked of the disk: try again in a while."""


class Library:
    """All recordings that are over. Make it with ``open``."""

    def __init__(self, root: Path, store: Store) -> None:
        self.deleted = 0
        self._root = root
        self._store = store
        self._vault = Vault(root)
        self._worker = Worker("recordings", _MAX_ASKED)
        # What is listed, without the turns and the words, of which there may be many.
        self._cards: dict[str, Index] = {}
        self._purge: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, root: Path, store: Store) -> "Library":
        """Finish what a crash left behind, and be ready.

        Raises:
            OSError: the folder cannot be made or read.
        """
        library = cls(root, store)
        try:
            found = await library._worker.run(partial(library._vault.recover, utc_stamp()))
        except BaseException:
            await library._worker.aclose()
            raise
        for each in found:
            library.add(each)
        library._purge = asyncio.create_task(library._purge_often())
        return library

    async def aclose(self) -> None:
        """Finish what people asked for."""
        if self._purge is not None:
            self._purge.cancel()
            await asyncio.gather(self._purge, return_exceptions=True)
        await self._worker.aclose()

    # --- looking --------------------------------------------------------------

    def cards(self) -> list[Index]:
        """Return all recordings, the latest first, without turns, gaps and words."""
        return sorted(self._cards.values(), key=lambda each: (each.began_at, each.id), reverse=True)

    async def card(self, recording: str) -> Index:
        """Return one of them.

        Raises:
            NoSuchRecordingError: there is none.
        """
        card = self._cards.get(recording)
        if card is None:
            raise NoSuchRecordingError(gone=await self._was_there(recording))
        return card

    async def get(self, recording: str) -> Index:
        """Return a whole recording.

        Raises:
            NoSuchRecordingError: there is none.
            BusyError: the disk does not keep up.
        """
        await self.card(recording)
        return await self._run(partial(self._vault.load, recording))

    def audio(self, recording: str, member: MemberId | None = None) -> Path:
        """Return where the programme is, or what a member said, which need not be there."""
        name = PROGRAMME if member is None else voice_file(member)
        return self._vault.folder(recording) / name

    async def facts(self, path: Path) -> tuple[int, str]:
        """Return the size of a file, and a tag that is another one whenever the file is.

        Raises:
            NoSuchRecordingError: it is not there.
            BusyError: the disk does not keep up.
        """
        return await self._run(lambda: _facts(path))

    async def read(self, path: Path, at: int, size: int) -> bytes:
        """Return a part of a file.

        Raises:
            NoSuchRecordingError, BusyError: see ``facts``.
        """
        return await self._run(lambda: _read(path, at, size))

    async def room(self, most: int, least_free: int) -> bool:
        """Say whether there is room: all take less than ``most`` bytes, so many are free."""
        used, free = await self._run(lambda: (used_bytes(self._root), free_bytes(self._root)))
        return used < most and free > least_free

    # --- changing -------------------------------------------------------------

    def add(self, recording: Index) -> None:
        """List a recording."""
        self._cards[recording.id] = msgspec.structs.replace(recording, turns=(), gaps=(), words=())

    async def change(self, recording: str, change: Callable[[Index], Index]) -> Index:
        """Change what is kept of a recording.

        Raises:
            NoSuchRecordingError, BusyError, OSError: it cannot be.
        """
        await self.card(recording)

        def work() -> Index:
            changed = change(self._vault.load(recording))
            self._vault.save(changed)
            return changed

        changed = await self._run(work)
        self.add(changed)
        return changed

    async def take_out(self, recording: str, member: MemberId) -> Index:
        """Take a member's voice and words out.

        Raises:
            NoSuchRecordingError, BusyError, OSError: it cannot be.
        """
        await self.card(recording)
        now = utc_stamp()
        left = await self._run(
            lambda: self._vault.take_out(self._vault.load(recording), member, now)
        )
        self.add(left)
        return left

    async def delete(self, recording: str) -> None:
        """Delete a recording; its id and the moment are kept, and nothing else.

        Raises:
            NoSuchRecordingError, BusyError, OSError: it cannot be.
        """
        await self.card(recording)
        await self._run(partial(self._vault.delete, recording))
        if self._cards.pop(recording, None) is not None:
            self.deleted += 1
        sql = "INSERT OR IGNORE INTO deleted_recordings (id, at) VALUES (?, ?)"
        with contextlib.suppress(StoreError):  # then it is unknown rather than gone
            await self._store.execute(sql, (recording, utc_stamp()))

    async def over(self, space: SpaceId) -> None:
        """Delete what was to be kept until the end of a space only."""
        for card in self.cards():
            if card.space == space and card.keep_days == 0:
                await self._delete_quietly(card.id)

    # --- taking along ---------------------------------------------------------

    @contextlib.asynccontextmanager
    async def export(self, recording: str) -> AsyncIterator[Path]:
        """Give a ZIP file with everything, for as long as this lasts.

        Raises:
            NoSuchRecordingError, BusyError, OSError: it cannot be.
        """
        await self.card(recording)
        token = secrets.token_hex(8)
        path = await self._run(lambda: self._vault.export(self._vault.load(recording), token))
        try:
            yield path
        finally:
            self._worker.insist(partial(path.unlink, missing_ok=True))

    @contextlib.asynccontextmanager
    async def export_own(self, member: MemberId) -> AsyncIterator[Path]:
        """Give a ZIP file with what a member said in all recordings.

        Raises:
            BusyError, OSError: it cannot be.
        """
        own = [card.id for card in self.cards() if has_voice(card, member)]
        token = secrets.token_hex(8)
        path = await self._run(
            lambda: self._vault.export_own(map(self._vault.load, own), member, token)
        )
        try:
            yield path
        finally:
            self._worker.insist(partial(path.unlink, missing_ok=True))

    # --- private --------------------------------------------------------------

    async def _run(self, work: Callable[[], _T]) -> _T:
        try:
            return await self._worker.run(work)
        except WorkerFullError:
            raise BusyError("The disk is busy: try again in a while.") from None
        except FileNotFoundError:
            raise NoSuchRecordingError(gone=True) from None

    async def _was_there(self, recording: str) -> bool:
        sql = "SELECT id FROM deleted_recordings WHERE id = ?"
        try:
            return bool(await self._store.fetch(sql, (recording,), tuple))
        except StoreError:
            return False

    async def _purge_often(self) -> None:
        while True:
            for card in self.cards():
                if retention.is_due(card, utc_now()):
                    await self._delete_quietly(card.id)
            await asyncio.sleep(_PURGE_S)

    async def _delete_quietly(self, recording: str) -> None:
        try:
            await self.delete(recording)
        except (NoSuchRecordingError, BusyError, OSError) as error:
            log.error("The recording %s is not deleted yet: %s", recording, error)


def _facts(path: Path) -> tuple[int, str]:
    found = path.stat()
    return found.st_size, f'"{found.st_size:x}-{found.st_mtime_ns:x}"'


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(size)


def has_voice(recording: Index, member: MemberId) -> bool:
    """Say whether a member's voice is in a recording."""
    return any(voice.member == member and not voice.withdrawn for voice in recording.voices)
