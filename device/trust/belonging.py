"""Whose box this is: what it keeps of its hub, and what each session with that hub adds."""

import logging
from typing import Final

from device.link.dial import Opened
from device.link.own import Own
from device.trust.kept import Kept
from device.trust.record import Phase, Record, confirmed, rolled
from stagebox.wire.handshake import are_pins_of
from stagebox.wire.messages import Pins

# What somebody must hear who looks for the reason in the log.
NOT_WRITTEN: Final = "%s cannot be written down (%s): it is lost when this box is switched off."

_log = logging.getLogger(__name__)


class Belonging:
    """``hub_pin``: the certificate of the hub that a box without an enrolment asks to let it in."""

    def __init__(self, kept: Kept, hub_pin: str | None = None) -> None:
        self._kept = kept
        self._hub_pin = hub_pin.lower() if hub_pin else None

    @property
    def record(self) -> Record | None:
        """The enrolment, if there is one."""
        return self._kept.record

    @property
    def own(self) -> Own | None:
        """The hub that this box talks to; None: it belongs to none."""
        record = self._kept.record
        if record is not None:
            return Own(record.pins, record.hub_id, record.hub_key, record.url)
        return None if self._hub_pin is None else Own((self._hub_pin,))

    def met(self, opened: Opened) -> None:
        """Take a session that was opened: the enrolment is whole, whatever it was before."""
        pin = opened.candidate.pin
        if pin is None:
            return
        hub, name, url = opened.challenge, opened.welcome.hub_name, opened.candidate.url
        record = self._kept.record
        if record is None:
            record = Record(
                phase=Phase.ACTIVE, hub_id=hub.hub_id, hub_key=hub.hub_key, hub_name=name, pin=pin
            )
        self._put(confirmed(record, pin, name, url))

    def told(self, pins: Pins, opened: Opened) -> None:
        """Take the certificates that the hub of this session names, if they are signed by it."""
        record = self._kept.record
        if record is None or opened.challenge.hub_key != record.hub_key:
            return
        if not are_pins_of(record.hub_key, opened.welcome.session, pins):
            _log.warning("certificates that the hub has not signed are left alone")
            return
        self._put(rolled(record, pins.pin, pins.next))

    def _put(self, record: Record) -> None:
        try:
            self._kept.put(record)
        except OSError as error:
            _log.warning(NOT_WRITTEN, "What the hub said", error.strerror)
