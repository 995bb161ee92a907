"""What is wrong with a box's own parts: kept for who looks on, told in the log and by the lamp."""

import logging

from device.audio.health import DeviceState, DeviceStatus
from device.buttons.panellink import Trouble
from device.events import EventLog
from device.floor.model import Say
from device.panelnews import PanelNews
from device.tally import Tally
from device.view.status import Status

_log = logging.getLogger(__name__)


class Complaints:
    """Takes what the box itself cannot mend, and that it is over."""

    def __init__(self, events: EventLog, status: Status, tally: Tally) -> None:
        self._events = events
        self._status = status
        self._tally = tally
        self._broken: set[str] = set()
        self._panel = PanelNews()

    @property
    def has_sound(self) -> bool:
        """Whether the sound devices are there, after they were looked for."""
        return bool(self._status.devices) and not self._broken

    def problem(self, code: str, detail: str | None) -> None:
        """Take something that is wrong, in a sentence; None: it is over."""
        if detail is None:
            _log.info("%s: all right again", code)
            self._events.emit("mended", code=code)
            return
        _log.warning("%s: %s", code, detail)
        self._events.emit("error", code=code, detail=detail)

    def device(self, kind: str, state: DeviceState) -> None:
        """Take a change of the microphone or the loudspeaker."""
        self._events.emit(
            "device", kind=kind, state=state.status, label=state.label, detail=state.detail
        )
        trouble = f"{state.status}. {state.detail}"
        ready = state.status is DeviceStatus.READY
        self._status.devices[kind] = state.label if ready else trouble
        (self._broken.discard if ready else self._broken.add)(kind)
        self._tally.sound(not self._broken)

    def panel(self, trouble: str, kind: Trouble | None) -> list[Say]:
        """Take how the panel on a cable does; return what its user is to be told."""
        was_wrong = self._panel.is_wrong
        said = self._panel.feed(kind)
        if trouble or was_wrong:
            self.problem("panel", trouble or None)
        return said
