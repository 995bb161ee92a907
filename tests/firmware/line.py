"""One direction of a serial line that is as bad as it is told to be."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """``drop``, ``flip``: of each byte. ``split``: that the rest waits. ``noise``: bytes put in."""

    drop: float = 0.0
    flip: float = 0.0
    split: float = 0.0
    noise: float = 0.0
    cut: bool = False


CLEAN = Faults()
REGIMES = (
    CLEAN,
    Faults(drop=0.01),
    Faults(flip=0.01),
    Faults(split=0.5),
    Faults(noise=0.2),
    Faults(drop=0.005, flip=0.005, split=0.3, noise=0.1),
    Faults(cut=True),
)


class Line:
    """``last_at``: when a byte last came through, in ms."""

    def __init__(self, chance: random.Random) -> None:
        self.faults = CLEAN
        self.damaged = 0
        self.last_at = -1_000_000
        self._chance = chance
        self._waiting = b""

    def carry(self, data: bytes, now: int) -> bytes:
        """Return what comes out at the other end now."""
        faults, chance = self.faults, self._chance
        if faults.cut:
            self.damaged += len(data)
            self._waiting = b""
            return b""
        data, self._waiting = self._waiting + data, b""
        if chance.random() < faults.split and len(data) > 1:
            at = chance.randrange(1, len(data))
            data, self._waiting = data[:at], data[at:]
        out = bytearray()
        if chance.random() < faults.noise:
            out += chance.randbytes(chance.randrange(1, 40))
        for byte in data:
            if chance.random() < faults.drop:
                self.damaged += 1
            elif chance.random() < faults.flip:
                self.damaged += 1
                out.append(byte ^ 1 << chance.randrange(8))
            else:
                out.append(byte)
        if out:
            self.last_at = now
        return bytes(out)
