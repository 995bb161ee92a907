"""Routes for webhooks; only an administrator sees or makes them."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from hub.web.call import Call
from hub.web.hooks import MAX_HOOKS, Hook, HookEvent
from hub.web.problems import Refused, WebCode
from hub.web.route import Route, Who
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Count, Url


class Webhook(Struct, frozen=True, kw_only=True):
    """A webhook. ``last``: what became of the last delivery. ``secret``: told only when made."""

    id: Count
    url: Url
    events: tuple[HookEvent, ...]
    made_at: str
    last: str = ""
    secret: str | None = None


class Webhooks(Struct, frozen=True, kw_only=True):
    """All webhooks."""

    webhooks: tuple[Webhook, ...]


class WebhookNew(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to POST what happens, and what."""

    url: Url
    events: Annotated[tuple[HookEvent, ...], Meta(min_length=1, max_length=3)] = tuple(HookEvent)


async def listed(call: Call) -> Webhooks:
    """List the webhooks."""
    found = call.desk.hooks.listed()
    return Webhooks(webhooks=tuple(_shown(hook, last) for hook, last in found))


async def add(call: Call, given: WebhookNew) -> Webhook:
    """Make a webhook."""
    if len(call.desk.hooks) >= MAX_HOOKS:
        raise Refused(ErrorCode.TOO_MANY, f"There are {MAX_HOOKS} webhooks: remove one first.")
    hook = await call.desk.hooks.add(given.url, frozenset(given.events))
    return _shown(hook, "", secret=hook.secret)


async def remove(call: Call) -> None:
    """Drop a webhook."""
    if not await call.desk.hooks.remove(call.path["webhook"]):
        raise Refused(WebCode.NO_SUCH_WEBHOOK, "There is no such webhook.")


def _shown(hook: Hook, last: str, secret: str | None = None) -> Webhook:
    return Webhook(
        id=hook.id,
        url=hook.url,
        events=tuple(sorted(hook.events)),
        made_at=hook.made_at,
        last=last,
        secret=secret,
    )


ROUTES: Final = (
    Route("GET", "/webhooks", listed, "All webhooks.", who=Who.ADMIN, gives={200: Webhooks}),
    Route(
        "POST",
        "/webhooks",
        add,
        "Be told of what happens.",
        who=Who.ADMIN,
        takes=WebhookNew,
        gives={201: Webhook},
        errors=(ErrorCode.TOO_MANY,),
        keyed=True,
    ),
    Route("DELETE", "/webhooks/{webhook}", remove, "Be told no more.", who=Who.ADMIN),
)
