"""A Space that this hub hosts: it makes it, lets people speak, and ends it as it leaves.

A Space is made when a person switches the bridge on, and at no other time: neither when the
hub starts, nor after something broke. It has never run against X itself.
"""

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import Final

from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError
from hub.bridges.x_answers import authorization_of, login_of, pass_of
from hub.bridges.x_desk import Desk
from hub.bridges.x_host_terms import Broadcast, Host, Ids, Maker, broadcast_of, region_of
from hub.bridges.x_machine import Act, Crowd
from hub.bridges.x_podium import Entry, Podium
from hub.bridges.x_settings import XConfig
from hub.bridges.x_space import Memory, Visit, XSpace
from hub.bridges.x_terms import Service, Web

_GOODBYE_S: Final = 1.0
_ROOM: Final = {
    "audiocodec": "opus",
    "videocodec": "h264",
    "app_component": "audio-room",
    "transport_wide_cc_ext": True,
    "dummy_publisher": False,
}


class Dais(Podium):
    """The stage of a Space that is ours: we make its room, and take it away."""

    @property
    def ids(self) -> Ids:
        """By which numbers X finds it."""
        session = self._wire.session if self._wire is not None else None
        return Ids(session, self._handle, self._who.own)

    def number_of(self, user: str) -> object:
        """Return the number of somebody who speaks; None: they do not."""
        return self._who.number_of(user)

    async def close(self) -> None:
        """Take the room away; whoever is in it is out."""
        if self._handle is not None:
            await self._ask({"request": "destroy", **self._room_of})

    async def _prepare(self) -> None:
        await self._ask({"request": "create", **self._room_of, **_ROOM})


class XHost(XSpace):
    """Implements ``Far``, and ``Moderates``, by a Space of our own."""

    def __init__(self, title: str, config: XConfig) -> None:
        super().__init__(Visit("", speaks=True, config=config), Memory())
        self.can = Abilities(roster=True, mute=True, talker=True, hands=True)
        self._title = title
        self._host: Host | None = None
        self._dais: Dais | None = None

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        try:
            await self._make(ear)
        except FarError as error:
            raise _not_again(error) from None

    def permit(self, identity: str, *, speaks: bool) -> None:
        """See ``Moderates``."""
        self._begin(partial(self._permit, identity, speaks=speaks))

    async def leave(self) -> None:
        """See ``Far``: the Space is over for everybody."""
        desk, host, self._host = self._desk, self._host, None
        dais, self._dais = self._dais, None
        if desk is not None and host is not None:
            ways = [desk.ask(host.end()), *([dais.close()] if dais is not None else [])]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await asyncio.gather(*ways, return_exceptions=True)
        await super().leave()

    # --- private --------------------------------------------------------------

    async def _make(self, ear: Ear) -> None:
        config, self._ear = self._visit.config, ear
        web = Web(config.endpoints, config.session())
        self._desk = desk = Desk()
        service = Service(web.at)
        login = login_of(await desk.ask(service.login(pass_of(await desk.ask(web.periscope())))))
        right = authorization_of(await desk.ask(service.authorize(login.cookie)))
        maker = Maker(web.at, login.cookie, self._title)
        asked = maker.create(region_of(await desk.ask(maker.region())))
        made = broadcast_of(await desk.ask(asked), asked.url)
        self._host = Host(web.at, right, made.space, made.door.token)
        self._crowd = Crowd({}, permits=True)
        self._crowd.own = self._turn.user = login.user
        await self._enter(made, maker)

    async def _enter(self, made: Broadcast, maker: Maker) -> None:
        """Be on the stage, and let everybody see the Space."""
        desk = self._desk
        if desk is None:
            raise FarError(Cause.FAILED, "It was left meanwhile.")
        user = self._turn.user
        dais = Dais(Entry(made.gateway, made.space, user, "", made.stream))
        self._podium = self._dais = dais
        await dais.join(replace(self._ear, people=self._on_stage, note=lambda _crowded: None))
        await desk.ask(maker.publish(made.space, dais.ids))
        come = partial(desk.chat, made.door, made.space)
        self._talk = await come()
        self._turn.handle(Act.HOST)
        self._begin(partial(self._follow, come))
        self._begin(dais.stay)
        self._on_note(f"It hosts {made.link}: that is where people come in.")

    async def _permit(self, user: str, *, speaks: bool) -> None:
        desk, host, dais = self._desk, self._host, self._dais
        wish = self._crowd.wish_of(user)
        if desk is None or host is None or dais is None or not wish:
            return
        asked = host.approve(wish)
        if not speaks:
            asked = host.eject(wish, dais.ids, dais.gateway, dais.number_of(user))
        try:
            await desk.ask(asked)
        except FarError as error:
            self._on_note(f"That was refused: {error.detail}")

    def _end(self, error: FarError) -> None:
        super()._end(_not_again(error))


def _not_again(error: FarError) -> FarError:
    """Return the same, which leaves the bridge off."""
    return FarError(Cause.NOT_BEGUN_AGAIN, f"{error.detail} Switch it on for a new Space.")
