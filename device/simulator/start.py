"""Makes the panel's page for a box, and serves it for as long as the box runs."""

import contextlib
import logging

from device import fitted
from device.buttons.ports import Key
from device.config import BoxConfig
from device.simulator.messages import About
from device.simulator.panel import PagePanel
from device.simulator.server import PageServer
from device.simulator.visit import Scene
from device.view.feed import Feed
from device.view.status import Status
from stagebox import __version__

_log = logging.getLogger(__name__)


def make_page(
    config: BoxConfig, panel: PagePanel | None, status: Status, feed: Feed
) -> PageServer | None:
    """Return what serves a panel that is a page; None for a box without one."""
    if panel is None:
        return None
    found = fitted.keys(config, simulated=True)
    keys = tuple(key for key in Key if key in found)
    about = About(config.name, config.role, config.sound.language, __version__, keys)
    return PageServer(Scene(about, panel, status, feed))


async def open_page(
    page: PageServer | None, stack: contextlib.AsyncExitStack, port: int | None
) -> None:
    """Serve the page, if there is one, until the end of ``stack``; ``port`` -1: the usual one.

    Raises:
        PanelError: the port cannot be had.
    """
    if page is not None:
        stack.push_async_callback(page.close)
        await page.start(None if port is None or port < 0 else port)
        _log.info("The panel is at %s", page.url)
