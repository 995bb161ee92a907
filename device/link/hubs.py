"""The hubs a box knows: from its settings, from last time, and from the network now."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from device.link.candidates import HubChoice, LastHub, Plan, SeenHub, decode_last, plan
from device.link.dial import Opened
from device.link.discovery import HubBrowser
from device.link.own import open_plan, own_plan, targets
from device.trust.belonging import Belonging
from device.trust.errand import Target
from stagebox.statefile import make_state_dir, write_atomic
from stagebox.wire.messages import Pins

FILE_NAME: Final = "last_hub.json"

_MAX_BYTES: Final = 4096
_log = logging.getLogger(__name__)


class KnownHubs:
    """Remembers the last hub in ``state_dir`` and browses for others while ``run`` runs."""

    def __init__(
        self, choice: HubChoice, state_dir: Path, belonging: Belonging | None = None
    ) -> None:
        """``belonging``: whose this box is; None: any hub's, as nobody asks."""
        self._belonging = belonging
        self._choice = choice
        self._path = state_dir / FILE_NAME
        self._last = _load(self._path)
        self._browser: HubBrowser | None = None

    async def run(self, kick: Callable[[], None], on_problem: Callable[[str | None], None]) -> None:
        """Browse until cancelled; ``kick`` is called when there is something new to try."""

        def changed(appeared: bool) -> None:
            if appeared:
                kick()

        self._browser = HubBrowser(changed, on_problem, self._preferred())
        await self._browser.run()

    def plan(self) -> Plan:
        """Return what to try now. To be asked before every try: it also looks around again."""
        if self._browser is not None:
            self._browser.ask_again()
        if self._belonging is None:
            return plan(self._choice, self._last, self.seen)
        own = self._belonging.own
        if own is None:
            return open_plan(plan(self._choice, self._last, self.seen))
        return own_plan(own, self._choice, self._last, self.seen)

    @property
    def seen(self) -> tuple[SeenHub, ...]:
        """What is announced now."""
        return self._browser.hubs if self._browser is not None else ()

    def targets(self) -> tuple[Target, ...]:
        """Return the hubs that may want this box now. It also looks around again."""
        if self._browser is not None:
            self._browser.ask_again()
        return targets(self._choice, self.seen)

    def met(self, opened: Opened) -> None:
        """Take note of a hub that opened a session."""
        if self._belonging is not None:
            self._belonging.met(opened)
        self.remember(opened.candidate.url, opened.challenge.hub_id)

    def told(self, pins: Pins, opened: Opened) -> None:
        """Take the certificates that the hub of this session has from now on."""
        if self._belonging is not None:
            self._belonging.told(pins, opened)

    def remember(self, url: str, hub_id: str) -> None:
        """Keep the address of a hub that opened a session. Writes only when it changed."""
        last = LastHub(url=url, hub_id=hub_id, configured=self._choice.url)
        if last == self._last:
            return
        self._last = last
        if self._browser is not None:
            self._browser.prefer = self._preferred()
        try:
            make_state_dir(self._path.parent)
            write_atomic(self._path, msgspec.json.encode(last))
        except OSError as error:
            # The session works without it; only the next start is slower.
            _log.warning("The hub's address cannot be kept in %s: %s", self._path, error)

    def _preferred(self) -> str | None:
        return self._choice.hub_id or (self._last.hub_id if self._last else None)


def _load(path: Path) -> LastHub | None:
    try:
        with path.open("rb") as file:
            return decode_last(file.read(_MAX_BYTES))
    except OSError:
        return None
