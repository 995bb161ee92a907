"""The program as a service: it tells systemd that it is ready, that it works, that it stops.

Only datagrams to the socket that systemd names (``sd_notify(3)``); without one nothing is
said. A program that hangs is silent, and systemd starts it anew.
"""

import asyncio
import faulthandler
import logging
import os
import socket
from collections.abc import Callable, Mapping, MutableMapping
from typing import Final

from stagebox.pulse import Pulse

_log = logging.getLogger(__name__)
# A line for people in ``systemctl status``.
_LONGEST_STATUS: Final = 200


class Service:
    """What systemd wants to know. Make it once, at the start.

    It takes what systemd said out of ``env``: no program that is started from here can then
    speak in our name.
    """

    def __init__(self, env: MutableMapping[str, str] | None = None) -> None:
        env = os.environ if env is None else env
        address = env.pop("NOTIFY_SOCKET", "")
        patience, pid = env.pop("WATCHDOG_USEC", ""), env.pop("WATCHDOG_PID", "")
        for_us = not pid or pid == str(os.getpid())
        self.patience_s = int(patience) / 1e6 if patience.isdigit() and for_us else 0.0
        self._line = _connect(address) if address.startswith(("/", "@")) else None
        self._status = ""
        if self.patience_s:
            faulthandler.enable()  # systemd ends a program that hangs with SIGABRT: show where

    def ready(self) -> None:
        """Say that the start is over."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """Say in a line how things stand; the same again is not said."""
        line = " ".join(text.split())[:_LONGEST_STATUS]
        if line != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    async def run(
        self, works: Mapping[str, Callable[[], bool]], describe: Callable[[], str] | None = None
    ) -> None:
        """Feed the watchdog for as long as everything works; return at once if there is none.

        ``works``: for each part that could hang, whether it does not.
        """
        if self._line is None or not self.patience_s:
            return
        pulse = Pulse(works, self.patience_s)
        loop = asyncio.get_running_loop()
        while True:
            if pulse.look(loop.time()):
                self._tell("WATCHDOG=1")
            else:
                _log.error("does not work: %s", ", ".join(pulse.ill))
            if describe is not None:
                self.status(describe())
            await asyncio.sleep(pulse.interval_s)

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _tell(self, text: str) -> None:
        if self._line is None:
            return
        try:
            self._line.send(text.encode())
        except OSError as error:  # what systemd does not hear it counts as silence
            _log.warning("systemd was not told %r: %s", text.partition("=")[0], error)


def _connect(address: str) -> socket.socket | None:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    line.setblocking(False)
    try:
        line.connect("\0" + address[1:] if address.startswith("@") else address)
    except OSError as error:
        line.close()
        _log.warning("systemd cannot be told anything: %s", error)
        return None
    return line
