"""A secret of this hub that lasts: random bytes in a file that nobody else may read."""

import logging
import secrets
from pathlib import Path
from typing import Final

from stagebox.statefile import make_state_dir, write_atomic

FILE_NAME: Final = "cookies.key"
_BYTES: Final = 32

log = logging.getLogger(__name__)


def secret_in(folder: Path) -> bytes:
    """Return the secret kept in ``folder``, made there if there is none.

    A folder that cannot be used costs the visitors their names at each start, no more.
    """
    path = folder / FILE_NAME
    try:
        make_state_dir(folder)
        if path.exists() and len(found := path.read_bytes()) == _BYTES:
            return found
        secret = secrets.token_bytes(_BYTES)
        write_atomic(path, secret)
    except OSError as error:
        log.error("%s cannot be used (%s): visitors are forgotten at a restart.", path, error)
        return secrets.token_bytes(_BYTES)
    return secret
