"""A hub, a broker, and what Home Assistant would see."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec.structs import replace

from hub.config import Boxes, HubConfig, SpaceConfig
from hub.home.entities import Places
from hub.home.settings import HomeConfig
from hub.home.wiring import home_assistant
from stagebox.wire.terms import Mode
from tests.loopback.hub.crew import Hub, running_hub
from tests.support.mosquitto import ADDRESS, Mosquitto

HOUSE = HubConfig(
    name="House",
    space=(
        SpaceConfig(id="main", name="Main"),
        SpaceConfig(id="talk", name='The "talk" {{ show }}', mode=Mode.MODERATED),
    ),
)


def places_of(hub: Hub, *, commands: bool = True) -> Places:
    return Places(hub.identity.id[:16], "homeassistant", commands)


@contextlib.asynccontextmanager
async def hub_at(
    broker: Mosquitto,
    data: Path,
    home: HomeConfig | None = None,
    house: HubConfig = HOUSE,
    boxes: Boxes = Boxes.ANYONE,
) -> AsyncIterator[Hub]:
    """Run a hub that keeps this broker informed."""
    settings = home or HomeConfig(broker=ADDRESS, port=broker.port, commands=True)
    async with (
        running_hub(data, replace(house, home=settings), boxes=boxes) as hub,
        home_assistant(settings, hub.server.house, hub.store),
    ):
        yield hub
