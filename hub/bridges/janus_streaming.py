"""A stream of Janus's Streaming plugin: the hub watches it, and the space hears it.

One way only, as the plugin is; who listens there, and who speaks, is not told. Janus
offers, so here the hub answers. Of a stream with pictures only the sound is asked for.
"""

from typing import Final
from urllib.parse import urlsplit

from hub.bridges.janus import PORTS, JanusFar
from hub.bridges.janus_terms import answer_of
from hub.bridges.janus_wire import Wire
from hub.bridges.line import Line, way_to
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities

PLUGIN: Final = "janus.plugin.streaming"


class JanusStream(JanusFar):
    """Implements ``Far`` by a stream, which ``room`` is the number of."""

    can = Abilities()

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        room, self._ear = self._room, ear
        parts = urlsplit(room.url)
        address = await way_to(parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0))
        self._wire = wire = Wire(room.url, secret=room.secret, token=room.token)
        self._line = line = Line("recvonly", address, ear)
        await wire.open()
        self._handle = await wire.attach(PLUGIN)
        watch = {"request": "watch", "id": room.room, "offer_audio": True, "offer_video": False}
        offer = answer_of(await self._ask(watch | ({"pin": room.pin} if room.pin else {})))
        answer = await line.answer(offer)
        await self._ask({"request": "start"}, jsep={"type": "answer", "sdp": answer})
        await line.connected()

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:  # noqa: ARG002 - the port's
        """See ``Far``: nobody over there listens."""
        return False

    def show(self, name: str) -> None:
        """See ``Far``: there are no names there."""
