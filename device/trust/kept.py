"""The enrolment on the box's disk: one file, whole or not there, whatever pulls the plug."""

import logging
from pathlib import Path
from typing import Final

from device.trust.record import Record, RecordError, decode, encode, started
from stagebox.statefile import make_state_dir, remove, write_atomic

FILE_NAME: Final = "enrolment.json"

_MAX_BYTES: Final = 4096  # the file has some 500
_log = logging.getLogger(__name__)


class Kept:
    """The record in memory, and on the disk. ``trouble``: why it cannot be read, to be told."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE_NAME
        self.record: Record | None = None
        self.trouble: str | None = None
        try:
            self.record = self._load()
        except RecordError as error:
            self.trouble = str(error)
            _log.error("%s: %s", self._path, error)

    def put(self, record: Record) -> None:
        """Keep the record from now on, in place of any other.

        Raises:
            OSError: it cannot be written; what was there before is kept.
        """
        if record == self.record and self.trouble is None:
            return
        make_state_dir(self._path.parent)
        write_atomic(self._path, encode(record))
        self.record, self.trouble = record, None

    def drop(self) -> None:
        """Keep none any more.

        Raises:
            OSError: it cannot be removed.
        """
        remove(self._path)
        self.record = self.trouble = None

    def age(self) -> None:
        """Take note of a start: a pending record that has seen too many is dropped."""
        if self.record is None:
            return
        older = started(self.record)
        try:
            if older is None:
                _log.warning("the enrolment with %s was never finished", self.record.hub_name)
                self.drop()
            else:
                self.put(older)
        except OSError as error:
            # It is believed as long as the box runs; the next start tries again.
            _log.warning("%s: %s", self._path, error.strerror)

    def _load(self) -> Record | None:
        try:
            with self._path.open("rb") as file:
                return decode(file.read(_MAX_BYTES))
        except FileNotFoundError:
            return None
        except OSError as error:
            detail = f"What this box knows of its hub cannot be read ({error.strerror})."
            raise RecordError(detail) from None
