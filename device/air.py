"""What the floor decides about the microphone, carried to the sender."""

from collections.abc import Callable, Iterable
from math import inf

from device.floor.model import CutBurst, Effect, EndBurst, Say, StartBurst
from device.transmitter import Transmitter


class Air:
    """Opens and closes the microphone's way out. Pure, as the sender is."""

    def __init__(self, transmitter: Transmitter, quiet_from: Callable[[], float]) -> None:
        """``quiet_from``: the second from which on the loudspeaker is not heard in what leaves."""
        self._transmitter = transmitter
        self._quiet_from = quiet_from
        self._quiet = -inf
        self._is_ending = False

    def look(self) -> None:
        """Note until when the loudspeaker is heard, before a tone that tells of a burst sounds."""
        self._quiet = self._quiet_from()

    def drive(self, effect: StartBurst | EndBurst | CutBurst, now: float) -> None:
        """Carry out an effect, at ``now``."""
        match effect:
            case StartBurst(since):
                self._is_ending = False
                self._transmitter.open(since, self._quiet)
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


def in_order(effects: Iterable[Effect]) -> list[Effect]:
    """Return the effects with what is said of a burst before it begins.

    It begins with all that was captured since the press, whose encoding takes milliseconds: the
    talker would wait for the tone that long, and the tone takes next to nothing.
    """
    ordered: list[Effect] = []
    begins: list[Effect] = []
    for effect in effects:
        if isinstance(effect, StartBurst):
            begins.append(effect)
            continue
        if not isinstance(effect, Say):
            ordered += begins
            begins = []
        ordered.append(effect)
    return ordered + begins
