"""What all requests of one hub share."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path

from hub.config import HubConfig
from hub.control.house import House
from hub.control.secure import Secure
from hub.store.database import Store
from hub.web.accounts import Accounts
from hub.web.replays import Replays
from hub.web.secretfile import secret_in
from hub.web.tallies import Guesses, Pace
from hub.web.trust import names_of
from stagebox.wire.handshake import member_id
from stagebox.wire.terms import MemberId


@dataclass(frozen=True, slots=True)
class Home:
    """Where the web side keeps what must last: rows in ``store``, files in ``folder``."""

    store: Store
    folder: Path


@dataclass(slots=True)
class Desk:
    """One hub, as a request sees it.

    ``known``: members of whom an administrator said so. ``secure`` None: no HTTPS.
    """

    house: House
    config: HubConfig
    store: Store
    accounts: Accounts
    replays: Replays
    secret: bytes
    names: frozenset[str]
    pace: Pace
    code_guesses: Guesses
    password_guesses: Guesses
    known: set[MemberId]
    secure: Secure | None = None
    captions: bool = False

    @classmethod
    async def open(cls, house: House, config: HubConfig, home: Home) -> "Desk":
        """Return the desk of a hub.

        Raises:
            StoreError: the store cannot be read.
        """
        web = config.web
        return cls(
            house=house,
            config=config,
            store=home.store,
            accounts=await Accounts.open(home.store, web.session_hours),
            replays=Replays(home.store),
            secret=secret_in(home.folder),
            names=names_of(socket.gethostname(), config.name, member_id(house.key), web.names),
            pace=Pace(web.requests_per_s, web.request_burst),
            code_guesses=Guesses(web.wrong_codes, web.wrong_codes_in_all),
            password_guesses=Guesses(web.wrong_passwords, web.wrong_passwords_in_all),
            known=set(),
        )

    @property
    def hub_id(self) -> MemberId:
        """The hub's own id."""
        return member_id(self.house.key)

    @property
    def secure_port(self) -> int:
        """Where the hub speaks HTTPS; 0 for nowhere."""
        return self.secure.port if self.secure else 0

    def now(self) -> float:
        """Return the hub's clock, which only counts on."""
        return asyncio.get_running_loop().time()
