"""What the floor decides about the microphone, carried to the sender."""

from collections.abc import Callable

from device.floor.model import CutBurst, EndBurst, StartBurst
from device.transmitter import Transmitter


class Air:
    """Opens and closes the microphone's way out. Pure, as the sender is."""

    def __init__(self, transmitter: Transmitter, quiet_from: Callable[[], float]) -> None:
        """``quiet_from``: the second from which on the loudspeaker is not heard in what leaves."""
        self._transmitter = transmitter
        self._quiet_from = quiet_from
        self._is_ending = False

    def drive(self, effect: StartBurst | EndBurst | CutBurst, now: float) -> None:
        """Carry out an effect, at ``now``."""
        match effect:
            case StartBurst(since):
                self._is_ending = False
                self._transmitter.open(since, self._quiet_from())
            case EndBurst(until):
                self._transmitter.close(until)
                self._is_ending = True
            case _:
                self._transmitter.cut(now)

    def is_over(self) -> bool:
        """Tell, once, that the burst which was ended has left."""
        if not self._is_ending or self._transmitter.is_open:
            return False
        self._is_ending = False
        return True
