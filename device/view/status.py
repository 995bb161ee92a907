"""What a person who looks on wants to know of a box, kept current by the box itself. Pure."""

from dataclasses import dataclass, field
from typing import Final

from device.floor.model import Say
from device.floor.prompts import phrase_key
from stagebox.phrases import Language, shown

# The least that 16 bits can tell from nothing is above this.
_SILENT_DBFS: Final = -96.0


@dataclass(slots=True)
class Status:
    """Everything that views show besides what happened. Levels in dBFS."""

    name: str
    link: str = "searching"
    link_detail: str = ""
    space: str = ""
    members: int = 0
    is_studio: bool = False  # a host's box, wherever it is
    is_chair: bool = False  # host or co-host of the space that it is in
    floor: str = "offline"
    color: str = "off"
    pattern: str = ""
    talkers: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()
    played_on: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    microphone_dbfs: float = _SILENT_DBFS
    loudspeaker_dbfs: float = _SILENT_DBFS
    buffered_ms: float = 0.0
    concealed: int = 0
    played: int = 0
    said: str = ""
    recorded: bool = False
    devices: dict[str, str] = field(default_factory=dict)

    @property
    def hand(self) -> str:
        """What the second key is called here."""
        return "NEXT" if self.is_studio or self.is_chair else "HAND"


def sentence(say: Say, language: Language = Language.ENGLISH) -> str:
    """Return a prompt in words."""
    key = phrase_key(say.prompt, say.cause)
    return shown(key, name=say.name, number=say.number, language=language)
