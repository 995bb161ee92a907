"""What USB telephones say of themselves: report descriptors, and the bits in their reports.

``POWERCONF`` is what an Anker PowerConf (291a:3301) was read to say. ``SPEAK_410`` has the
reports that a Jabra Speak 410 is known to have. ``SPRINGING`` is one whose hook key is a key
that springs back, as small firmware writes it, without numbers for its reports and with a lamp
for recording. ``ARRAY`` names the keys that are down instead of giving each a bit.
"""

from dataclasses import dataclass

_HOOK, _MUTE, _FLASH, _REDIAL, _UP, _DOWN = "hook", "mute", "flash", "redial", "up", "down"


@dataclass(frozen=True)
class Telephone:
    """A descriptor; for each key and lamp the number of its report (0: none) and its bit."""

    name: str
    vendor: int
    descriptor: bytes
    keys: dict[str, tuple[int, int]]
    lamps: dict[str, tuple[int, int]]
    report_bytes: int = 2

    def report(self, number: int, *keys: str) -> bytes:
        """Return the report ``number`` with these keys down."""
        value = sum(1 << self.keys[key][1] for key in keys)
        data = value.to_bytes(self.report_bytes, "little")
        return bytes([number]) + data if number else data

    def press(self, key: str) -> list[bytes]:
        """Return the reports of a key that springs back."""
        number = self.keys[key][0]
        return [self.report(number, key), self.report(number)]

    def lit(self, written: bytes) -> tuple[int, set[str]]:
        """Return the number of an output report, and the lamps that it lights."""
        number, value = written[0], int.from_bytes(written[1:], "little")
        return number, {
            lamp for lamp, (of, bit) in self.lamps.items() if of == number and value >> bit & 1
        }


POWERCONF = Telephone(
    "Anker PowerConf",
    0x291A,
    bytes.fromhex(
        "05 0c 09 01 a1 01 85 01 15 00 25 01 09 e9 09 ea 09 e2 09 cd 09 b5 09 b6 09 b3 09 b7"
        "75 01 95 08 81 42 c0"
        "05 0b 09 05 a1 01 85 02 05 0b 15 00 25 01 09 20 09 97 75 01 95 02 81 23"
        "09 2f 09 21 09 70 09 50 75 01 95 04 81 07"
        "05 08 09 17 09 09 09 18 09 20 09 21 75 01 95 05 91 22 95 03 91 03 c0"
    ),
    {_UP: (1, 0), _DOWN: (1, 1), _HOOK: (2, 0), _MUTE: (2, 2), _FLASH: (2, 3)},
    {"off hook": (2, 0), "mute": (2, 1), "ring": (2, 2), "hold": (2, 3), "microphone": (2, 4)},
    report_bytes=1,
)

SPEAK_410 = Telephone(
    "GN Netcom A/S Jabra SPEAK 410",
    0x0B0E,
    bytes.fromhex(
        "05 0b 09 05 a1 01 85 03 15 00 25 01"
        "09 20 09 97 09 2b 75 01 95 03 81 23"  # hook, line busy, speaker
        "09 2f 09 21 09 24 09 50 95 04 81 07"  # mute, flash, redial, speed dial
        "09 06 a1 02 19 b0 29 bb 15 00 25 0c 75 04 95 01 81 40 c0"  # a key pad
        "15 00 25 01 05 09 09 07 75 01 95 01 81 02 95 04 81 01"
        "05 08 09 17 09 1e 09 09 09 18 09 20 09 21 75 01 95 06 91 22"
        "05 0b 09 9e 95 01 91 22 95 09 91 01 c0"
        "05 0c 09 01 a1 01 85 01 15 00 25 01 09 ea 09 e9 09 e2 75 01 95 03 81 06"
        "95 0d 81 01 c0"
    ),
    {
        _HOOK: (3, 0),
        _MUTE: (3, 3),
        _FLASH: (3, 4),
        _REDIAL: (3, 5),
        _DOWN: (1, 0),
        _UP: (1, 1),
    },
    {
        "off hook": (3, 0),
        "mute": (3, 2),
        "ring": (3, 3),
        "hold": (3, 4),
        "microphone": (3, 5),
    },
)

SPRINGING = Telephone(
    "Workshop phone",
    0x2E8A,
    bytes.fromhex(
        "05 0b 09 05 a1 01 15 00 25 01 75 01"
        "09 20 09 2f 09 21 09 24 95 04 81 02"
        "05 0c 09 e9 09 ea 95 02 81 02 95 02 81 03"
        "05 08 09 17 09 09 09 18 09 20 09 21 09 38 95 06 91 02 95 02 91 03 c0"
    ),
    {_HOOK: (0, 0), _MUTE: (0, 1), _FLASH: (0, 2), _REDIAL: (0, 3), _UP: (0, 4), _DOWN: (0, 5)},
    {
        "off hook": (0, 0),
        "mute": (0, 1),
        "ring": (0, 2),
        "hold": (0, 3),
        "microphone": (0, 4),
        "record": (0, 5),
    },
    report_bytes=1,
)

# Two places of one byte; 1 is the hook, 2 is mute. Volume: 16 bits, from a range of 1024.
ARRAY = bytes.fromhex(
    "05 0b 09 05 a1 01 85 01 15 01 25 02 75 08 95 02 09 20 09 2f 81 00 c0"
    "05 0c 09 01 a1 01 85 02 15 00 26 ff 03 19 00 2a ff 03 75 10 95 01 81 00 c0"
)
