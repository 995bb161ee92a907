"""A virtual machine that does one errand on a real kernel and tells what came of it.

The kernel is not part of this checkout: ``STAGEBOX_VIRTUAL_PI`` names the folder that holds
``bzImage-x86_64`` (see docs/appliance.md for how it is made).
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from tests.appliance.image import ImageError, missing_tools, stagebox_disk, system_disk

SETTING: Final = "STAGEBOX_VIRTUAL_PI"
KERNEL: Final = "bzImage-x86_64"
# Lines of an errand that are its result, among whatever else the console says.
RESULT: Final = "RESULT "
MEMORY_MIB: Final = 768
# On a busy host the guest's timer comes late once, and a kernel that checks it gives up.
APPEND: Final = "root=/dev/vda rw console=ttyS0 quiet selinux=0 no_timer_check panic=-1"


class MachineError(Exception):
    """The machine did not do its errand; the text holds the end of its console."""


def unavailable() -> str | None:
    """Say why no machine can be started here, or None."""
    folder = os.environ.get(SETTING)
    if not folder or not (Path(folder) / KERNEL).is_file():
        return f"set {SETTING} to the folder that holds {KERNEL}; docs/appliance.md says how"
    missing = missing_tools()
    return f"install {', '.join(missing)}" if missing else None


def do(
    folder: Path,
    errand: str,
    seconds: float,
    *,
    extra: tuple[str, ...] = (),
    kernel_says: str = "",
) -> dict[str, Any]:
    """Boot a machine, let it do the ``errand`` (a shell script), and return its results.

    ``extra``: Debian packages that it needs besides; ``kernel_says``: words for the kernel's
    command line. Each line ``RESULT {json}`` that the errand prints adds to them.

    Raises:
        ImageError: a disk cannot be made.
        MachineError: no result within ``seconds``.
    """
    kernel = Path(os.environ[SETTING]) / KERNEL
    disk = stagebox_disk(folder, errand)
    command = [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"),
        *("-m", str(MEMORY_MIB), "-nographic", "-no-reboot", "-nic", "none"),
        *("-kernel", str(kernel)),
        *("-append", f"{APPEND} {kernel_says}".strip()),
        *("-drive", f"file={system_disk(extra)},if=virtio,format=raw,snapshot=on"),
        *("-drive", f"file={disk},if=virtio,format=raw"),
    ]
    console = folder / "console.log"
    with console.open("wb") as out:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            machine.wait(seconds)
        except subprocess.TimeoutExpired:
            machine.kill()
            machine.wait()
    said = console.read_text(errors="replace")
    results: dict[str, Any] = {}
    for line in said.splitlines():
        _, found, text = line.partition(RESULT)
        if found:
            results.update(json.loads(text))
    if not results:
        raise MachineError(f"nothing within {seconds:g} s; the console ends with:\n{said[-3000:]}")
    return results


__all__ = ["ImageError", "MachineError", "do", "unavailable"]
