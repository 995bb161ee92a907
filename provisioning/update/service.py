"""The box as systemd runs it, asked and told through ``systemctl``."""

import subprocess
from typing import Final

from stagebox.release import Reason, ReleaseError

UNIT: Final = "stagebox-box.service"
# The unit's own times for stop and start, and a slow card.
_RESTART_S: Final = 120.0
_SHOW_S: Final = 10.0


class SystemdBox:
    """One unit."""

    def __init__(self, unit: str = UNIT) -> None:
        self._unit = unit

    def restart(self) -> None:
        """Start the box anew, without waiting until it is ready.

        Raises:
            ReleaseError: systemd does not do it.
        """
        done = _systemctl("restart", "--no-block", self._unit, timeout_s=_RESTART_S)
        if done is None:
            detail = f"systemd does not restart {self._unit}: see journalctl -u {self._unit}."
            raise ReleaseError(Reason.RESTART, detail)

    def pid(self) -> int:
        """Return the process that said it is ready; 0 for none."""
        what = ("--property=ActiveState", "--property=MainPID")
        said = _systemctl("show", *what, self._unit, timeout_s=_SHOW_S) or ""
        facts = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        pid = facts.get("MainPID", "0")
        return int(pid) if facts.get("ActiveState") == "active" and pid.isdigit() else 0


def _systemctl(*arguments: str, timeout_s: float) -> str | None:
    """Return what it says, or None if it failed."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments of this module
            ("/usr/bin/systemctl", *arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
