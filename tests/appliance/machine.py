"""A virtual machine on a real kernel, that does an errand, or what a test asks of it.

The kernel is not part of this checkout: ``STAGEBOX_VIRTUAL_PI`` names the folder that holds
``bzImage-x86_64`` (see docs/appliance.md for how it is made).
"""

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final, Self

from tests.appliance.image import (
    ImageError,
    missing_tools,
    packages_disk,
    stagebox_disk,
    system_disk,
)

SETTING: Final = "STAGEBOX_VIRTUAL_PI"
KERNEL: Final = "bzImage-x86_64"
# Lies beside a kernel that loads what it needs; another has all of it built in.
INITRD: Final = "initrd-x86_64"
# Lines of an errand that are its result, among whatever else the console says.
RESULT: Final = "RESULT "
MEMORY_MIB: Final = 768
# On a busy host the guest's timer comes late once, and a kernel that checks it gives up.
# There 90 s are also too short for a service of the system's own to start.
APPEND: Final = (
    "root=/dev/vda rw console=ttyS0 quiet selinux=0 no_timer_check panic=-1"
    " systemd.default_timeout_start_sec=600"
)
_END_S: Final = 30.0
# While a kernel starts it rewrites its own code, which QEMU's threads may run half written: one of
# some forty starts ended by an int3 of its own. It is switched on again, then.
_STARTS: Final = 3
_PANIC: Final = "Kernel panic - not syncing"


class MachineError(Exception):
    """The machine did not do its errand; the text holds the end of its console."""


def unavailable() -> str | None:
    """Say why no machine can be started here, or None."""
    folder = os.environ.get(SETTING)
    if not folder or not (Path(folder) / KERNEL).is_file():
        return f"./dev kernel makes one, or set {SETTING} to the folder that holds {KERNEL}"
    missing = missing_tools()
    return f"install {', '.join(missing)}" if missing else None


def without_radios() -> str | None:
    """Say why no machine here has radios, or None."""
    if (Path(os.environ.get(SETTING, "")) / INITRD).is_file():
        return "this kernel has no radios; ./dev kernel --whole makes one that has"
    return None


class Powered:
    """A computer that is switched on and off: ``_command`` starts it."""

    def __init__(self, folder: Path, command: tuple[str, ...]) -> None:
        self.console = folder / "console.log"
        self._folder = folder
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Switch it on, with more words for qemu; what its console says begins anew."""
        with self.console.open("wb") as out:
            self._process = subprocess.Popen(
                (*self._command, *more), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._process is not None and self._process.poll() is None

    def wait(self, seconds: float) -> bool:
        """Wait until it has switched itself off; return whether it has."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.is_on

    def cut(self) -> None:
        """Cut its power, at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END_S)

    def said(self) -> str:
        """Return what its console has said since it was switched on."""
        return self.console.read_text(errors="replace")

    def __enter__(self) -> Self:
        """Switch it on."""
        self.start()
        return self

    def __exit__(self, *_what: object) -> None:
        """Cut its power, and keep nothing of its disks."""
        self.cut()
        for disk in self._folder.glob("*.ext4"):
            disk.unlink()


class Machine(Powered):
    """One computer: its disks stay while it is switched on and off.

    ``errand``: the shell script that each start runs; ``extra``: Debian packages that it needs
    besides; ``kernel_says``: words for the kernel's command line; ``more``: what qemu is told
    besides; ``prefix``: what qemu is started by; ``given``: a folder that it finds as
    /opt/stagebox/given. Its system's disk is its own if it ``keeps`` what it writes, else each
    start finds Debian as it was.
    """

    def __init__(
        self,
        folder: Path,
        errand: str,
        *,
        extra: tuple[str, ...] = (),
        kernel_says: str = "",
        more: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
        given: Path | None = None,
        keeps: bool = False,
    ) -> None:
        """Make its disks.

        Raises:
            ImageError: a disk cannot be made.
        """
        system, snapshot = system_disk(extra), "on"
        if keeps:
            own, snapshot = folder / "system.ext4", "off"
            subprocess.run(["cp", "--sparse=always", "--reflink=auto", system, own], check=True)
            system = own
        ours = stagebox_disk(folder, errand, given)
        command = (
            *prefix,
            *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"),
            *("-m", str(MEMORY_MIB), "-nographic", "-no-reboot"),
            *(() if "-netdev" in more else ("-nic", "none")),
            *_kernel(Path(os.environ[SETTING])),
            *("-append", f"{APPEND} {kernel_says}".strip()),
            *("-drive", f"file={system},if=virtio,format=raw,snapshot={snapshot}"),
            *("-drive", f"file={ours},if=virtio,format=raw,snapshot=on"),
            *("-drive", f"file={packages_disk()},if=virtio,format=raw,readonly=on"),
            *more,
        )
        super().__init__(folder, command)

    def results(self) -> dict[str, Any]:
        """Return what the errand has told up to now."""
        results: dict[str, Any] = {}
        for line in self.said().splitlines():
            _, found, text = line.partition(RESULT)
            if found:
                with contextlib.suppress(ValueError):  # cut in the middle of a line
                    results.update(json.loads(text))
        return results


def _kernel(folder: Path) -> tuple[str, ...]:
    initrd = folder / INITRD
    loads = ("-initrd", str(initrd)) if initrd.is_file() else ()
    return ("-kernel", str(folder / KERNEL), *loads)


def do(
    folder: Path,
    errand: str,
    seconds: float,
    *,
    extra: tuple[str, ...] = (),
    kernel_says: str = "",
) -> dict[str, Any]:
    """Boot a machine, let it do the ``errand`` (a shell script), and return its results.

    Each line ``RESULT {json}`` that the errand prints adds to them.

    Raises:
        ImageError: a disk cannot be made.
        MachineError: no result within ``seconds``.
    """
    with Machine(folder, errand, extra=extra, kernel_says=kernel_says) as machine:
        results: dict[str, Any] = {}
        for start in range(_STARTS):
            if start > 0:
                print(f"the machine's kernel did not start; once more:\n{machine.said()[-500:]}")
                machine.start()
            machine.wait(seconds)
            machine.cut()
            results = machine.results()
            if results or _PANIC not in machine.said():
                break
        if not results:
            end = machine.said()[-3_000:]
            raise MachineError(f"nothing within {seconds:g} s; the console ends with:\n{end}")
    return results


__all__ = ["ImageError", "Machine", "MachineError", "do", "unavailable", "without_radios"]
