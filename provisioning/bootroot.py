"""What only root may do about the boot file: write it without its key, and let its owner log in.

Started by systemd when the set-up helper asks; it has no network, and no bus to talk on.
"""

import logging
from pathlib import Path
from typing import Final

from provisioning import bootdisk
from provisioning.bootfile import BootFile, BootFileError, parse
from stagebox.statefile import make_state_dir, write_atomic

PLACES: Final = bootdisk.PLACES
# In the helper's folder; its change starts this program, and it holds one of two words.
REQUEST: Final = "boot-file-request"
LOGIN: Final = "login"
SCRUB: Final = "scrub"
AUTHORIZED: Final = "authorized_keys"
_FAILED: Final = 1
_READABLE: Final = 0o644  # sshd reads it as who logs in

_log = logging.getLogger(__name__)


def take_care(places: tuple[Path, ...], runtime: Path, state: Path) -> int:
    """Store the key that the box's owner logs in by, and scrub the boot file if that is asked.

    Returns the exit status.
    """
    path = bootdisk.find(places)
    if path is None:
        return 0
    try:
        _store(parse(bootdisk.read(path)), state)
        is_done = (runtime / REQUEST).read_text("ascii") == SCRUB
        if is_done and bootdisk.scrub(path):
            _log.info("the Wi-Fi key was removed from %s", path)
    except (OSError, BootFileError) as error:
        _log.warning("%s could not be taken care of: %s", path, error)
        return _FAILED
    return 0


def _store(file: BootFile, state: Path) -> None:
    if file.ssh_key is not None:
        make_state_dir(state)
        state.chmod(0o755)
        write_atomic(state / AUTHORIZED, f"{file.ssh_key}\n".encode())
        (state / AUTHORIZED).chmod(_READABLE)
