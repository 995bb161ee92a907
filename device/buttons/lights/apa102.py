"""What a chain of APA102 pixels (DotStar) is sent: every pixel the same colour.

A frame is 32 zero bits, then for each pixel three ones, five bits of brightness and a byte
each of blue, green and red, then as many more clock edges as it takes to carry the last
pixel's bits through the chain: half an edge for each pixel. SK9822, its common substitute,
takes over the colours at another 32 zero bits (data sheets of both).
"""

from math import ceil
from typing import Final

from device.buttons.lamps import Color
from device.buttons.lights.port import MIX

MAX_PIXELS: Final = 64
# What a byte does is linear in light, and the eye is not.
GAMMA: Final = 2.2
_STEPS: Final = 31  # of five bits
# One of the three LEDs in a pixel, at full.
_LED_MA: Final = 20.0
# What the 5 V pins can give beside the Pi itself, the card and its loudspeaker.
_BUDGET_MA: Final = 400.0


def frame(color: Color, level: float, pixels: int) -> bytes:
    """Return the bytes for ``pixels`` in ``color`` at ``level`` (0 to 1) of the full light.

    A long chain is dimmed to what the supply can give. What is lit stays lit.
    """
    shares = [part**GAMMA for part in MIX[color]]
    asked_ma = sum(shares) * _LED_MA * pixels
    level = level * min(1.0, _BUDGET_MA / asked_ma) if asked_ma else 0.0
    brightness = ceil(level * _STEPS)
    # The five bits are coarse; the bytes take the rest.
    fine = 255 * level * _STEPS / brightness if brightness else 0.0
    red, green, blue = (
        max(1, round(share * fine)) if share and brightness else 0 for share in shares
    )
    pixel = bytes((0xE0 | brightness, blue, green, red))
    return bytes(4) + pixel * pixels + bytes(4) + bytes(ceil(pixels / 16))
