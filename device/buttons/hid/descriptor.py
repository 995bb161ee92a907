"""Where in a HID device's reports its keys and lamps are.

A device on USB describes its own reports, in a small language of items (USB HID 1.11,
section 6.2.2). This reads as much of it as finds single controls by their usages, so that
no model has to be known. A descriptor comes from whatever was plugged in: everything is
bounded, and what is wrong with it is said.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

# What Linux reads of a device at most.
MAX_DESCRIPTOR: Final = 4096
# A report of a telephone has 2 to 64 bytes.
MAX_REPORT_BITS: Final = 8 * 1024
# Of all controls, those asked for; a telephone has a dozen.
MAX_FIELDS: Final = 64
_MAX_RANGES: Final = 64
_MAX_STACK: Final = 16

_LONG_ITEM: Final = 0xFE
_MAIN, _GLOBAL, _LOCAL = 0, 1, 2
_INPUT, _OUTPUT, _FEATURE = 0x8, 0x9, 0xB
_VARIABLE, _RELATIVE, _NO_PREFERRED = 0x02, 0x04, 0x20


class DescriptorError(Exception):
    """A device describes itself in a way that cannot be; the text says how."""


def usage(page: int, name: int) -> int:
    """Return a usage in 32 bits, as HID writes it: its page above, its name below."""
    return page << 16 | name


@dataclass(frozen=True, slots=True)
class Field:
    """One control in a report.

    ``offset`` counts bits after the report's number. A variable field has one usage and is
    its value; an array holds the name of what is pressed: ``first`` means the first of all
    ``usages``. A ``steady`` field keeps the position it was moved to; others spring back.
    """

    report: int
    offset: int
    bits: int
    usages: tuple[range, ...]
    is_array: bool = False
    first: int = 0
    steady: bool = False

    def value(self, wanted: int) -> int | None:
        """Return what an array holds while ``wanted`` is pressed; None if it is not in it."""
        before = self.first
        for names in self.usages:
            if wanted in names:
                return before + names.index(wanted)
            before += len(names)
        return None


@dataclass(frozen=True, slots=True)
class Layout:
    """The controls that were asked for. ``numbered``: each report begins with its number."""

    numbered: bool
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    output_bytes: Mapping[int, int]  # of a whole report, without its number

    def has_input(self, wanted: int) -> bool:
        """Whether the device has such a key."""
        return any(field.value(wanted) is not None for field in self.inputs)


@dataclass(frozen=True, slots=True)
class _Globals:
    page: int = 0
    first: int = 0
    bits: int = 0
    count: int = 0
    report: int = 0


class _Item(NamedTuple):
    kind: int
    tag: int
    data: int
    size: int

    @property
    def signed(self) -> int:
        half = 1 << (8 * self.size - 1) if self.size else 1
        return (self.data ^ half) - half


def parse(descriptor: bytes, wanted: Collection[int]) -> Layout:
    """Return where the ``wanted`` usages are.

    Raises:
        DescriptorError: it ends too early, or is of no device that can be.
    """
    if len(descriptor) > MAX_DESCRIPTOR:
        raise DescriptorError(f"The descriptor is longer than {MAX_DESCRIPTOR} bytes.")
    reader = _Reader(frozenset(wanted))
    for item in _items(descriptor):
        reader.take(item)
    return reader.layout()


def _items(descriptor: bytes) -> Iterator[_Item]:
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        if prefix == _LONG_ITEM:  # reserved: says only how long it is
            at += 3 + int.from_bytes(descriptor[at + 1 : at + 2])
            continue
        size = (0, 1, 2, 4)[prefix & 3]
        data = descriptor[at + 1 : at + 1 + size]
        if len(data) < size:
            raise DescriptorError("The descriptor ends in the middle of an item.")
        yield _Item(prefix >> 2 & 3, prefix >> 4, int.from_bytes(data, "little"), size)
        at += 1 + size


class _Reader:
    """The state that items change: globals stay, locals end with each main item."""

    def __init__(self, wanted: frozenset[int]) -> None:
        self._wanted = wanted
        self._globals = _Globals()
        self._stack: list[_Globals] = []
        self._ranges: list[tuple[_Item, _Item]] = []
        self._minimum: _Item | None = None
        self._used: dict[tuple[int, int], int] = {}  # bits so far, by direction and report
        self._fields: dict[int, list[Field]] = {_INPUT: [], _OUTPUT: []}
        self._numbered = False

    def take(self, item: _Item) -> None:
        if item.kind == _MAIN:
            self._take_main(item)
        elif item.kind == _GLOBAL:
            self._take_global(item)
        elif item.kind == _LOCAL:
            self._take_local(item)

    def layout(self) -> Layout:
        """Return what was found."""
        sizes = {
            report: (bits + 7) // 8
            for (direction, report), bits in self._used.items()
            if direction == _OUTPUT
        }
        inputs, outputs = tuple(self._fields[_INPUT]), tuple(self._fields[_OUTPUT])
        return Layout(self._numbered, inputs, outputs, sizes)

    def _take_global(self, item: _Item) -> None:
        match item.tag:
            case 0x0:
                self._globals = replace(self._globals, page=item.data & 0xFFFF)
            case 0x1:
                self._globals = replace(self._globals, first=item.signed)
            case 0x7:
                self._globals = replace(self._globals, bits=item.data)
            case 0x8:
                self._number(item.data)
            case 0x9:
                self._globals = replace(self._globals, count=item.data)
            case 0xA | 0xB:
                self._push_or_pop(item.tag == 0xA)

    def _number(self, report: int) -> None:
        if not 1 <= report <= 0xFF:
            raise DescriptorError(f"A report has the number {report}; 1 to 255 can be.")
        self._numbered = True
        self._globals = replace(self._globals, report=report)

    def _push_or_pop(self, is_push: bool) -> None:
        if is_push and len(self._stack) < _MAX_STACK:
            self._stack.append(self._globals)
        elif not is_push and self._stack:
            self._globals = self._stack.pop()
        else:
            raise DescriptorError("The descriptor pushes and pops without measure.")

    def _take_local(self, item: _Item) -> None:
        match item.tag:
            case 0x0:
                self._add(item, item)
            case 0x1:
                self._minimum = item
            case 0x2 if self._minimum is not None:
                self._add(self._minimum, item)
                self._minimum = None

    def _add(self, low: _Item, high: _Item) -> None:
        if len(self._ranges) >= _MAX_RANGES:
            raise DescriptorError(f"One item has more than {_MAX_RANGES} usages.")
        self._ranges.append((low, high))

    def _take_main(self, item: _Item) -> None:
        if item.tag in {_INPUT, _OUTPUT, _FEATURE}:
            self._place(item)
        self._ranges.clear()
        self._minimum = None

    def _place(self, item: _Item) -> None:
        """Give the fields of a main item their places in its report."""
        now = self._globals
        at = self._used.get((item.tag, now.report), 0)
        end = at + now.bits * now.count
        if end > MAX_REPORT_BITS:
            raise DescriptorError(f"A report is longer than {MAX_REPORT_BITS // 8} bytes.")
        self._used[item.tag, now.report] = end
        found = self._fields.get(item.tag)
        if found is None or not now.bits or not now.count:
            return
        # Keys are declared constant by many a telephone, and yet they are reported.
        found += self._variables(item, at) if item.data & _VARIABLE else self._arrays(at)
        if len(found) > MAX_FIELDS:
            raise DescriptorError(f"The device has more than {MAX_FIELDS} such controls.")

    def _variables(self, item: _Item, at: int) -> list[Field]:
        now, found, before = self._globals, list[Field](), 0
        steady = bool(item.data & _NO_PREFERRED) and not item.data & _RELATIVE
        for names in self._usages():
            for name in self._wanted:
                place = before + names.index(name) if name in names else now.count
                if place < now.count:
                    only = (range(name, name + 1),)
                    offset = at + place * now.bits
                    found.append(Field(now.report, offset, now.bits, only, steady=steady))
            before += len(names)
        return sorted(found, key=lambda field: field.offset)

    def _arrays(self, at: int) -> list[Field]:
        now, usages = self._globals, tuple(self._usages())
        if not any(name in names for names in usages for name in self._wanted):
            return []
        if now.count > MAX_FIELDS:
            raise DescriptorError(f"An array holds more than {MAX_FIELDS} names.")
        return [
            Field(now.report, at + each * now.bits, now.bits, usages, True, now.first)
            for each in range(now.count)
        ]

    def _usages(self) -> Iterator[range]:
        """Yield the usages of this main item; a short one is of the page that holds now."""
        for low, high in self._ranges:
            page = low.data if low.size == 4 else usage(self._globals.page, low.data)
            last = high.data if high.size == 4 else usage(self._globals.page, high.data)
            yield range(page, last + 1)
