"""All routes of the HTTP API: the one place that lists the modules that have some."""

from typing import Final

from hub.web import (
    about,
    acts,
    boxcertificate,
    boxes,
    bridges,
    enrolment,
    hls,
    invites,
    looks,
    me,
    recordings,
    spaces,
    speakers,
    streams,
    updates,
    webhooks,
)
from hub.web.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *me.ROUTES,
    *spaces.ROUTES,
    *acts.ROUTES,
    *invites.ROUTES,
    *looks.ROUTES,
    *boxes.ROUTES,
    *enrolment.ROUTES,
    *boxcertificate.ROUTES,
    *bridges.ROUTES,
    *webhooks.ROUTES,
    *recordings.ROUTES,
    *streams.ROUTES,
    *speakers.ROUTES,
    *hls.ROUTES,
    *updates.ROUTES,
    *about.routes(lambda: ROUTES),
)
