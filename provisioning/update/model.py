"""The words of the updater: what is on the disk, what happens, what is to be done. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stagebox.release import Manifest, Reason

# The release that the package brought: it is never on trial, never deleted, always there.
PACKAGE = 0


class Phase(StrEnum):
    """Where an update stands."""

    START = "start"
    ASKING = "asking"
    FETCHING = "fetching"
    VERIFYING = "verifying"
    UNPACKING = "unpacking"
    WAITING = "waiting"
    ARMING = "arming"
    SWITCHING = "switching"
    STARTING = "starting"
    WATCHING = "watching"
    COMMITTING = "committing"
    NOTING = "noting"
    RETURNING = "returning"
    CLEARING = "clearing"
    RESTARTING = "restarting"
    SWEEPING = "sweeping"
    OVER = "over"


class Outcome(StrEnum):
    """How a run of the updater ended."""

    UP_TO_DATE = "up_to_date"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"
    FAILED = "failed"
    DEFERRED = "deferred"
    AVAILABLE = "available"


class Wish(StrEnum):
    """What the updater was called for."""

    UPDATE = "update"
    NOW = "now"
    CHECK = "check"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Trial:
    """A release on trial, as the file says. ``starts``: how often the box was started with it."""

    new: int
    old: int
    audio: bool
    starts: int = 0


@dataclass(frozen=True, slots=True)
class OnDisk:
    """What a start finds. ``builds``: releases that are whole; ``package``: its own build."""

    current: int = PACKAGE
    trial: Trial | None = None
    builds: frozenset[int] = frozenset()
    failed: Mapping[int, int] = field(default_factory=dict)
    package: int = 0


# --- what happens ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """The updater starts. ``audio``: whether the box has its sound devices.

    ``running``: the build that the box says it is of; 0 if it says nothing.
    """

    disk: OnDisk
    wish: Wish = Wish.UPDATE
    audio: bool = False
    running: int = 0


@dataclass(frozen=True, slots=True)
class Offered:
    """The hub offers a release that was checked; None: nothing for this machine."""

    manifest: Manifest | None


@dataclass(frozen=True, slots=True)
class Done:
    """What was to be done is done, and on the disk."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What was to be done was not."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at the box. ``current``: where the link points. ``pid`` 0: it does not run.

    ``well``: that very process says of itself that it is of the release that should run, and
    that the hub let it in.
    """

    current: int
    pid: int
    well: bool
    audio: bool
    busy: bool = False


Event = Begin | Offered | Done | Failed | Seen

# --- what is to be done ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the hub for a release, and check what it offers."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Load the archive into a file that is nothing yet."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class VerifyArchive:
    """Compare size and hash of that file."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Unpack:
    """Make a folder of it, whole and on the disk before it has its name."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class WriteTrial:
    """Note that a release is on trial."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class Point:
    """Let the link ``current`` point to a release, in one step; to the package's: no link."""

    build: int


@dataclass(frozen=True, slots=True)
class RestartBox:
    """Start the box anew."""


@dataclass(frozen=True, slots=True)
class ClearTrial:
    """Note that no release is on trial."""


@dataclass(frozen=True, slots=True)
class NoteFailed:
    """Note that a release did not work."""

    build: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Delete what is not needed: all but these releases, and everything half made."""

    keep: frozenset[int]


@dataclass(frozen=True, slots=True)
class Look:
    """Look at the box after so many seconds."""

    after_s: float


Effect = (
    Ask
    | Fetch
    | VerifyArchive
    | Unpack
    | WriteTrial
    | Point
    | RestartBox
    | ClearTrial
    | NoteFailed
    | Sweep
    | Look
)
