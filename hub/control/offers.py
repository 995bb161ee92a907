"""Answering one member's media offers while its session goes on."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from hub.ports import BadOfferError, MediaError, MediaPlane
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error, HubMessage, MediaAnswer, MediaOffer

_MAX_DETAIL: Final = 200  # as messages.Detail
_BUSY_RETRY_S: Final = 1.0

log = logging.getLogger(__name__)


class OfferDesk:
    """At most one offer is being answered; the answer or an error goes to ``send``."""

    def __init__(
        self,
        media: MediaPlane,
        slots: asyncio.Semaphore,
        deadline_s: float,
        send: Callable[[HubMessage], None],
    ) -> None:
        self._media = media
        self._slots = slots
        self._deadline_s = deadline_s
        self._send = send
        self._pending: asyncio.Task[None] | None = None
        self._req: str | None = None
        self._answer: MediaAnswer | None = None

    def offer(
        self, offer: MediaOffer, member_id: str, space_id: str, local_address: str | None
    ) -> None:
        """Start answering; an offer that is repeated gets its one answer again."""
        if self._pending is not None:
            if offer.req != self._req:
                detail = "Your last offer is still being answered: wait for that."
                self._send(_error(ErrorCode.MEDIA_FAILED, detail, offer.req, _BUSY_RETRY_S))
            return
        if self._answer is not None and self._answer.req == offer.req:
            self._send(self._answer)
            return
        self._req = offer.req
        work = self._work(offer, member_id, space_id, local_address)
        self._pending = asyncio.create_task(work)
        self._pending.add_done_callback(self._done)

    def cancel(self) -> None:
        """Forget the pending offer and the last answer."""
        self._answer = None
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def _done(self, task: "asyncio.Task[None]") -> None:
        if self._pending is task:
            self._pending = None

    async def _work(
        self, offer: MediaOffer, member_id: str, space_id: str, local_address: str | None
    ) -> None:
        try:
            async with asyncio.timeout(self._deadline_s), self._slots:
                sdp = await self._media.connect(member_id, space_id, offer.sdp, local_address)
        except BadOfferError as error:
            self._send(_error(ErrorCode.BAD_SDP, str(error), offer.req))
        except MediaError as error:
            self._send(_error(ErrorCode.MEDIA_FAILED, str(error), offer.req, _BUSY_RETRY_S))
        except TimeoutError:
            detail = f"No media session within {self._deadline_s:g} s: offer again."
            self._send(_error(ErrorCode.MEDIA_FAILED, detail, offer.req))
        except Exception:
            log.exception("answering an offer failed")
            detail = "The hub failed to answer: offer again."
            self._send(_error(ErrorCode.MEDIA_FAILED, detail, offer.req))
        else:
            self._answer = MediaAnswer(req=offer.req, sdp=sdp)
            self._send(self._answer)


def _error(code: ErrorCode, detail: str, req: str, retry_after_s: float = 0) -> Error:
    return Error(code=code, detail=detail[:_MAX_DETAIL], req=req, retry_after_s=retry_after_s)
