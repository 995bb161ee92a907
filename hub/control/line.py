"""A link that speaks the protocol: messages in and out, and manners.

Here a member's input is decoded, counted and limited. Whatever it sends, it gets a
typed error, and after some of those its own connection closes.
"""

import asyncio
from typing import Final

from aiohttp import WSMsgType
from aiohttp.http import WSMessageNoDecodeText

from hub.config import HubLimits
from hub.control.limits import Offences
from hub.control.link import Link
from hub.metrics import Metrics
from stagebox.bucket import TokenBucket
from stagebox.wire.causes import CloseCode, ErrorCode
from stagebox.wire.codec import DecodeError, decode_member, encode
from stagebox.wire.messages import Error, HubMessage, MemberMessage

# An honest member sends none; a few may come from a newer version.
MAX_MALFORMED: Final = 5
# A member that is told to slow down twice and does not is not listening.
MAX_TOO_FAST: Final = 3
TOO_FAST_WINDOW_S: Final = 10.0


class Line:
    """Messages of one member. ``heard_at`` is when its last good one came (loop time)."""

    def __init__(self, link: Link, limits: HubLimits, metrics: Metrics) -> None:
        self._loop = asyncio.get_running_loop()
        self.link = link
        self.heard_at = self._loop.time()
        self.reason = "closed"
        self._limits = limits
        self._metrics = metrics
        self._bucket = TokenBucket(limits.messages_per_s, limits.message_burst, self.heard_at)
        self._too_fast = Offences(MAX_TOO_FAST, TOO_FAST_WINDOW_S)
        self._malformed = 0

    def send(self, message: HubMessage) -> None:
        """Queue a message for the member."""
        self.link.send(encode(message).encode())

    def error(
        self, code: ErrorCode, detail: str, req: str | None = None, retry_after_s: float = 0
    ) -> None:
        """Count and send an error."""
        self._metrics.bad_messages.labels(code).inc()
        self.send(Error(code=code, detail=detail, req=req, retry_after_s=retry_after_s))

    def close(self, close: CloseCode, reason: str) -> None:
        """Close without a word; ``reason`` is for the metrics. Only the first reason counts."""
        if not self.link.closing:
            self.reason = reason
            self.link.close(close)

    def stop(
        self, close: CloseCode, reason: str, code: ErrorCode, detail: str, retry_after_s: float = 0
    ) -> None:
        """Say why and close."""
        if not self.link.closing:
            self.error(code, detail, retry_after_s=retry_after_s)
            self.close(close, reason)

    async def next(self) -> MemberMessage | None:
        """Return the next good message, or None when the connection is over."""
        while (frame := await self.link.receive()) is not None:
            now = self._loop.time()
            if not self._bucket.take(now):
                self._slow_down(now)
            elif frame.type is WSMsgType.PING:
                await self.link.pong(frame.data)
            elif frame.type is not WSMsgType.PONG:
                message = self._decode(frame)
                if message is not None:
                    self.heard_at = now
                    return message
        return None

    def _decode(self, frame: WSMessageNoDecodeText) -> MemberMessage | None:
        if frame.type is WSMsgType.ERROR:
            # It broke the WebSocket protocol; aiohttp is closing with 1002, 1007 or 1009.
            self._metrics.bad_messages.labels("frame").inc()
            self.reason = "bad_frame"
            return None
        try:
            if frame.type is not WSMsgType.TEXT:
                raise DecodeError(ErrorCode.MALFORMED, "Messages are JSON in text frames.")
            message = decode_member(frame.data)
        except DecodeError as error:
            self._complain(error)
            return None
        self._metrics.count_message(message)
        return message

    def _complain(self, error: DecodeError) -> None:
        self._malformed += 1
        if self._malformed >= MAX_MALFORMED:
            self.stop(CloseCode.MALFORMED, "malformed", error.code, error.detail)
        else:
            self.error(error.code, error.detail)

    def _slow_down(self, now: float) -> None:
        code, wait_s = ErrorCode.RATE_LIMITED, self._bucket.wait_s
        detail = f"More than {self._limits.messages_per_s:g} messages a second: slow down."
        if self._too_fast.add(now):
            self.stop(CloseCode.TOO_FAST, "too_fast", code, detail, wait_s)
        else:
            self.error(code, detail, retry_after_s=wait_s)
