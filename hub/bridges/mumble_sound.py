"""Voice with a Mumble server: by UDP while its pings come back, else inside the connection.

A server answers on the way on which it was spoken to last. So while no ping comes back one
goes through the connection, too, and by that what people say comes through it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from hub.bridges.blend import MAX_VOICES, Blend, Utterance
from hub.bridges.mumble_link import Datagrams, Link
from hub.bridges.mumble_ocb import Seal, SealError
from hub.bridges.mumble_room import Keys, Nonce, Speaks
from hub.bridges.mumble_voice import MAX_OPUS, STEP_SAMPLES, Count, Echo, Format, Voice
from hub.bridges.mumble_wire import Kind, WireError, message
from stagebox.bucket import TokenBucket
from stagebox.media.rtp import AudioPacket
from stagebox.media.toc import is_end_of_burst

# Three pings that do not come back are no accident any more.
UDP_PATIENCE_S: Final = 1.25
# The server is asked for its nonce when nothing it sends can be opened for so long.
RESYNC_S: Final = 1.0
# Each in packets of 10 ms, and as many more at once after a network stood still.
_MOST_PER_S: Final = MAX_VOICES * 100.0
_BURST: Final = 800
# Said to us alone, and so not to the space.
_WHISPER: Final = 2


class Sound:
    """Both directions. ``on_packet`` gets what is said there, ``on_voice`` who says it."""

    def __init__(
        self,
        on_packet: Callable[[AudioPacket, float], None],
        on_voice: Callable[[Voice, float], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self.strange = 0  # packets that could not be read
        self._on_packet = on_packet
        self._on_voice = on_voice
        self._format = Format()
        self._count = Count()
        self._blend = Blend(now)
        self._bucket = TokenBucket(_MOST_PER_S, _BURST, now)
        self._seal: Seal | None = None
        self._ways: Datagrams | None = None
        self._echo_at: float | None = None
        self._opened_at = self._asked_at = now

    @property
    def by_udp(self) -> bool:
        """Whether what we say goes by UDP now."""
        at = self._echo_at
        return at is not None and self._loop.time() - at < UDP_PATIENCE_S

    def set_up(self, effect: Keys | Nonce | Speaks, link: Link) -> None:
        """Take in what the server says of voice, or tell it what it asks for."""
        match effect:
            case Speaks(version):
                self._format = Format(version)
            case Keys(key, ours, theirs):
                self._seal = Seal(key, ours, theirs)
                self._opened_at = self._loop.time()
            case Nonce(theirs) if self._seal is not None and theirs:
                self._seal.resync(theirs)
            case Nonce() if self._seal is not None:
                link.tell(Kind.CRYPT_SETUP, message((2, self._seal.nonce)))
            case _:
                pass  # of a voice that has no key yet

    async def look(self, link: Link) -> None:
        """Do what is due with each ping: see whether packets come through."""
        now = self._loop.time()
        if self._seal is None:
            return
        if self._ways is None:
            ways = Datagrams(self._sealed)
            try:
                await ways.open(link.address)
            except OSError:
                return  # there is the connection
            self._ways = ways
        ping = self._format.ping(int(now * 1_000))
        self._ways.send(self._seal.seal(ping))
        if not self.by_udp:
            link.tell(Kind.UDP_TUNNEL, ping)

    def ask_nonce(self, link: Link) -> None:
        """Ask for the server's nonce if nothing that it sends can be opened."""
        now = self._loop.time()
        if self.strange and now - max(self._opened_at, self._asked_at) >= RESYNC_S:
            self.strange, self._asked_at = 0, now
            link.tell(Kind.CRYPT_SETUP, b"")

    def stats(self) -> tuple[tuple[int, int], ...]:
        """Return what pings tell of packets that came."""
        if self._seal is None:
            return ()
        counts = self._seal.counts
        return ((2, counts.good), (3, counts.late), (4, counts.lost), (5, counts.resync))

    def send(self, payload: bytes, timestamp: int, link: Link) -> bool:
        """Say one packet of Opus; False: it could not be."""
        if len(payload) > MAX_OPUS:
            return False
        count = self._count.take(timestamp)
        packet = self._format.voice(count, payload, last=is_end_of_burst(payload))
        if self._seal is not None and self._ways is not None and self.by_udp:
            self._ways.send(self._seal.seal(packet))
            return True
        return link.tell(Kind.UDP_TUNNEL, packet)

    def heard(self, packet: bytes) -> None:
        """Take in a packet, however it came."""
        now = self._loop.time()
        if not self._bucket.take(now):
            return
        try:
            found = self._format.read(packet)
        except WireError:
            self.strange += 1
            return
        if isinstance(found, Voice) and found.context != _WHISPER:
            self._on_voice(found, now)
            at = found.frame * STEP_SAMPLES
            for out in self._blend.take(
                Utterance(found.session, at, found.payload, found.last), now
            ):
                self._on_packet(out, now)

    def close(self) -> None:
        """Let go of UDP."""
        if self._ways is not None:
            self._ways.close()

    def _sealed(self, packet: bytes) -> None:
        if self._seal is None:
            return
        try:
            plain = self._seal.open(packet)
            found = self._format.read(plain)
        except (SealError, WireError):
            self.strange += 1
            return
        self._opened_at = self._loop.time()
        if isinstance(found, Echo):
            self._echo_at = self._opened_at
        else:
            self.heard(plain)
