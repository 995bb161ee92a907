"""What the hub says in a stage of Discord: packets as they were coded, by the library's socket."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final

import aiohttp

# Discord wants these five after the last word, so that nobody's ears guess on.
_SILENCE: Final = b"\xf8\xff\xfe"
_SILENCES: Final = 5


class StageVoice:
    """One connection to a voice server. ``client``: the library's; ``library``: itself."""

    def __init__(self, client: Any, library: Any) -> None:  # noqa: ANN401 - may not be there
        self._client = client
        self._states = library.SpeakingState
        self._broken = (library.DiscordException, aiohttp.ClientError, OSError, RuntimeError)
        self._speaks = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_connected(self) -> bool:
        """Whether the voice server has us."""
        return bool(self._client.is_connected())

    def send(self, payload: bytes, timestamp: int) -> bool:
        """Say one packet of Opus; False: it could not be."""
        if not self.is_connected:
            return False
        if not self._speaks:
            self._speaks = True
            self._spawn(self._ring(on=True))
        # The library counts on by 20 ms; ours may have 10 or 60, and pauses.
        self._client.timestamp = timestamp
        self._client.send_audio_packet(payload, encode=False)
        return True

    def rest(self) -> None:
        """Nobody talks for now."""
        if not self._speaks:
            return
        self._speaks = False
        if self.is_connected:
            for _ in range(_SILENCES):
                self._client.send_audio_packet(_SILENCE, encode=False)
            self._spawn(self._ring(on=False))

    async def aclose(self) -> None:
        """Say no more, and leave the channel; that waits for Discord's word."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.is_connected:
            await self._client.disconnect(force=True)

    # --- private --------------------------------------------------------------

    async def _ring(self, *, on: bool) -> None:
        """Tell the voice server whether we speak: people see a ring around our picture."""
        with contextlib.suppress(*self._broken):
            await self._client.ws.speak(self._states.voice if on else self._states.none)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
