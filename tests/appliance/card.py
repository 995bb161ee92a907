"""A memory card with Stagebox in a Raspberry Pi 4 of QEMU's making.

The card is what ``provisioning/image/make.sh`` made, byte for byte: of this checkout's last commit,
or the one that ``STAGEBOX_CARD`` names. Its kernel starts it, or the one of
``STAGEBOX_VIRTUAL_PI``, which has simulated pins and sound; its initial RAM disk and its words for
the kernel are the card's own in both. A test looks in by an agent that lies in the memory above the
read-only system and is gone when power is.
"""

import fcntl
import os
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.appliance.image import CACHE, ROOT, stagebox_disk
from tests.appliance.machine import SETTING, Powered
from tests.appliance.remote import Remote

CARD: Final = "STAGEBOX_CARD"
KERNEL: Final = "Image.gz-arm64"
TOOLS: Final = ("qemu-system-aarch64", "mcopy", "mdir", "fdtput", "e2label")
# What making one needs besides.
MAKERS: Final = ("mmdebstrap", "arch-test", "update-binfmts", "qemu-aarch64-static", "mkfs.vfat")
_CPU: Final = ("-cpu", "cortex-a72", "-smp", "2", "-m", "1024")
# Where make.sh lays the boot partition.
_BOOT_AT: Final = "@@4M"
# The card is a bigger one than the image, as every card is.
_LARGER: Final = 1 << 30
_GUEST: Final = "stagebox-test"
_PROMPT: Final = b"(initramfs)"
_PATIENCE_S: Final = 600.0
# What is typed where the system is mounted and nothing of it has started.
_PREPARE: Final = (
    f"mkdir /look && mount -t ext4 /dev/disk/by-label/{_GUEST} /look"
    " && sh /look/tests/appliance/guest/card.sh; umount /look; exit\n"
)
# A Pi 4's revision; the header's chip by its real name.
_TREE: Final = (
    ("-t", "s", "/", "model", "Raspberry Pi 4 Model B Rev 1.5"),
    ("-c", "/system"),
    ("-t", "x", "/system", "linux,revision", "c03115"),
    ("-c", "/gpio-sim"),
    ("-t", "s", "/gpio-sim", "compatible", "gpio-simulator"),
    ("-c", "/gpio-sim/bank0"),
    ("-t", "x", "/gpio-sim/bank0", "#gpio-cells", "2"),
    ("/gpio-sim/bank0", "gpio-controller"),
    ("-t", "u", "/gpio-sim/bank0", "ngpios", "54"),
    ("-t", "s", "/gpio-sim/bank0", "gpio-sim,label", "pinctrl-bcm2711"),
)


def run(*command: str) -> str:
    """Run a program of this computer; return what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr[-3_000:])
    return done.stdout


def the_card() -> Path:
    """Return the card that was named, or one of the last commit, made now if there is none.

    It takes an hour on two cores, most of it Debian's programs for another processor.
    """
    named = os.environ.get(CARD)
    if named:
        return Path(named)
    commit = run("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD").strip()
    card = CACHE / f"card-{commit}.img"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "card.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once make it once
        if not card.exists():
            for old in CACHE.glob("card-*"):
                old.unlink()
            _make(card)
    return card


def _make(card: Path) -> None:
    with tempfile.TemporaryDirectory() as debs:
        run(str(ROOT / "provisioning/package/arm64.sh"), "--out", debs)
        part = card.with_suffix(".part")
        run(str(ROOT / "provisioning/image/make.sh"), "--debs", debs, "--out", str(part))
        part.rename(card)


class CardMachine(Powered):
    """A Raspberry Pi with a card in it.

    ``image``: the card as it was made; ``boot_file``: what a person wrote on it; ``given``: a
    folder that the agent finds; ``pins``: start it with the kernel that has simulated ones;
    ``more``: what qemu is told besides; ``prefix``: what qemu is started by.
    """

    def __init__(
        self,
        folder: Path,
        image: Path,
        boot_file: str,
        *,
        given: Path | None = None,
        pins: bool = True,
        more: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
    ) -> None:
        card = folder / "card.ext4"  # its end says that it is deleted afterwards
        run("cp", "--sparse=always", str(image), str(card))
        os.truncate(card, card.stat().st_size + _LARGER)
        self._boot = f"{card}{_BOOT_AT}"
        (folder / "stagebox.toml").write_text(boot_file)
        run("mcopy", "-o", "-i", self._boot, str(folder / "stagebox.toml"), "::")
        guest = stagebox_disk(folder, "", given)
        run("e2label", str(guest), _GUEST)
        kernel = self._fetched(folder, "vmlinuz")
        tree: tuple[str, ...] = ()
        if pins:
            kernel = Path(os.environ[SETTING]) / KERNEL
            tree = ("-dtb", str(_device_tree(folder)))
        words = re.sub(r"\S*console=\S*|\bquiet\b", "", self.read("cmdline.txt"))
        words = " ".join((*words.split(), "console=ttyAMA0", "break=init"))
        self._line = folder / "console.line"
        self.agent = folder / "agent"
        command = (
            *prefix,
            *("qemu-system-aarch64", "-M", "virt", "-accel", "tcg,thread=multi", *_CPU, *tree),
            *("-display", "none", "-no-reboot"),
            *("-chardev", f"socket,id=line,path={self._line},server=on,wait=off"),
            *("-serial", "chardev:line"),
            *("-kernel", str(kernel), "-initrd", str(self._fetched(folder, "initrd.img"))),
            *("-append", words),
            *("-drive", f"file={card},if=virtio,format=raw"),
            *("-drive", f"file={guest},if=virtio,format=raw,snapshot=on"),
            *(() if "-netdev" in more else ("-nic", "none")),
            *Remote.arguments(self.agent),
            *more,
        )
        super().__init__(folder, command)
        self._lines = b""

    def _fetched(self, folder: Path, kind: str) -> Path:
        """Fetch the newest file of its kind from the boot partition."""
        names = re.findall(rf"::/({re.escape(kind)}-\S+)", run("mdir", "-b", "-i", self._boot))
        target = folder / kind
        run("mcopy", "-n", "-i", self._boot, f"::{max(names)}", str(target))
        return target

    def read(self, name: str) -> str:
        """Return a file of the boot partition; only while the power is off."""
        return run("mtype", "-i", self._boot, f"::{name}")

    def start(self, *more: str) -> None:
        """Switch it on, and lay the agent into its memory before the system starts."""
        self._line.unlink(missing_ok=True)  # of the last time; nobody listens there any more
        super().start(*more)
        ends = time.monotonic() + _PATIENCE_S
        while not self._line.exists():
            assert self.is_on, self.said()
            assert time.monotonic() < ends, "qemu does not start"
            time.sleep(0.05)
        self._lines = b""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE_S)
            line.connect(str(self._line))
            while _PROMPT not in self._lines:
                self._lines += self._more(line)
            line.sendall(_PREPARE.encode())
            # What the script says last.
            while b"laid" not in self._lines:
                self._lines += self._more(line)

    def _more(self, line: socket.socket) -> bytes:
        try:
            data = line.recv(65_536)
        except TimeoutError:
            data = b""
        assert data, f"it does not start: {self.starting()[-2_000:]}"
        return data

    def starting(self) -> str:
        """Return what the console said until the system began."""
        return self._lines.decode(errors="replace")


def _device_tree(folder: Path) -> Path:
    """Return QEMU's own tree with a Pi's name, and its pins instead of the two of QEMU's."""
    tree = folder / "pi4.dtb"
    run("qemu-system-aarch64", "-M", f"virt,dumpdtb={tree}", *_CPU, "-nographic")
    run("fdtput", "-r", str(tree), "/gpio-keys", "/pl061@9030000")
    for words in _TREE:
        flags = 2 if words[0] == "-t" else 1 if words[0] == "-c" else 0
        run("fdtput", *words[:flags], str(tree), *words[flags:])
    return tree
