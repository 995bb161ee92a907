"""The edge to one lamp, and what a lamp of three colours makes of each colour."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from device.buttons.lamps import Color

# Red, green and blue that a common RGB LED needs for each colour.
MIX: Final[Mapping[Color, tuple[float, float, float]]] = MappingProxyType(
    {
        Color.OFF: (0.0, 0.0, 0.0),
        Color.WHITE: (1.0, 1.0, 1.0),
        Color.BLUE: (0.0, 0.0, 1.0),
        Color.GREEN: (0.0, 1.0, 0.0),
        Color.AMBER: (1.0, 0.4, 0.0),
        Color.PURPLE: (0.6, 0.0, 1.0),
        Color.RED: (1.0, 0.0, 0.0),
    }
)


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
