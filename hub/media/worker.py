"""A media process: one ``HubMedia``, told what to do by the mail in its inbox."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Final

import msgspec

from hub.media.channel import ChannelFullError, Reader, Writer
from hub.media.mail import (
    Answered,
    Beat,
    Birth,
    Connect,
    Disconnect,
    Ear,
    Failed,
    Gate,
    Hears,
    Home,
    Inbound,
    MailError,
    Meet,
    News,
    Part,
    Refused,
    Sound,
    Spoke,
    Stop,
    Tape,
    Taping,
    Voice,
    Volume,
    encode,
    read_inbound,
)
from hub.media.placing import MAIN
from hub.media.plane import HubMedia, Outlets
from hub.media.report import MediaReport
from hub.ports import BadOfferError, MediaError
from stagebox import logs

# Some for each deadline after which a process is taken for dead.
BEAT_S: Final = 0.25
# A process whose event loop stands still ends itself, should nobody be left to end it.
STUCK_S: Final = 5
# What one session may still need to say goodbye to its member.
STOP_S: Final = 3.0
# Sound has to be in time where control only has to come; allowed to root and by LimitNICE.
NICE: Final = -10

log = logging.getLogger(__name__)


def main(inbox: int, line: int, birth: Birth) -> None:
    """Be a media process until told to stop, or until the main process is gone."""
    logs.set_up(verbose=birth.verbose)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    asyncio.run(_serve(birth.process, socket.socket(fileno=inbox), socket.socket(fileno=line)))


async def _serve(process: int, inbox: socket.socket, line: socket.socket) -> None:
    over = asyncio.Event()
    worker = Worker(process, Writer(line.dup()), over)
    # Nothing ever comes down the line but its end, which is the main process's.
    watch = Reader(line, lambda _data, _descriptor: None, over.set)
    mail = Reader(inbox, worker.take)
    beat = asyncio.create_task(worker.beat())
    await over.wait()
    beat.cancel()
    mail.close()
    watch.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            await worker.aclose()


class Worker:
    """Does what the mail says; sets ``over`` when that is to stop."""

    def __init__(self, process: int, up: Writer, over: asyncio.Event) -> None:
        self._process = process
        self._up = up
        self._over = over
        self._unreadable = 0
        self._dropped = 0  # by lines to neighbours that are gone
        self._neighbours: dict[int, Writer] = {}
        self._connecting: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._media = HubMedia(Outlets(self._post, self._hears))
        self._media.on_audio(lambda member_id: self._tell(Spoke(member_id)))
        self._media.on_lost(lambda member_id, _spread_s: self._tell(Failed(member_id)))
        self._media.on_tape(self._copy)

    def take(self, data: memoryview, descriptor: int | None) -> None:
        """Do what one message says."""
        try:
            mail = read_inbound(data)
        except MailError as error:
            self._unreadable += 1
            log.error("unreadable mail for a media process: %s", error)
            return
        if isinstance(mail, Meet) and descriptor is not None:
            self._neighbours[mail.process] = Writer(socket.socket(fileno=descriptor))
        else:
            self._HANDLERS[type(mail)](self, mail)

    async def beat(self) -> None:
        """Say again and again that this process is alive, and what it counted."""
        while True:
            signal.alarm(STUCK_S)
            self._tell(Beat(self._report()))
            await asyncio.sleep(BEAT_S)

    async def aclose(self) -> None:
        """End all sessions."""
        for task in (*self._connecting.values(), *self._ending):
            task.cancel()
        await self._media.aclose()
        for neighbour in self._neighbours.values():
            neighbour.close()
        self._up.close()

    # --- what mail says ---------------------------------------------------------

    def _ignore(self, _mail: Inbound) -> None:
        """Do nothing: a ``Meet`` whose descriptor did not come is a process that is gone."""

    def _part(self, part: Part) -> None:
        writer = self._neighbours.pop(part.process, None)
        if writer is not None:
            self._dropped += writer.dropped
            writer.close()

    def _home(self, home: Home) -> None:
        if home.process == self._process:
            self._media.lead(home.space, home.epoch)
        else:
            self._media.follow(home.space, home.process, home.epoch)

    def _gate(self, gate: Gate) -> None:
        act = self._media.open_gate if gate.is_open else self._media.close_gate
        act(gate.space, gate.member)

    def _ear(self, ear: Ear) -> None:
        self._media.far_ear(ear.space, ear.member, ear.process)

    def _volume(self, volume: Volume) -> None:
        self._media.set_volume(volume.space, volume.member, volume.percent)

    def _taping(self, taping: Taping) -> None:
        self._media.tape(taping.space, taping.on)

    def _connect(self, connect: Connect) -> None:
        older = self._connecting.pop(connect.member, None)
        if older is not None:
            older.cancel()
        task = asyncio.create_task(self._answer(connect))
        self._connecting[connect.member] = task
        task.add_done_callback(partial(self._connected, connect.member))

    def _connected(self, member_id: str, task: "asyncio.Task[None]") -> None:
        if self._connecting.get(member_id) is task:
            del self._connecting[member_id]

    def _disconnect(self, disconnect: Disconnect) -> None:
        pending = self._connecting.pop(disconnect.member, None)
        if pending is not None:
            pending.cancel()
        task = asyncio.create_task(self._media.disconnect(disconnect.member))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _voice(self, voice: Voice) -> None:
        self._media.voice(voice)

    def _sound(self, sound: Sound) -> None:
        self._media.sound(sound)

    def _stop(self, _stop: Stop) -> None:
        self._over.set()

    _HANDLERS: ClassVar[Mapping[type[Inbound], Callable[[Any, Any], None]]] = {
        Meet: _ignore,
        Part: _part,
        Home: _home,
        Gate: _gate,
        Ear: _ear,
        Volume: _volume,
        Taping: _taping,
        Connect: _connect,
        Disconnect: _disconnect,
        Voice: _voice,
        Sound: _sound,
        Stop: _stop,
    }

    # --- what others are told ---------------------------------------------------

    async def _answer(self, connect: Connect) -> None:
        try:
            sdp = await self._media.connect(
                connect.member, connect.space, connect.sdp, connect.local_address
            )
        except BadOfferError as error:
            self._tell(Refused(connect.call, True, str(error)))
        except MediaError as error:
            self._tell(Refused(connect.call, False, str(error)))
        except Exception:
            log.exception("answering an offer failed")
            self._tell(Refused(connect.call, False, "The hub failed to answer: offer again."))
        else:
            self._tell(Answered(connect.call, sdp))

    def _post(self, processes: tuple[int, ...], mail: Voice | Sound) -> None:
        data = encode(mail)
        for process in processes:
            neighbour = self._up if process == MAIN else self._neighbours.get(process)
            if neighbour is None:
                self._dropped += 1
            else:
                neighbour.offer(data)

    def _hears(self, space_id: str, member_id: str, on: bool) -> None:
        self._tell(Hears(space_id, member_id, on))

    def _copy(self, tape: Tape) -> None:
        """Send a copy up now or never: what was taped is no word that must come."""
        self._up.offer(encode(tape))

    def _tell(self, news: News) -> None:
        try:
            self._up.order(encode(news))
        except ChannelFullError:
            # The main process has not read for seconds, and can be told nothing any more.
            log.error("the hub's main process hangs: this media process ends")
            self._over.set()

    def _report(self) -> MediaReport:
        dropped = (
            self._dropped
            + self._up.dropped
            + sum(each.dropped for each in self._neighbours.values())
        )
        drops = {"dropped": dropped, "unreadable": self._unreadable}
        return msgspec.structs.replace(self._media.report(), channel_drops=drops)
