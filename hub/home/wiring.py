"""Home Assistant and the hub: who tells whom what."""

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

from hub.control.house import House
from hub.home.board import Board
from hub.home.entities import Places
from hub.home.looks import Looks
from hub.home.settings import HomeConfig
from hub.store.database import Store
from stagebox.wire.terms import MemberId, Name

# Of the hub's id: nobody has two hubs that share so much.
_ID: Final = 16
_NAMES: Final = "SELECT id, coalesce(given, name) FROM members WHERE kind = 'box' LIMIT 5000"

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def home_assistant(config: HomeConfig, house: House, store: Store) -> AsyncIterator[None]:
    """Keep a broker informed for as long as this lasts, if the settings name one.

    Raises:
        StoreError: the names of boxes cannot be read.
    """
    if not config.broker:
        yield
        return
    try:
        from hub.home.link import Link  # noqa: PLC0415 - optional
        from hub.home.session import Desk  # noqa: PLC0415
    except ImportError as error:
        log.error("No MQTT (%s): install it with: pip install 'stagebox[home]'", error)
        yield
        return
    places = Places(house.trust.identity.id[:_ID], config.prefix, config.commands)
    looks = Looks(house, await _names(store))
    desk = Desk(places, config.commands, looks.look, looks.obey, Board(places))
    link = Link(config, desk)
    house.metrics.add_source("mqtt", link.counts)
    house.metrics.add_gauge("mqtt_connection", "state", link.states)
    link.start()
    try:
        yield
    finally:
        await link.aclose()


async def _names(store: Store) -> dict[MemberId, Name]:
    rows = await store.fetch(_NAMES, (), lambda row: (str(row[0]), str(row[1])))
    return dict(rows)
