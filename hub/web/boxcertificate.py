"""The certificate by which boxes know the hub, and changing it without losing one."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from hub.trust.certificates import BoxCertificateError, BoxCertificates
from hub.web.call import Call
from hub.web.enrolment import certificates_of
from hub.web.problems import Refused, WebCode
from hub.web.route import Route, Who
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import CertificatePin


class BoxCertificate(Struct, frozen=True, kw_only=True):
    """By which certificates boxes know this hub.

    ``moved``: how many of ``boxes`` came with the newest of them last time.
    """

    pin: CertificatePin
    next: CertificatePin | None
    boxes: int
    moved: int


async def certificate(call: Call) -> BoxCertificate:
    """Tell by which certificates boxes know this hub."""
    pins = certificates_of(call).pins
    boxes = call.desk.house.trust.book.enrolled()
    return BoxCertificate(
        pin=pins[0],
        next=pins[1] if len(pins) > 1 else None,
        boxes=len(boxes),
        moved=sum(box.pin == pins[-1] for box in boxes),
    )


async def prepare(call: Call) -> BoxCertificate:
    """Make the next certificate and tell all boxes."""
    return await _change(call, BoxCertificates.make_next, "next certificate made")


async def finish(call: Call) -> BoxCertificate:
    """Take the next certificate for the one of now."""
    if len(certificates_of(call).pins) < 2:
        raise Refused(ErrorCode.OUT_OF_ORDER, "There is no next certificate: make it first.")
    return await _change(call, BoxCertificates.finish, "certificate changed")


async def _change(
    call: Call, change: Callable[[BoxCertificates], None], kind: str
) -> BoxCertificate:
    house, certificates = call.desk.house, certificates_of(call)
    try:
        change(certificates)
    except BoxCertificateError as error:
        raise Refused(WebCode.NOT_KEPT, f"The hub cannot keep this: {error}"[:200]) from None
    for session in house.book:
        session.tell_pins(certificates.pins)
    await house.trust.book.note(kind)
    return await certificate(call)


_NO_PORT: Final = (WebCode.NO_SECURE_PORT,)
ROUTES: Final = (
    Route(
        "GET",
        "/box-certificate",
        certificate,
        "By which certificates boxes know this hub.",
        who=Who.ADMIN,
        gives={200: BoxCertificate},
        errors=_NO_PORT,
    ),
    Route(
        "POST",
        "/box-certificate/next",
        prepare,
        "Make the next certificate for boxes.",
        who=Who.ADMIN,
        gives={200: BoxCertificate},
        errors=_NO_PORT,
    ),
    Route(
        "POST",
        "/box-certificate/finish",
        finish,
        "Use the next certificate for boxes alone.",
        who=Who.ADMIN,
        gives={200: BoxCertificate},
        errors=(*_NO_PORT, ErrorCode.OUT_OF_ORDER),
    ),
)
