"""What the set-up of the network touches besides NetworkManager: files, page, radio rules."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from provisioning import bootdisk, bootroot
from provisioning.bootfile import BootFile, BootFileError, parse, scrubbed
from provisioning.hotspot.server import Page
from provisioning.network import country
from provisioning.network import terms as t
from provisioning.network.profile import HOTSPOT_ADDRESS
from provisioning.network.publish import Publisher
from provisioning.network.wifi import WifiError, checked_country
from stagebox.netstate import FORGET_FILE
from stagebox.statefile import make_state_dir, write_atomic

HTTP_PORT: Final = 80  # what a phone tries by itself
_COUNTRY_FILE: Final = "country"
_FOR_ALL: Final = 0o644  # it holds a word, and root may be barred from what belongs to others
_PROBE_S: Final = 3.0
_PROBES: Final = 3
_TLS: Final = 443
_PLAIN: Final = 80

Stamp = tuple[str, int, int]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie. ``boot``: folders in which a boot file may be."""

    runtime: Path
    state: Path
    ask: Path
    boot: tuple[Path, ...]


class Surroundings:
    """Does what the machine wants outside NetworkManager. Trouble is logged, never raised."""

    def __init__(self, places: Places, on_submitted: Callable[[t.Submitted], None]) -> None:
        self._places = places
        self._publisher = Publisher(places.runtime)
        self._page = Page(on_submitted)
        self._to_scrub: Stamp | None = None

    # --- the boot file ----------------------------------------------------------------

    def boot_file(self) -> BootFile | t.FileFault | None:
        """Return what the boot file says, or what is wrong with it; None: there is none."""
        path = bootdisk.find(self._places.boot)
        if path is None:
            return None
        try:
            return parse(bootdisk.read(path))
        except BootFileError as error:
            _log.warning("%s, line %d: %s: %s", path.name, error.line, error.key, error.why)
            return t.FileFault(error.key, error.line)
        except OSError as error:
            _log.warning("the boot file cannot be read: %s", error.strerror)
            return t.FileFault("", 0)

    def boot_stamp(self) -> Stamp | None:
        """Return what changes when the boot file does."""
        return bootdisk.stamp(bootdisk.find(self._places.boot))

    def ask_stamp(self) -> tuple[str, int, int] | None:
        """Return what changes when the box asks for the hotspot."""
        return bootdisk.stamp(self._places.ask)

    def forget_stamp(self) -> tuple[str, int, int] | None:
        """Return what changes when the box was wiped."""
        return bootdisk.stamp(self._places.ask.with_name(FORGET_FILE))

    def hand_over(self, file: BootFile) -> None:
        """Leave for the box what the file says about it, and for root the key to log in by."""
        with _logged("the box's settings"):
            self._publisher.hand_over(file.box_settings())
        if file.ssh_key is not None:
            self._request(bootroot.LOGIN)

    def scrub(self) -> None:
        """Ask who may write to the boot partition to remove the Wi-Fi key from the file."""
        self._to_scrub = self.boot_stamp()
        self._request(bootroot.SCRUB)

    def scrub_still(self) -> None:
        """Ask again if that very file still holds its key.

        systemd does not keep a request that is made while it serves the one before, and who
        serves it may be ended.
        """
        if self._to_scrub is None:
            return
        if self.boot_stamp() == self._to_scrub and self._holds_a_key():
            self._request(bootroot.SCRUB)
        else:
            self._to_scrub = None

    def _holds_a_key(self) -> bool:
        path = bootdisk.find(self._places.boot)
        try:
            return path is not None and scrubbed(before := bootdisk.read(path)) != before
        except (OSError, BootFileError):
            return False

    def _request(self, what: str) -> None:
        with _logged("the request about the boot file"):
            path = self._places.runtime / bootroot.REQUEST
            path.write_text(what)
            path.chmod(_FOR_ALL)

    # --- what the machine wants -------------------------------------------------------

    def tell(self, told: t.Tell) -> None:
        """Publish a step."""
        with _logged("the box's news of the network"):
            self._publisher.tell(told)

    async def set_country(self, text: str) -> None:
        """Tell the kernel where the radio is, and remember it for the next start."""
        await country.tell(text)
        with _logged("the country"):
            make_state_dir(self._places.state)
            write_atomic(self._places.state / _COUNTRY_FILE, f"{text}\n".encode())

    async def known_country(self, file: BootFile | None) -> str | None:
        """Return where the radio is: by the file, by the last time, or by the kernel."""
        if file is not None and file.country is not None:
            return file.country
        with contextlib.suppress(OSError, WifiError):
            return checked_country((self._places.state / _COUNTRY_FILE).read_text("ascii").strip())
        return await country.told()

    async def probe(self, hub: str) -> bool:
        """Return whether something answers at the hub's address."""
        with contextlib.suppress(ValueError):
            parts = urlsplit(hub)
            port = parts.port or (_TLS if parts.scheme == "wss" else _PLAIN)
            for _ in range(_PROBES):
                if await _answers(parts.hostname or "", port):
                    return True
        return False

    async def open_page(self, raised: t.Raise) -> None:
        """Serve the page on the hotspot. Raises OSError."""
        address = (HOTSPOT_ADDRESS, HTTP_PORT)
        await self._page.open(address, raised.networks, raised.failure, raised.country)

    async def close_page(self) -> None:
        """Serve it no longer."""
        await self._page.close()


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.warning("%s could not be written: %s", what, error.strerror)


async def _answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _PROBE_S)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
