"""Asking the hub for releases, over HTTPS to its pinned certificate."""

import http.client
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from stagebox.health import HubAt
from stagebox.pinned import PinnedConnection
from stagebox.release import MAX_ENVELOPE, Here, Manifest, Reason, ReleaseError

BASE: Final = "/api/v1/updates"
# A hub that says nothing for so long is none; a slow network gives a piece in less.
TIMEOUT_S: Final = 20.0
_PIECE: Final = 1 << 18
_PIN: Final = re.compile(r"[0-9a-f]{64}")


class HubReleases:
    """The releases that one hub serves."""

    def __init__(self, hub: HubAt) -> None:
        if not _PIN.fullmatch(hub.pin):
            raise unreachable("this box is not enrolled, so no hub is trusted with updates")
        self._hub = hub

    def offer(self, here: Here) -> bytes | None:
        """Return the envelope of the newest release for this machine; None: there is none.

        Raises:
            ReleaseError: the hub cannot be asked.
        """
        asked = {
            "role": here.role.value,
            "architecture": here.architecture,
            "python": here.python,
            "build": str(here.build),
        }
        with self._get("/offer", asked) as response:
            if response.status == HTTPStatus.NOT_FOUND:
                return None
            _check_status(response)
            return response.read(MAX_ENVELOPE + 1)

    def download(self, manifest: Manifest, target: Path) -> None:
        """Load the archive into a new file, at most as much as it should have.

        Raises:
            ReleaseError: the hub gives more, or not all of it.
            OSError: the disk does not take it.
        """
        left = manifest.size
        with (
            self._get("/archive", {"release": manifest.stem}) as response,
            target.open("wb") as file,
        ):
            _check_status(response)
            while piece := _read(response):
                left -= len(piece)
                if left < 0:
                    detail = f"The archive has more than the {manifest.size} bytes it should."
                    raise ReleaseError(Reason.TOO_LARGE, detail)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _get(self, path: str, query: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        hub = self._hub
        line = PinnedConnection(hub.host, hub.port, hub.pin, timeout_s=TIMEOUT_S)
        try:
            try:
                line.request("GET", f"{BASE}{path}?{urlencode(query)}")
                response = line.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise unreachable(str(error)) from None
            with response:
                yield response
        finally:
            line.close()


def unreachable(why: str) -> ReleaseError:
    """Return the error of a hub that cannot be asked."""
    return ReleaseError(Reason.UNREACHABLE, f"The hub cannot be asked for updates: {why}.")


def _check_status(response: http.client.HTTPResponse) -> None:
    if response.status != HTTPStatus.OK:
        raise unreachable(f"it answers {response.status}")


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(str(error)) from None
