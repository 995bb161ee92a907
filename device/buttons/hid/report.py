"""From a report's bytes to the keys that are down, and from lamps to the bytes of reports."""

from collections.abc import Collection

from device.buttons.hid.descriptor import Field, Layout

Levels = dict[int, bool]


def read(layout: Layout, wanted: Collection[int], report: bytes) -> Levels:
    """Return which of the ``wanted`` usages that this report tells of are down.

    A control that lies behind the end of a report that is too short is not told of.
    """
    number = 0
    if layout.numbered:
        if not report:
            return {}
        number, report = report[0], report[1:]
    bits, size = int.from_bytes(report, "little"), 8 * len(report)
    levels: Levels = {}
    for field in layout.inputs:
        if field.report != number or field.offset + field.bits > size:
            continue
        value = bits >> field.offset & ((1 << field.bits) - 1)
        for each in wanted:
            if (named := field.value(each)) is not None:
                is_down = value == named if field.is_array else value != 0
                levels[each] = levels.get(each, False) or is_down
    return levels


def write(layout: Layout, lit: Collection[int]) -> dict[int, bytes]:
    """Return every report that holds lamps, by its number, with these ``lit`` and no others.

    Each begins with its number, which is 0 where reports have none: so the kernel wants it.
    """
    values: dict[int, int] = {}
    for field in layout.outputs:
        if not field.is_array:
            values[field.report] = values.get(field.report, 0) | _lamp(field, lit)
    return {
        number: bytes([number]) + value.to_bytes(layout.output_bytes[number], "little")
        for number, value in values.items()
    }


def _lamp(field: Field, lit: Collection[int]) -> int:
    return (1 if field.usages[0].start in lit else 0) << field.offset
