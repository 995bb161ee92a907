"""The edge to one lamp."""

from collections.abc import Callable
from typing import Protocol

from device.buttons.lamps import Color


class Light(Protocol):
    """A lamp that takes a colour and a level; what rhythm it has is decided elsewhere."""

    def light(self, color: Color, level: float) -> None:
        """Show ``color`` at ``level``, 0 to 1 of the lamp's full light, until told otherwise.

        A lamp that cannot show a colour shows the nearest it can; lit stays lit.

        Raises:
            PanelError: the lamp does not obey. It may again, next time.
        """

    def close(self) -> None:
        """Put the lamp out and give its pins or files back. Safe to call twice."""


# Opens a lamp, when its panel starts. It raises PanelError where the lamp is not there.
MakeLight = Callable[[], Light]
