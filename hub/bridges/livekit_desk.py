"""What is asked of a LiveKit server beside a stay: a pass, a room, a right, a sign of life."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Final

import aiohttp
from livekit import api

from hub.bridges.livekit_mail import Join
from hub.bridges.livekit_terms import http_of, refusal
from hub.bridges.terms import Cause, FarError, reason

ANSWER_S: Final = 3.0
# The server is asked so often whether it is there, and has so long to answer: together
# less than the two seconds within which a bridge that is lost has to be shown.
_ASK_S: Final = 0.6
_ASK_TIMEOUT_S: Final = 1.2
# For one stay; the server renews it while it lasts.
_PASS: Final = timedelta(minutes=10)
_ERRORS: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class Desk:
    """The server of one stay, by its web service."""

    def __init__(self, order: Join) -> None:
        self._order = order

    def token(self) -> str:
        """Return a pass for the room, made with the API's key."""
        order = self._order
        grants = api.VideoGrants(
            room_join=True,
            room=order.room,
            can_publish=True,
            can_subscribe=True,
            can_publish_data=True,
            can_update_own_metadata=True,
        )
        token = api.AccessToken(order.key, order.secret).with_identity(order.identity)
        return token.with_name(order.name).with_grants(grants).with_ttl(_PASS).to_jwt()

    async def find(self) -> None:
        """Look whether the room is there: who comes in would open it again.

        Raises:
            FarError: it is not, or the server does not say.
        """
        wish = api.ListRoomsRequest(names=[self._order.room])
        async with self._service() as service:
            try:
                found = await service.room.list_rooms(wish)
            except api.TwirpError as error:
                raise refusal(f"{error.code}: {error.message}") from None
            except _ERRORS as error:
                raise refusal(reason(error)) from None
        if not found.rooms:
            raise FarError(Cause.ROOM_ENDED, "The room in LiveKit was closed, and nobody is in it.")

    async def permit(self, identity: str, *, speaks: bool) -> None:
        """Give somebody the right to speak, or take it away; the list shows what became of it."""
        rights = api.ParticipantPermission(
            can_subscribe=True, can_publish=speaks, can_publish_data=True
        )
        wish = api.UpdateParticipantRequest(
            room=self._order.room, identity=identity, permission=rights
        )
        async with self._service() as service:
            with contextlib.suppress(api.TwirpError, *_ERRORS):
                await service.room.update_participant(wish)

    async def silence(self) -> FarError:
        """Wait until the server does not answer any more, and return how that is called."""
        timeout = aiohttp.ClientTimeout(total=_ASK_TIMEOUT_S)
        url = http_of(self._order.url)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    async with session.get(url, allow_redirects=False) as answer:
                        answer.release()
                except _ERRORS as error:
                    why = f"The LiveKit server does not answer any more: {reason(error)}."
                    return FarError(Cause.LOST, why)
                await asyncio.sleep(_ASK_S)

    def _service(self) -> api.LiveKitAPI:
        order, timeout = self._order, aiohttp.ClientTimeout(total=ANSWER_S)
        return api.LiveKitAPI(http_of(order.url), order.key, order.secret, timeout=timeout)
