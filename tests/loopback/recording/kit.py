"""A hub that records what a pretended media plane tapes, and a browser beside each box."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from hub.config import Boxes, HubConfig, RecordingConfig, TrustConfig
from hub.control.server import HubServer
from hub.ports import Tape
from hub.recording.recorder import Recorder
from hub.recording.wiring import recordings
from hub.spaces.registry import Spaces
from hub.spaces.rights import Actor
from hub.store.database import Store
from hub.web import tickets
from hub.web.desk import Home
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, Pcm
from stagebox.media.opus import Encoder
from stagebox.wire.acts import Agree, RecordSet
from stagebox.wire.messages import Done, Error, Snapshot
from tests.loopback.hub.crew import Guest, Hub, trust_of, until
from tests.loopback.web.kit import HOUSE, Browser

SPACE = "main"
ADMIN = Actor(None, "Admin", admin=True)
# Longer than any notice. Tapes are in the future, so nobody has to wait for them.
LATER_S = 20.0


class RecordingHub(Hub):
    """A hub with recordings."""

    async def start(self) -> None:
        self.store = await Store.open(self.data / "hub.sqlite3")
        self.spaces = Spaces(
            self.config.space, media=self.media, store=self.store, metrics=self.metrics
        )
        self.stack = contextlib.AsyncExitStack()
        recorder = await self.stack.enter_async_context(
            recordings(self.config.recording, self.data, self.spaces, self.media, self.store)
        )
        await self.spaces.start()
        self.home = Home(self.store, self.data, await trust_of(self), recorder)
        self.server = HubServer(
            self.config, self.identity, self.spaces, self.metrics, self.media, self.home
        )
        await self.server.start()
        self.number = 0

    @property
    def recorder(self) -> Recorder:
        assert self.home.recorder is not None
        return self.home.recorder

    @property
    def folder(self) -> Path:
        return self.data / "recordings"

    async def aclose(self) -> None:
        await self.server.aclose()
        await self.stack.aclose()
        await self.spaces.aclose()
        await self.store.aclose()

    async def record(self, *guests: Guest) -> str:
        """Record; these agree. Return the id of the recording."""
        self.act(ADMIN, RecordSet(req=self.req(), on=True))
        for guest in guests:
            self.agree(guest)
        return next(iter(self.recorder.running()))

    def agree(self, guest: Guest) -> None:
        space = self.spaces.get(SPACE)
        assert space is not None
        assert space.info.recording is not None
        version = space.info.recording.version
        self.act(Actor(guest.id, guest.name), Agree(req=self.req(), recording=version))

    async def stop(self) -> str:
        """Stop the recording and wait until it is listed; return its id."""
        recording = next(iter(self.recorder.running()))
        self.act(ADMIN, RecordSet(req=self.req(), on=False))
        await until(lambda: recording in {each.id for each in self.recorder.library.cards()})
        return recording

    def act(self, actor: Actor, act: RecordSet | Agree) -> None:
        reply = self.spaces.act(SPACE, actor, act)
        assert isinstance(reply, Done), reply

    def refused(self, actor: Actor, act: RecordSet) -> Error:
        reply = self.spaces.act(SPACE, actor, act)
        assert isinstance(reply, Error), reply
        return reply

    def req(self) -> str:
        self.number += 1
        return f"req-{self.number}"

    def tape(self, guest: Guest | str, pcm: Pcm, at: float) -> list[bytes]:
        """Let somebody talk alone; return the packets."""
        encoder, packets = Encoder(), []
        member = guest if isinstance(guest, str) else guest.id
        for n, frame in enumerate(
            pcm[: pcm.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, 960)
        ):
            payload, when = encoder.encode(frame), at + n * FRAME_S
            packets.append(payload)
            for whose, base in ((member, 7), (None, 2**31)):
                stamp = (base + round(when * 48_000)) % 2**32
                self.media.taped(Tape(SPACE, whose, stamp, payload, n == 0, when))
        return packets

    def browser_of(self, guest: Guest) -> Browser:
        """Return the browser of the same person."""
        browser = Browser(self)
        desk = self.server._desk
        assert desk is not None
        key = guest.handshake._hello.key
        text = tickets.seal(desk.secret, key, guest.name)
        browser.http.cookie_jar.update_cookies({tickets.VISITOR_COOKIE: text})
        return browser


def hub_config(**settings: int) -> HubConfig:
    """Return the settings of a hub with nothing in the way."""
    return HubConfig(
        space=HOUSE.space,
        web=replace(HOUSE.web, secure_port=0),
        bind=("127.0.0.1",),
        trust=TrustConfig(boxes=Boxes.ANYONE),
        port=0,
        recording=RecordingConfig(**{"min_free_mb": 10, **settings}),
    )


@contextlib.asynccontextmanager
async def recording_hub(data: Path, **settings: int) -> AsyncIterator[RecordingHub]:
    """Run a hub that can record."""
    hub = RecordingHub(hub_config(**settings), data)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.aclose()


async def enter(hub: Hub, *guests: Guest) -> list[Snapshot]:
    return [await guest.enter(hub, SPACE) for guest in guests]


def loud(pcm: Pcm) -> float:
    return float(np.abs(pcm.astype(float)).mean())
