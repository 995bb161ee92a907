"""One stay in one LiveKit room: who is there, their voices, and ours. Run in a program of its own.

The only module of the hub that imports livekit.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from livekit import rtc

from hub.bridges.livekit_desk import Desk
from hub.bridges.livekit_mail import Entry, Join, Joined, May, News, Over, People, React, Say
from hub.bridges.livekit_sound import Mouth
from hub.bridges.livekit_terms import (
    HAND_ATTRIBUTES,
    MAX_SHOWN,
    REACTION_TOPIC,
    ended,
    fitting,
    has_hand,
    mark_of,
    refusal,
    sign_of,
)
from hub.bridges.livekit_voices import Source, Voices, is_voice
from hub.bridges.terms import Cause, FarError, clean_text
from stagebox.bucket import TokenBucket
from stagebox.wire.terms import Mark

# One try of the library to reach the server; the bridge tries again by itself.
CONNECT_S: Final = 4.0
GOODBYE_S: Final = 1.0
# What a voice costs on the way there: twice what the hub's own coder takes.
BITRATE: Final = 48_000
# What a server has to say of an end comes together with it; a busy machine reads it later.
_WHY_S: Final = 0.5
# More is a flood: a space shows one of each member in a second.
MOST_REACTIONS_PER_S: Final = 5
# Of what we send it reports every second, in every case; one report may be lost on the way.
_DEAF_S: Final = 2.5
_LOOK_S: Final = 0.5
# A lively room changes its list many times a second; nobody reads faster than this.
_SETTLE_S: Final = 0.1


class Stay:
    """One stay. ``tell`` gets the news; ``Over`` is told once, by ``run``."""

    def __init__(self, order: Join, tell: Callable[[News], None]) -> None:
        self._order = order
        self._tell = tell
        self._desk = Desk(order)
        self._room = rtc.Room()
        self._source = Source()
        self._mouth = Mouth(self._source)
        self._voices = Voices(self._room, tell)
        self._over: asyncio.Future[FarError] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._talking: frozenset[str] = frozenset()
        self._told: tuple[Entry, ...] = ()
        self._settling: asyncio.TimerHandle | None = None
        self._published = ""
        self._publishing = asyncio.Lock()
        self._hand = False
        now = asyncio.get_running_loop().time()
        self._reactions = TokenBucket(MOST_REACTIONS_PER_S, MOST_REACTIONS_PER_S, now)

    async def run(self) -> None:
        """Be there until it is over, and tell why it is."""
        try:
            await self._join()
            # Not awaited: a server that dies in the middle of it never answers.
            self._spawn(self._voice())
            self._spawn(self._mouth.run())
            self._spawn(self._ask())
            self._spawn(self._watch())
            raise await self._over
        except FarError as error:
            self._tell(Over(error.cause, error.detail))
        except Exception as error:  # noqa: BLE001 - whatever the library has to say
            self._tell(Over(Cause.FAILED, clean_text(f"LiveKit's library failed: {error!r}.")))

    def say(self, say: Say) -> None:
        """Let the room hear a packet."""
        if self._published:
            self._mouth.put(say)
        elif not self._hand:
            self._spawn(self._raise(up=True))

    def show(self, name: str) -> None:
        """Be called so."""
        self._spawn(self._name(name))

    def react(self, mark: Mark) -> None:
        """Show a mark over there."""
        self._spawn(self._react(mark))

    def permit(self, identity: str, *, speaks: bool) -> None:
        """Give somebody over there the right to speak, or take it away."""
        self._spawn(self._desk.permit(identity, speaks=speaks))

    async def aclose(self) -> None:
        """Say goodbye; no longer than ``GOODBYE_S``."""
        self._voices.close()
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError, Exception):
            async with asyncio.timeout(GOODBYE_S):
                await self._room.disconnect()

    # --- coming in ------------------------------------------------------------

    async def _join(self) -> None:
        order = self._order
        if order.must_be_there:
            await self._desk.find()
        self._voices.follow()
        self._follow()
        token = order.token or self._desk.token()
        options = rtc.RoomOptions(auto_subscribe=False, connect_timeout=CONNECT_S)
        try:
            async with asyncio.timeout(CONNECT_S + 1):
                await self._room.connect(order.url, token, options)
        except rtc.ConnectError as error:
            raise refusal(error.message) from None
        except TimeoutError:
            raise FarError(Cause.NO_ANSWER, "LiveKit does not answer in time.") from None
        me = self._room.local_participant
        if me.name != order.name:
            if not me.permissions.can_update_metadata:
                why = "The join token must let its bearer change its name (canUpdateOwnMetadata)."
                raise FarError(Cause.NOT_ALLOWED, why)
            await me.set_name(order.name)
        for each in self._room.remote_participants.values():
            self._voices.subscribe(each.track_publications.values())
        self._told = self._entries()
        self._tell(Joined(self._room.name, bool(order.key), self._told))

    # --- being there ------------------------------------------------------------

    def _follow(self) -> None:
        room = self._room
        for changed in (
            "participant_connected",
            "participant_disconnected",
            "participant_name_changed",
            "participant_attributes_changed",
            "track_muted",
            "track_unmuted",
            "track_unpublished",
        ):
            room.on(changed, lambda *_: self._changed())
        room.on("track_published", lambda *_: self._changed())
        room.on("active_speakers_changed", self._speakers)
        room.on("participant_permissions_changed", self._rights)
        room.on("data_received", self._data)
        room.on("reconnecting", self._reconnecting)
        room.on("disconnected", self._disconnected)

    def _reconnecting(self) -> None:
        # Whoever is put out is disconnected first, and told why after it.
        asyncio.get_running_loop().call_later(_WHY_S, self._end, ended("reconnecting"))

    def _disconnected(self, why: int) -> None:
        known = rtc.DisconnectReason.values()
        name = rtc.DisconnectReason.Name(why) if why in known else "unknown"  # type: ignore[arg-type]
        self._end(ended(name))

    def _end(self, error: FarError) -> None:
        if not self._over.done():
            self._over.set_result(error)

    def _data(self, packet: rtc.DataPacket) -> None:
        mark = mark_of(packet.data) if packet.topic == REACTION_TOPIC else None
        if mark is not None and self._reactions.take(asyncio.get_running_loop().time()):
            self._tell(React(mark))

    def _speakers(self, speakers: list[rtc.Participant]) -> None:
        self._talking = frozenset(each.identity for each in speakers)
        self._changed()

    def _changed(self) -> None:
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(_SETTLE_S, self._settled)

    def _settled(self) -> None:
        self._settling = None
        entries = self._entries()
        if entries != self._told:
            self._told = entries
            self._tell(People(entries))

    def _entries(self) -> tuple[Entry, ...]:
        return fitting(self._entry(each) for each in self._room.remote_participants.values())

    def _entry(self, each: rtc.RemoteParticipant) -> Entry:
        voices = [one for one in each.track_publications.values() if is_voice(one)]
        return Entry(
            # A longer one is nobody's whom rights can be given from here.
            identity=each.identity if len(each.identity) <= MAX_SHOWN else "",
            name=(each.name or each.identity)[:MAX_SHOWN],
            muted=not any(not one.muted for one in voices),
            talking=each.identity in self._talking,
            hand=has_hand(each.attributes),
            may_speak=each.permissions.can_publish,
        )

    # --- sound ------------------------------------------------------------------

    def _rights(self, participant: rtc.Participant, _permissions: object) -> None:
        self._changed()
        if participant.identity == self._room.local_participant.identity:
            self._spawn(self._voice())

    async def _voice(self) -> None:
        """Publish our voice if we may, and take it back if we may not any more."""
        async with self._publishing:
            await self._publish()

    async def _publish(self) -> None:
        me = self._room.local_participant
        may = me.permissions.can_publish
        if may and not self._published:
            track = rtc.LocalAudioTrack.create_audio_track("stagebox", self._source.source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, red=True)
            options.dtx = True  # silence of many hubs in one room would cost each of them
            options.audio_encoding.max_bitrate = BITRATE
            self._published = (await me.publish_track(track, options)).sid
        elif not may:
            self._published = ""
        if may and self._hand:
            await self._raise(up=False)
        self._tell(May(may))

    async def _raise(self, *, up: bool) -> None:
        """Show over there that somebody here wants to speak, by the usual attribute."""
        self._hand = up
        me = self._room.local_participant
        if me.permissions.can_update_metadata:
            await me.set_attributes({HAND_ATTRIBUTES[0]: "1" if up else ""})

    # --- requests -----------------------------------------------------------------

    async def _name(self, name: str) -> None:
        me = self._room.local_participant
        if me.permissions.can_update_metadata:
            await me.set_name(name)

    async def _ask(self) -> None:
        """Ask the server whether it is there, for ever: silence may last, and is no sign."""
        self._end(await self._desk.silence())

    async def _react(self, mark: Mark) -> None:
        with contextlib.suppress(rtc.participant.PublishDataError):
            await self._room.local_participant.publish_data(
                sign_of(mark), topic=REACTION_TOPIC, reliable=False
            )

    async def _watch(self) -> None:
        """Look whether anything comes back for our voice, for ever.

        With several nodes the one that answers may be well while the room's is gone.
        """
        clock = asyncio.get_running_loop()
        came, since = -1, clock.time()
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                stats = await self._room.get_rtc_stats()
            except RuntimeError:
                return  # it is over, and the library says why
            every = (*stats.publisher_stats, *stats.subscriber_stats)
            now_came = sum(each.candidate_pair.candidate_pair.packets_received for each in every)
            if now_came != came or not self._published:
                came, since = now_came, clock.time()
            elif clock.time() > since + _DEAF_S:
                self._end(FarError(Cause.LOST, "LiveKit's media does not come any more."))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._end(FarError(Cause.FAILED, f"The room's program failed: {error}."))
