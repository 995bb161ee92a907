"""One stay in one stage by Discord's own interface for bots. The only module that imports discord.

The library has threads of its own (they keep its connections alive, and one waits for
packets that nobody wants); it calls us on the event loop alone. Sound is handed to it packet
by packet, as it was coded: its player would have a clock of its own, and a thread more.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp

from hub.bridges.discord_machine import Shown, View
from hub.bridges.discord_terms import Stage, closed, refusal
from hub.bridges.discord_view import view_of
from hub.bridges.discord_voice import StageVoice
from hub.bridges.terms import Cause, FarError, reason

if TYPE_CHECKING:
    import discord

# To log in, see the server, and be in its stage: four round trips and a second of waiting.
JOIN_S: Final = 20.0
# The voice server's part of it.
VOICE_S: Final = 8.0
# Discord tells its servers one by one, without saying which is the last.
SERVERS_S: Final = 1.0
# The gateway may be away for a while: sound goes another way, and it is resumed.
AWAY_S: Final = 30.0
GOODBYE_S: Final = 2.0

# What goes wrong is said in the bridge's own state.
logging.getLogger("discord").setLevel(logging.CRITICAL)


def library() -> Any:  # noqa: ANN401 - a module that may not be there
    """Return the library, loaded.

    Raises:
        ImportError: it is not installed, or without what seals voice.
    """
    import davey  # noqa: F401, PLC0415 - optional, and looked for when it is too late
    import discord  # noqa: PLC0415 - optional
    import nacl.secret  # noqa: F401, PLC0415

    return discord


@dataclass(frozen=True, slots=True)
class News:
    """What is called, on the event loop; neither waits or fails.

    ``changed``: something about the stage looks otherwise; ``over``: it is over, for a reason.
    """

    changed: Callable[[], None]
    over: Callable[[FarError], None]


class Link:
    """One stay. ``connector``: another way to Discord than the usual one."""

    def __init__(self, stage: Stage, news: News, connector: aiohttp.BaseConnector | None) -> None:
        self._lib = library()
        intents = self._lib.Intents.none()
        intents.guilds = intents.voice_states = True
        self._client = self._lib.Client(
            intents=intents,
            max_messages=None,
            chunk_guilds_at_startup=False,
            guild_ready_timeout=SERVERS_S,
            connector=connector,
        )
        self._stage = stage
        self._news = news
        self._channel: discord.StageChannel | None = None
        self._voice: StageVoice | None = None
        self._running: asyncio.Task[None] | None = None
        self._away: asyncio.TimerHandle | None = None
        self._connections = 0
        self._leaves = False
        self._why: FarError | None = None
        for event, handler in (
            ("on_connect", self._connected),
            ("on_disconnect", self._cut),
            ("on_resumed", self._resumed),
            ("on_voice_state_update", self._changed),
            ("on_guild_channel_update", self._changed),  # rights may have changed
            ("on_guild_role_update", self._changed),
            ("on_guild_remove", self._removed),
            ("on_guild_channel_delete", self._deleted),
        ):
            setattr(self._client, event, handler)

    @property
    def is_connected(self) -> bool:
        """Whether the voice server has us."""
        return self._voice is not None and self._voice.is_connected

    async def join(self, token: str) -> None:
        """Be in the stage's audience.

        Raises:
            FarError: that is not to be had.
        """
        try:
            async with asyncio.timeout(JOIN_S):
                await self._client.login(token)
                self._running = asyncio.create_task(self._run())
                await self._ready()
                self._channel = self._found()
                client = await self._channel.connect(
                    timeout=VOICE_S, reconnect=False, self_deaf=True, cls=self._connection
                )
                self._voice = StageVoice(client, self._lib)
        except self._lib.HTTPException as error:
            raise refusal(error.status, error.text) from None
        except self._lib.LoginFailure:
            raise refusal(401, "") from None
        except TimeoutError:
            raise FarError(Cause.NO_ANSWER, "Discord does not answer in time.") from None
        except (aiohttp.ClientError, OSError) as error:
            why = f"Discord cannot be reached: {reason(error)}."
            raise FarError(Cause.UNREACHABLE, why) from None
        except FarError:
            raise
        except Exception as error:  # whatever an answer does to the library
            why = f"The library for Discord cannot use what it is told: {reason(error)}."
            raise FarError(Cause.BAD_ANSWER, why) from error

    def look(self) -> View | None:
        """Return what the stage looks like now; None: it was never joined."""
        if self._channel is None:
            return None
        view = view_of(self._channel)
        if view.shown is Shown.GONE and not self.is_connected and self._why is None:
            # Of a connection that broke the library lets go by itself.
            self._over(FarError(Cause.LOST, "The connection to Discord's voice server broke."))
        return view

    async def ask(self) -> None:
        """Ask to speak.

        Raises:
            FarError: Discord does not want that.
        """
        await self._told(lambda me: me.request_to_speak())

    async def step_up(self) -> None:
        """Let ourselves speak.

        Raises:
            FarError: Discord does not want that.
        """
        await self._told(lambda me: me.edit(suppress=False))

    async def permit(self, person: int, *, speaks: bool) -> None:
        """Invite somebody to speak, or move them to the audience.

        Raises:
            FarError: they are not there, or Discord does not want that.
        """
        member = self._channel.guild.get_member(person) if self._channel is not None else None
        if member is None:
            raise FarError(Cause.NOTHING_THERE, "Nobody of this number is there.")
        await self._asked(member.edit(suppress=not speaks))

    def send(self, payload: bytes, timestamp: int) -> bool:
        """Say one packet of Opus; False: it could not be."""
        return self._voice is not None and self._voice.send(payload, timestamp)

    def rest(self) -> None:
        """Nobody talks for now."""
        if self._voice is not None:
            self._voice.rest()

    async def leave(self) -> None:
        """Be gone; no longer than ``GOODBYE_S`` and a moment."""
        self._leaves = True
        if self._away is not None:
            self._away.cancel()
        if self._voice is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(GOODBYE_S / 2):
                    await self._voice.aclose()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(GOODBYE_S / 2):
                await self._client.close()
        with contextlib.suppress(Exception):  # what a goodbye without an answer left open
            await self._client.http.close()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    # --- what the library calls -----------------------------------------------

    async def _connected(self) -> None:
        # A session that was there before is gone, and its voice with it.
        self._connections += 1
        if self._connections > 1:
            self._over(FarError(Cause.LOST, "Discord began a new session."))

    async def _cut(self) -> None:
        if self._away is None:
            gone = FarError(Cause.LOST, "Discord's gateway was away for too long.")
            self._away = asyncio.get_running_loop().call_later(AWAY_S, self._over, gone)

    async def _resumed(self) -> None:
        if self._away is not None:
            self._away.cancel()
            self._away = None
        self._news.changed()

    async def _changed(self, *_: object) -> None:
        self._news.changed()

    async def _removed(self, guild: "discord.Guild") -> None:
        if guild.id == self._stage.guild:
            why = "The bot was removed from that server in Discord."
            self._over(FarError(Cause.REMOVED_THERE, why))

    async def _deleted(self, channel: "discord.abc.GuildChannel") -> None:
        if channel.id == self._stage.channel:
            self._over(FarError(Cause.ROOM_ENDED, "The stage was deleted in Discord."))

    # --- private --------------------------------------------------------------

    def _over(self, error: FarError) -> None:
        self._why = self._why or error
        self._news.over(error)

    async def _run(self) -> None:
        error = FarError(Cause.LOST, "The connection to Discord ended.")
        try:
            await self._client.connect(reconnect=True)
        except self._lib.ConnectionClosed as end:
            error = closed(end.code)
        except self._lib.PrivilegedIntentsRequired:
            error = closed(4014)
        except Exception as broken:  # noqa: BLE001 - whatever an answer does to the library
            error = FarError(Cause.LOST, f"Discord: {reason(broken)}.")
        self._over(error)

    async def _ready(self) -> None:
        """Wait until the servers are known, or the gateway does not want us."""
        ready = asyncio.ensure_future(self._client.wait_until_ready())
        running = self._running
        waits = {ready} if running is None else {ready, running}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if not ready.done() or ready.cancelled():
            raise self._why or FarError(Cause.LOST, "Discord's gateway ended it.")

    def _found(self) -> "discord.StageChannel":
        guild = self._client.get_guild(self._stage.guild)
        if guild is None or guild.me is None:
            why = "The bot is not on that server in Discord: invite it there first."
            raise FarError(Cause.NOT_ALLOWED, why)
        channel = guild.get_channel(self._stage.channel)
        if not isinstance(channel, self._lib.StageChannel):
            why = "There is no stage with this link, or the bot may not see it."
            raise FarError(Cause.NOTHING_THERE, why)
        if not channel.permissions_for(guild.me).connect:
            raise FarError(Cause.NOT_ALLOWED, "The bot has no right to connect to that stage.")
        return cast("discord.StageChannel", channel)

    def _connection(self, client: Any, channel: Any) -> Any:  # noqa: ANN401 - the library's
        """Return a voice connection that tells who took us out of the stage."""
        voice = self._lib.VoiceClient(client, channel)
        theirs = voice.on_voice_state_update

        async def ours(data: Mapping[str, Any]) -> None:
            out = data.get("channel_id") is None and bool(voice.is_connected())
            if out and self._voice is not None and not self._leaves:
                why = "Somebody put the bot out of the stage in Discord."
                self._over(FarError(Cause.REMOVED_THERE, why))
            await theirs(data)

        voice.on_voice_state_update = ours
        return voice

    async def _told(self, wish: "Callable[[discord.Member], Coroutine[Any, Any, Any]]") -> None:
        me = self._channel.guild.me if self._channel is not None else None
        if me is None:
            raise FarError(Cause.LOST, "The bot is in no stage.")
        await self._asked(wish(me))

    async def _asked(self, request: Coroutine[Any, Any, Any]) -> None:
        try:
            await request
        except self._lib.HTTPException as error:
            raise refusal(error.status, error.text) from None
        except (self._lib.DiscordException, aiohttp.ClientError, OSError) as error:
            raise FarError(Cause.LOST, f"Discord: {reason(error)}.") from None
