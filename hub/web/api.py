"""All routes of the HTTP API: the one place that lists the modules that have some."""

from typing import Final

from hub.web import about, me, spaces
from hub.web.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *me.ROUTES,
    *spaces.ROUTES,
    *about.routes(lambda: ROUTES),
)
