"""Networks of one's own: network namespaces joined by bridges. Needs root.

    with network() as net:
        hub, box = net.namespace("hub"), net.namespace("box")
        net.plug(hub, "lan", "eth1", "10.77.1.1/24", "fd77:1::1/64")
        net.plug(box, "lan", "eth0", "10.77.1.2/24", "fd77:1::2/64")
        subprocess.Popen([*box.prefix, ...])

A LAN is a bridge in a namespace that holds nothing else. Nothing here reaches the
network of the machine: there is no link between the two, and no default route.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "stagebox-"
_RUN = Path("/run/netns")
_RUN_S = 20.0  # a loaded machine
_END_S = 5.0
# The standard library's own client is enough to ask for a page, and is on every machine.
_GET = (
    "import sys, urllib.request as u\n"
    "o = u.build_opener(u.ProxyHandler({}))\n"
    "sys.stdout.write(o.open(sys.argv[1], timeout=5).read().decode())"
)
# Addresses work at once: nobody else is there to have them already.
_SETTINGS = "for f in disable_ipv6 accept_dad accept_ra; do echo 0 > $d/default/$f; done"


def why_not() -> str | None:
    """Return why this machine cannot have such networks; None if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "not installed: ip (apt-get install iproute2)"
    try:
        with network() as net:
            net.plug(net.namespace("a"), "lan", "eth0", "10.77.0.1/24", "fd77::1/64")
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"
    return None


class Namespace:
    """A host of the network: its interfaces, its addresses and who runs there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.prefix = ("ip", "netns", "exec", name)
        run_ip("netns", "add", name)
        self.ip("link", "set", "lo", "up")
        self.run("sh", "-c", f"d=/proc/sys/net/ipv6/conf; {_SETTINGS}")

    def ip(self, *arguments: str) -> None:
        """Run ``ip`` on this namespace."""
        run_ip("-n", self.name, *arguments)

    def run(self, *command: str, env: dict[str, str] | None = None) -> str:
        """Run a program here and return what it printed."""
        return _run((*self.prefix, *command), env)

    def tap(self, name: str, interface: str) -> None:
        """Make the end of a cable that a virtual machine started here is plugged into."""
        self.ip("tuntap", "add", name, "mode", "tap")
        self.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        for each in (interface, name):
            self.ip("link", "set", each, "master", "br0", "up")
        self.ip("link", "set", "br0", "up")

    def get(self, url: str) -> str:
        """Return the page at ``url`` as it is seen from here; OSError if there is none."""
        try:
            return self.run(sys.executable, "-I", "-c", _GET, url)
        except subprocess.CalledProcessError as error:
            raise OSError(error.stderr.strip().splitlines()[-1]) from None

    def close(self) -> None:
        """End what still runs here and remove the namespace, with its links."""
        _remove(self.name)


class Network:
    """Hosts and LANs. Names are this process's own, so that runs do not meet."""

    def __init__(self) -> None:
        self._made: list[Namespace] = []
        self._lans: set[str] = set()
        self._plugs = 0
        self._stem = f"{_PREFIX}{os.getpid()}-{time.monotonic_ns() % 10**9}-"
        _remove_left_over()
        self._switch = self.namespace("switch")

    def namespace(self, name: str) -> Namespace:
        """Add a host without a network."""
        made = Namespace(self._stem + name)
        self._made.append(made)
        return made

    def plug(self, host: Namespace, lan: str, interface: str, *addresses: str) -> None:
        """Give the host an interface on the LAN with these addresses ("10.77.1.2/24")."""
        if lan not in self._lans:
            options = ("type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
            self._switch.ip("link", "add", lan, *options)
            self._switch.ip("link", "set", lan, "up")
            self._lans.add(lan)
        self._plugs += 1
        port = f"port{self._plugs}"
        peer = ("name", interface, "netns", host.name)
        # The same one after it was unplugged, as with a real adapter; else the others on
        # the LAN would look for the old one for a while.
        mac = _mac(host.name + interface)
        self._switch.ip("link", "add", port, "type", "veth", "peer", "address", mac, *peer)
        self._switch.ip("link", "set", port, "master", lan, "up")
        for address in addresses:
            host.ip("address", "add", address, "dev", interface)
        host.ip("link", "set", interface, "up")

    def unplug(self, host: Namespace, interface: str) -> None:
        """Take the interface out of the host, as one pulls a USB adapter."""
        host.ip("link", "delete", interface)

    def close(self) -> None:
        """Remove everything, even after something could not be removed."""
        with contextlib.ExitStack() as stack:
            for host in self._made:
                stack.callback(host.close)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Have a network until the end of the block."""
    made = Network()
    try:
        yield made
    finally:
        made.close()


def _remove_left_over() -> None:
    """Remove what a run that was killed could not."""
    for path in _RUN.glob(f"{_PREFIX}*") if _RUN.is_dir() else ():
        owner = path.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            with contextlib.suppress(subprocess.CalledProcessError):  # somebody else did
                _remove(path.name)


def _remove(name: str) -> None:
    deadline = time.monotonic() + _END_S
    while pids := run_ip("netns", "pids", name).split():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    run_ip("netns", "delete", name)


def _mac(text: str) -> str:
    """Return a locally administered hardware address that belongs to the text."""
    return ":".join(f"{byte:02x}" for byte in (2, *hashlib.sha256(text.encode()).digest()[:5]))


def run_ip(*arguments: str) -> str:
    """Run ``ip`` on this machine and return what it printed."""
    return _run(("ip", *arguments))


def _run(command: tuple[str, ...], env: dict[str, str] | None = None) -> str:
    whole_env = {**os.environ, **(env or {})}
    try:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_RUN_S, env=whole_env
        )
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise
    return done.stdout
