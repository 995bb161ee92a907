"""DLNA: renderers (UPnP AV) that fetch a stream from the hub when they are told to.

They are asked how they are once a second: what they would tell by themselves needs a port
of ours that anybody can call.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from hub.speakers.dlna_http import Renderer, Requester, describe
from hub.speakers.dlna_search import search
from hub.speakers.dlna_terms import (
    MANAGER,
    PLAYING,
    RENDERING,
    TRANSPORT,
    choose,
    ended,
    is_ours,
)
from hub.speakers.port import Ear
from hub.speakers.terms import (
    MAX_SPEAKERS,
    Announced,
    Cause,
    Found,
    Kind,
    Sound,
    SpeakerError,
    Told,
    clean_name,
    clean_text,
    is_id,
)

# Renderers are asked for so often; one that was not seen so many times is gone.
SEARCH_S: Final = 30.0
MISSES: Final = 3
# One that is wanted and does not answer may have another port by now.
SOON_S: Final = 5.0
AT_ONCE: Final = 8

LOOK_S: Final = 1.0
# Many are slow to fetch a stream; TransitionNotAvailable and the like take their time, too.
BEGIN_S: Final = 6.0
# One that fetches nothing for so long is silent, whatever it says.
SILENT_S: Final = 5.0
_POLL_S: Final = 0.2
# All of it: a description in many pieces, each of them slow, is no description.
PLAY_S: Final = 10.0
STOP_S: Final = 2.5
# A request may get lost on bad Wi-Fi; the stream goes on.
_FORGIVEN: Final = 2
_IDLE: Final = frozenset({"STOPPED", "NO_MEDIA_PRESENT", ""})
_HUNDRED: Final = 100
_ONE: Final[dict[str, Any]] = {"InstanceID": 0}
_MASTER: Final[dict[str, Any]] = {**_ONE, "Channel": "Master"}

log = logging.getLogger(__name__)


class DlnaHouse:
    """Implements ``Adapter``. ``locations``: descriptions of those that no search finds.

    ``looks``: it may search the network.
    """

    kind = Kind.DLNA
    services: tuple[str, ...] = ()

    def __init__(self, locations: Iterable[str], *, looks: bool) -> None:
        self._fixed = tuple(locations)
        self._looks = looks
        self._missed: dict[str, int] = {}
        self._soon = asyncio.Event()

    async def run(self, ear: Ear) -> None:
        """See ``Adapter``."""
        self._missed.clear()
        while True:
            self._soon.clear()
            locations = {*self._fixed, *(await search() if self._looks else ())}
            self._tell(ear, await _describe_all(locations))
            await asyncio.sleep(SOON_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SEARCH_S - SOON_S):
                    await self._soon.wait()

    def announced(self, service: Announced) -> None:
        """See ``Adapter``: mDNS has nothing for it."""

    def withdrawn(self, service: str, name: str) -> None:
        """See ``Adapter``."""

    def player(self, speaker: Found) -> "DlnaPlayer":
        """See ``Adapter``."""
        return DlnaPlayer(speaker, self._soon.set)

    def _tell(self, ear: Ear, found: Iterable[Found]) -> None:
        seen = {each.id: each for each in found}
        for id_ in self._missed.keys() - seen.keys():
            self._missed[id_] += 1
            if self._missed[id_] >= MISSES:
                del self._missed[id_]
                ear.gone(id_)
        for id_, each in seen.items():
            self._missed[id_] = 0
            ear.found(each)


class DlnaPlayer:
    """Implements ``Player``. ``lost()`` is called when nothing answers at its address."""

    def __init__(self, speaker: Found, lost: Callable[[], None]) -> None:
        self._speaker = speaker
        self._lost = lost
        self._now = asyncio.get_running_loop().time
        self._told: Callable[[Told], None] = lambda _told: None
        self._requester: Requester | None = None
        self._renderer: Renderer | None = None
        self._url = ""
        self._sound: Sound | None = None
        self._fetched_at = 0.0

    async def play(self, sound: Sound, told: Callable[[Told], None]) -> None:
        """See ``Player``."""
        self._told, self._sound = told, sound
        try:
            async with asyncio.timeout(PLAY_S):
                await self._play(sound)
        except TimeoutError:
            self._lost()
            raise SpeakerError(Cause.NO_ANSWER, "It takes too long to answer.") from None
        except SpeakerError as error:
            if error.cause in {Cause.UNREACHABLE, Cause.NO_ANSWER}:
                self._lost()
            raise

    async def stay(self) -> None:
        """See ``Player``."""
        renderer = self._renderer
        if renderer is None:
            raise SpeakerError(Cause.FAILED, "It was never played.")
        missed = 0
        while True:
            try:
                await self._look(renderer)
                missed = 0
            except SpeakerError as error:
                missed += 1
                silent = error.cause in {Cause.UNREACHABLE, Cause.NO_ANSWER}
                if not silent:
                    raise
                if missed > _FORGIVEN:
                    self._lost()
                    raise SpeakerError(Cause.LOST, error.detail) from None
            await asyncio.sleep(LOOK_S)

    async def set_volume(self, level: float) -> None:
        """See ``Player``."""
        if self._renderer is None:
            raise SpeakerError(Cause.LOST, "It does not play.")
        wanted = round(_HUNDRED * min(1.0, max(0.0, level)))
        await self._renderer.ask(RENDERING, "SetVolume", **_MASTER, DesiredVolume=wanted)
        self._told(Told(wanted / _HUNDRED))

    async def stop(self) -> None:
        """See ``Player``."""
        renderer, requester = self._renderer, self._requester
        self._renderer = self._requester = None
        if renderer is not None:
            with contextlib.suppress(SpeakerError, TimeoutError):
                async with asyncio.timeout(STOP_S):
                    if is_ours(await _current(renderer), self._url):
                        await renderer.ask(TRANSPORT, "Stop", **_ONE)
        if requester is not None:
            await requester.aclose()

    # --- private --------------------------------------------------------------

    async def _play(self, sound: Sound) -> None:
        location = self._speaker.key
        self._requester = Requester(location)
        renderer = await Renderer.open(location, self._requester)
        sink = await self._sink(renderer)
        self._url, described = choose(sound, sink)
        self._renderer = renderer
        await _quiet(renderer)
        uri = {"CurrentURI": self._url, "CurrentURIMetaData": described}
        await renderer.ask(TRANSPORT, "SetAVTransportURI", **_ONE, **uri)
        await renderer.ask(TRANSPORT, "Play", **_ONE, Speed="1")
        await self._begun(renderer)

    async def _sink(self, renderer: Renderer) -> str:
        """Return what it takes, as it says; nothing if it does not."""
        if not renderer.has(MANAGER, "GetProtocolInfo"):
            return ""
        with contextlib.suppress(SpeakerError):
            return str((await renderer.ask(MANAGER, "GetProtocolInfo")).get("Sink", ""))
        return ""

    async def _begun(self, renderer: Renderer) -> None:
        """Wait until it plays."""
        detail = "It was told to play, and does not begin."
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEGIN_S):
                while True:
                    state, _status = await _state(renderer)
                    if state == PLAYING and self._fetches():
                        return
                    if state == PLAYING:
                        detail = "It says that it plays, and fetches nothing: can it reach the hub?"
                    await asyncio.sleep(_POLL_S)
        raise SpeakerError(Cause.LOST, detail)

    def _fetches(self) -> bool:
        fetches = self._sound is not None and self._sound.fetched()
        if fetches:
            self._fetched_at = self._now()
        return fetches

    async def _look(self, renderer: Renderer) -> None:
        over = ended(*await _state(renderer))
        if not is_ours(await _current(renderer), self._url):
            raise SpeakerError(Cause.TAKEN, "Somebody plays something else there.")
        if over is not None:
            raise over
        if not self._fetches() and self._now() - self._fetched_at > SILENT_S:
            raise SpeakerError(Cause.LOST, "It does not fetch the stream any more.")
        if renderer.has(RENDERING, "GetVolume"):
            said = await renderer.ask(RENDERING, "GetVolume", **_MASTER)
            volume = said.get("CurrentVolume")
            if isinstance(volume, int):
                self._told(Told(min(_HUNDRED, max(0, volume)) / _HUNDRED))


async def _state(renderer: Renderer) -> tuple[str, str]:
    said = await renderer.ask(TRANSPORT, "GetTransportInfo", **_ONE)
    return (
        str(said.get("CurrentTransportState", "")),
        str(said.get("CurrentTransportStatus", "")),
    )


async def _quiet(renderer: Renderer) -> None:
    """Stop whatever it plays: "Play" would else be nothing new to one that lost its stream."""
    with contextlib.suppress(SpeakerError):
        state, _status = await _state(renderer)
        if state not in _IDLE:
            await renderer.ask(TRANSPORT, "Stop", **_ONE)


async def _current(renderer: Renderer) -> str:
    if not renderer.has(TRANSPORT, "GetMediaInfo"):
        return ""
    return str((await renderer.ask(TRANSPORT, "GetMediaInfo", **_ONE)).get("CurrentURI") or "")


async def _describe_all(locations: Iterable[str]) -> list[Found]:
    """Return the renderers among so many; one that answers nonsense takes none with it."""
    slots = asyncio.Semaphore(AT_ONCE)
    chosen = sorted(locations)[:MAX_SPEAKERS]
    found = await asyncio.gather(*(_describe(each, slots) for each in chosen))
    return [each for each in found if each is not None]


async def _describe(location: str, slots: asyncio.Semaphore) -> Found | None:
    try:
        async with slots:
            udn, name = await describe(location)
            host = await _address(urlsplit(location).hostname or "")
    except (SpeakerError, TimeoutError, OSError) as error:
        log.debug("nothing to play on at %s: %s", clean_text(location), error)
        return None
    if not is_id(udn):
        return None
    shown = clean_text(urlsplit(location).netloc)
    return Found(Kind.DLNA, udn, clean_name(name), shown, host, location)


async def _address(host: str) -> str:
    """Return the IP address of a name from the settings; what is one stays.

    Raises:
        OSError: it has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(found[0][4][0])
