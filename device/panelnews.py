"""What a box says of its panel on a cable: that it is gone, back, old or none. Pure.

Once for each loss: a plug with a bad contact, or a port that is looked at again and again, is no
news.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device.buttons.panellink import Trouble
from device.floor.model import Say
from device.floor.prompts import Prompt

PROMPTS: Final[Mapping[Trouble, Prompt]] = MappingProxyType(
    {
        Trouble.GONE: Prompt.PANEL_GONE,
        Trouble.OLD: Prompt.PANEL_OLD,
        Trouble.STRANGE: Prompt.PANEL_STRANGE,
    }
)


class PanelNews:
    """What was told of the panel, and still holds."""

    def __init__(self) -> None:
        self._lost: set[Trouble] = set()
        self._is_old = False

    @property
    def is_wrong(self) -> bool:
        """Whether anything was wrong when it was last heard of."""
        return bool(self._lost) or self._is_old

    def feed(self, kind: Trouble | None) -> list[Say]:
        """Take what is wrong now, None: nothing; return what is new to be said."""
        if kind is Trouble.GONE or kind is Trouble.STRANGE:
            said = [] if kind in self._lost else [Say(PROMPTS[kind])]
            self._lost.add(kind)
            return said
        said = [Say(Prompt.PANEL_BACK)] if self._lost else []
        # Its firmware may be another one after each loss, and mostly is the same one.
        if kind is Trouble.OLD and not self._is_old:
            said.append(Say(PROMPTS[kind]))
        self._lost.clear()
        self._is_old = kind is Trouble.OLD
        return said
