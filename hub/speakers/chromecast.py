"""Google's Cast devices: they are told an address and fetch the sound themselves.

The library has a thread for each device that plays, and tells from it what it hears; here
that is handed to the event loop in one place. It is asked for nothing that would wait.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pychromecast
from pychromecast.controllers.media import MediaStatus, MediaStatusListener
from pychromecast.controllers.receiver import (
    CastStatus,
    CastStatusListener,
    LaunchErrorListener,
    LaunchFailure,
)
from pychromecast.error import PyChromecastError
from pychromecast.models import CastInfo, HostServiceInfo
from pychromecast.socket_client import ConnectionStatus, ConnectionStatusListener

from hub.speakers.announced import AnnouncedHouse
from hub.speakers.chromecast_terms import (
    PLAYER_APP,
    SERVICE,
    Device,
    Now,
    found,
    is_ours,
    media,
    plays,
    verdict,
)
from hub.speakers.terms import (
    Cause,
    Found,
    Kind,
    Sound,
    SpeakerError,
    Told,
)

CONNECT_S: Final = 3.0
PLAY_S: Final = 9.0
STOP_S: Final = 2.0
_LOOK_S: Final = 0.05
_GONE: Final = frozenset({"LOST", "DISCONNECTED", "FAILED", "FAILED_RESOLVE"})
# What a device says of a wish that it does not fulfil.
_NO: Final = frozenset({"LOAD_FAILED", "LOAD_CANCELLED", "INVALID_REQUEST", "LAUNCH_ERROR"})

# What goes wrong is said in the speaker's own state.
logging.getLogger("pychromecast").setLevel(logging.CRITICAL)


class ChromecastHouse(AnnouncedHouse):
    """Implements ``Adapter``."""

    kind = Kind.CHROMECAST
    services: tuple[str, ...] = (SERVICE,)

    def __init__(self) -> None:
        super().__init__(found)

    def player(self, speaker: Found) -> "ChromecastPlayer":
        """See ``Adapter``."""
        return ChromecastPlayer(Device.of(speaker.key))


class ChromecastPlayer:
    """Implements ``Player`` by a device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._cast: pychromecast.Chromecast | None = None
        self._told: Callable[[Told], None] = _unheard
        self._now = Now()
        self._url = ""
        self._level: float | None = None
        self._news = asyncio.Event()
        self._broken: SpeakerError | None = None
        self._connected = False

    async def play(self, sound: Sound, told: Callable[[Told], None]) -> None:
        """See ``Player``."""
        self._told = told
        self._url, kind = media(sound)
        self._cast = cast = _open(self._device)
        self._follow(cast)
        cast.start()
        try:
            async with asyncio.timeout(PLAY_S):
                await self._until(lambda: self._connected and self._level is not None)
                self._ask(
                    cast.media_controller.play_media,
                    self._url,
                    kind,
                    title=sound.title,
                    callback_function=self._answered,
                )
                await self._until(lambda: plays(self._now, self._url))
        except TimeoutError:
            raise SpeakerError(Cause.NO_ANSWER, "The speaker does not play it.") from None

    async def stay(self) -> None:
        """See ``Player``."""
        if self._cast is None:
            raise SpeakerError(Cause.LOST, "It does not play.")
        while True:
            self._news.clear()
            over = self._broken or verdict(self._now, self._url)
            if over is not None:
                raise over
            await self._news.wait()

    async def set_volume(self, level: float) -> None:
        """See ``Player``."""
        if self._cast is None:
            raise SpeakerError(Cause.LOST, "It does not play.")
        wish = {"type": "SET_VOLUME", "volume": {"level": min(max(level, 0.0), 1.0)}}
        self._ask(self._cast.socket_client.receiver_controller.send_message, wish)

    async def stop(self) -> None:
        """See ``Player``."""
        cast, self._cast = self._cast, None
        if cast is None:
            return
        client = cast.socket_client
        if self._broken is None and is_ours(self._now, self._url) and plays(self._now, self._url):
            with contextlib.suppress(SpeakerError):
                self._ask(client.receiver_controller.stop_app)
        client.disconnect()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                while client.is_alive():  # noqa: ASYNC110 - a thread that ends says nothing
                    await asyncio.sleep(_LOOK_S)

    # --- private --------------------------------------------------------------

    def _follow(self, cast: pychromecast.Chromecast) -> None:
        ears = _Ears(self._hand_over, self._status, self._media, self._failed, self._line)
        cast.register_status_listener(ears)
        cast.register_launch_error_listener(ears)
        cast.register_connection_listener(ears)
        cast.media_controller.register_status_listener(ears)

    def _hand_over(self, call: Callable[..., None], *args: object) -> None:
        """Call this on the event loop. The library's thread comes here, and nowhere else."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the hub has ended
            self._loop.call_soon_threadsafe(call, *args)

    async def _until(self, happens: Callable[[], bool]) -> None:
        while not happens():
            self._news.clear()
            if self._broken is not None:
                raise self._broken
            await self._news.wait()

    def _ask(self, call: Callable[..., None], *args: object, **more: object) -> None:
        """Send something, whose answer will be news.

        Raises:
            SpeakerError: there is no connection any more.
        """
        try:
            call(*args, **more)
        except (PyChromecastError, OSError, ValueError) as error:
            detail = f"The speaker cannot be reached ({type(error).__name__})."
            raise SpeakerError(Cause.LOST, detail) from None

    def _answered(self, sent: bool, answer: Mapping[str, object] | None) -> None:
        """Hear what became of our wish; in the library's thread."""
        said = _text((answer or {}).get("type"))
        if not sent or said in _NO:
            self._hand_over(self._failed, said.lower().replace("_", " ") or "not sent")

    def _status(self, app: str, level: float | None) -> None:
        before = self._now
        self._now = replace(before, app=app) if app == before.app else Now(app)
        if level is not None and level != self._level:
            self._level = level
            self._told(Told(min(max(level, 0.0), 1.0)))
        self._news.set()

    def _media(self, url: str, state: str, reason: str) -> None:
        self._now = replace(self._now, app=self._now.app or PLAYER_APP, url=url, state=state)
        self._now = replace(self._now, reason=reason)
        self._news.set()

    def _failed(self, detail: str) -> None:
        self._break(SpeakerError(Cause.BAD_ANSWER, f"The speaker cannot play it ({detail})."))

    def _line(self, status: str) -> None:
        if status == "CONNECTED":
            self._connected = True
        elif status in _GONE:
            if self._connected:
                self._break(SpeakerError(Cause.LOST, "The connection to the speaker broke."))
            else:
                detail = "The speaker cannot be reached."
                self._break(SpeakerError(Cause.UNREACHABLE, detail))
        self._news.set()

    def _break(self, error: SpeakerError) -> None:
        self._broken = self._broken or error
        self._news.set()


class _Ears(CastStatusListener, MediaStatusListener, LaunchErrorListener, ConnectionStatusListener):
    """What the library calls from its thread; ``hand`` brings it to the event loop."""

    def __init__(self, hand: Callable[..., None], *to: Callable[..., None]) -> None:
        self._hand = hand
        self._status, self._media, self._failed, self._line = to

    def new_cast_status(self, status: CastStatus) -> None:
        """Hear what runs there, and how loud."""
        self._hand(self._status, _text(status.app_id), _number(status.volume_level))

    def new_media_status(self, status: MediaStatus) -> None:
        """Hear what is played."""
        told = (status.content_id, status.player_state, status.idle_reason)
        self._hand(self._media, *map(_text, told))

    def load_media_failed(self, queue_item_id: int, error_code: int) -> None:  # noqa: ARG002
        """Hear that the stream cannot be played."""
        self._hand(self._failed, f"error {_text(error_code)[:20]}")

    def new_launch_error(self, status: LaunchFailure) -> None:
        """Hear that its player cannot be started."""
        self._hand(self._failed, _text(status.reason)[:60])

    def new_connection_status(self, status: ConnectionStatus) -> None:
        """Hear of the connection."""
        self._hand(self._line, status.status)


def _open(device: Device) -> pychromecast.Chromecast:
    place = HostServiceInfo(device.host, device.port)
    # Which type it is makes no difference here, and asking would wait.
    about: Mapping[str, Any] = {"cast_type": "audio", "manufacturer": None}
    info = CastInfo({place}, UUID(device.id), "", "", device.host, device.port, **about)
    cast = pychromecast.Chromecast(info, tries=1, timeout=CONNECT_S, retry_wait=CONNECT_S)
    client = cast.socket_client
    run = client.run

    def tidy() -> None:
        """Be the thread. Stopped while it connects the library fails, and leaves all open."""
        try:
            with contextlib.suppress(PyChromecastError, OSError):
                run()
        finally:
            for end in (client.socket, *client.socketpair, client.selector):
                if end is not None:
                    end.close()

    client.run = tidy  # type: ignore[method-assign]
    return cast


def _text(value: object) -> str:
    return "" if value is None else str(value)[:2_000]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _unheard(_told: Told) -> None:
    pass
