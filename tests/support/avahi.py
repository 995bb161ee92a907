"""Debian's avahi in a namespace of one's own: what another make of mDNS sees.

    with avahi(namespace, folder) as daemon:
        for service in daemon.browse("_stagebox._tcp"):
            print(service.name, service.address, service.port, service.txt)

The daemon and ``avahi-browse`` talk over a D-Bus of their own; the machine's bus and
daemon are not touched.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.netns import Namespace

NEEDED = ("avahi-daemon", "avahi-browse", "avahi-resolve", "dbus-daemon", "unshare", "mount")
_START_S = 20.0  # a loaded machine
_FIELDS = 10

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""
_CONFIG = """[server]
host-name=listener
use-ipv4=yes
use-ipv6=yes
[wide-area]
enable-wide-area=no
[publish]
disable-publishing=yes
"""
# The daemon keeps its socket and PID in /run; this one sees a /run of its own.
_OWN_RUN = "mount -t tmpfs tmpfs /run && mkdir /run/avahi-daemon && exec {command}"


@dataclass(frozen=True)
class Service:
    """One resolved line of ``avahi-browse -rpt``."""

    interface: str
    protocol: str  # IPv4 or IPv6: over which of them the answer came
    name: str
    host: str
    address: str
    port: int
    txt: dict[str, str]


class Avahi:
    """A running daemon."""

    def __init__(self, namespace: Namespace, env: dict[str, str]) -> None:
        self._namespace = namespace
        self._env = env

    def browse(self, service_type: str) -> list[Service]:
        """Return what is on the network now."""
        command = ("avahi-browse", "-rpt", "--no-db-lookup", service_type)
        return parse(self._namespace.run(*command, env=self._env))

    def addresses(self, host: str) -> set[str]:
        """Return an IPv4 and an IPv6 address of the host, as far as they are known."""
        answers = ""
        for family in ("-4", "-6"):
            with contextlib.suppress(subprocess.CalledProcessError):
                command = ("avahi-resolve", family, "-n", host)
                answers += self._namespace.run(*command, env=self._env)
        return {line.split()[1] for line in answers.splitlines() if len(line.split()) == 2}


def missing() -> list[str]:
    """Return the programs that this needs and the computer has not."""
    return [name for name in NEEDED if shutil.which(name) is None]


def parse(text: str) -> list[Service]:
    """Return the resolved services in the output of ``avahi-browse -rp``."""
    services = []
    for line in text.splitlines():
        fields = line.split(";", _FIELDS - 1)
        if fields[0] == "=" and len(fields) == _FIELDS:
            _, interface, protocol, name, _kind, _domain, host, address, port, txt = fields
            pairs = dict(pair.split("=", 1) for pair in shlex.split(txt))
            services.append(
                Service(interface, protocol, _plain(name), host, address, int(port), pairs)
            )
    return services


@contextlib.contextmanager
def avahi(namespace: Namespace, folder: Path) -> Iterator[Avahi]:
    """Run a daemon in the namespace until the end of the block; logs go to ``folder``."""
    with contextlib.ExitStack() as stack:
        # Short, because the path of a socket may have 107 characters.
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="avahi-")))
        bus = private / "bus"
        (private / "bus.conf").write_text(BUS.format(path=bus))
        (private / "avahi.conf").write_text(_CONFIG)
        env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}"}
        log_file = folder / f"avahi-{time.monotonic_ns()}.log"
        log = stack.enter_context(log_file.open("ab"))
        bus_command = ("dbus-daemon", f"--config-file={private / 'bus.conf'}", "--nofork")
        stack.enter_context(_running(bus_command, env, log.fileno()))
        _wait(bus.exists, log_file)
        options = "--no-drop-root --no-chroot --no-rlimits --no-proc-title"
        daemon = _OWN_RUN.format(command=f"avahi-daemon {options} -f {private / 'avahi.conf'}")
        own_mounts = ("unshare", "--mount", "--propagation", "private", "sh", "-c", daemon)
        stack.enter_context(_running((*namespace.prefix, *own_mounts), env, log.fileno()))
        _wait(lambda: "startup complete" in log_file.read_text(), log_file)
        yield Avahi(namespace, env)


@contextlib.contextmanager
def _running(command: tuple[str, ...], env: dict[str, str], log: int) -> Iterator[None]:
    process = subprocess.Popen(
        command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"avahi does not start:\n{log.read_text()}")
        time.sleep(0.05)


def _plain(name: str) -> str:
    """Return a name without avahi's escapes: a backslash and three decimal digits."""
    raw, at = bytearray(), 0
    while at < len(name):
        if name[at] == "\\" and name[at + 1 : at + 4].isdecimal():
            raw.append(int(name[at + 1 : at + 4]))
            at += 4
        else:
            raw += name[at].encode()
            at += 1
    return raw.decode(errors="replace")
