"""Telephones whose cable is a socket, and the fingers for them."""

import socket
from pathlib import Path

from device.buttons.hid.descriptor import parse
from device.buttons.hid.phone import KEYS, LAMPS
from device.buttons.ports import Key
from device.buttons.speakerphone import Found, Speakerphone
from tests.appliance.guest.telephones import SPRINGING, Telephone


class Line:
    """A telephone whose cable is a socket: each report is one packet, as it is with hidraw."""

    def __init__(self, telephone: Telephone) -> None:
        self.telephone = telephone
        self.found: Found | None = None
        self.error: OSError | None = None
        self.opened = 0
        self.written: list[bytes] = []
        self._far: socket.socket | None = None
        self.plug()

    def plug(self) -> None:
        telephone = self.telephone
        layout = parse(telephone.descriptor, KEYS | LAMPS)
        self.found = Found(Path("/dev/hidraw0"), telephone.name, telephone.vendor, layout)

    def unplug(self) -> None:
        self.found = None
        self.hang_up()

    def find(self, match: str) -> Found | None:
        return self.found

    def open(self, found: Found) -> int:
        if self.error is not None:
            raise self.error
        self.hang_up()
        near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near.setblocking(False)
        self._far.setblocking(False)
        self.opened += 1
        return near.detach()

    def send(self, report: bytes) -> None:
        assert self._far is not None
        self._far.send(report)

    def lit(self) -> set[str]:
        """Return the lamps that were lit last."""
        self.receive()
        return self.telephone.lit(self.written[-1])[1] if self.written else set()

    def receive(self) -> None:
        try:
            while self._far is not None and (data := self._far.recv(64)):
                self.written.append(data)
        except OSError:
            return

    def hang_up(self) -> None:
        if self._far is not None:
            self.receive()
            self._far.close()
            self._far = None


class SpeakerphoneRig:
    holds_hand = True

    def __init__(self) -> None:
        self.names = {Key.TALK: "hook", Key.HAND: "flash"}
        self.line = Line(SPRINGING)
        self.panel = Speakerphone("any", self.line)
        self._down: set[str] = set()

    def move(self, key: Key, *, down: bool) -> None:
        if key is Key.MUTE:  # each press turns it
            self._send("mute", *self._down)
        else:
            (self._down.add if down else self._down.discard)(self.names[key])
        self._send(*self._down)

    def lamp(self) -> set[str]:
        return self.line.lit()

    def recording(self) -> bool:
        return "record" in self.line.lit()

    def dispose(self) -> None:
        self.line.hang_up()

    def _send(self, *keys: str) -> None:
        try:
            self.line.send(SPRINGING.report(0, *keys))
        except BrokenPipeError:  # the panel has let go of it
            return
