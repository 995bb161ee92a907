"""Errand: the set-up helper under a real systemd and NetworkManager, on simulated radios.

One radio is the box's; one is an access point's and one a phone's, each in a network of its
own, so that nothing passes between them but through the air.
"""

import asyncio
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from provisioning.network.bus import Service, open_system_bus
from tests.appliance.guest import lease
from tests.appliance.guest.nmcontract import NAME, Story

HERE = Path("/opt/stagebox")
RUNTIME = Path("/run/stagebox-network")
BOOT = Path("/boot/firmware/stagebox.toml")
ASK = Path("/run/stagebox/ask-hotspot")
SSID, KEY = "Harbour", "correct horse"
PATIENCE_S = 200.0
DROP_IN = """[Service]
Environment=PYTHONPATH=/opt/stagebox PYTHONDONTWRITEBYTECODE=1
ExecStart=
ExecStart=/usr/bin/python3 -m stagebox provision {more}
TimeoutStartSec=300
WatchdogSec={watchdog}
"""
HOSTAPD = """interface={radio}
driver=nl80211
ssid={ssid}
hw_mode=g
channel={channel}
ignore_broadcast_ssid={hidden}
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase={key}
"""
PHONE = 'network={{\n ssid="{ssid}"\n psk="{key}"\n key_mgmt=WPA-PSK\n scan_ssid=1\n}}\n'


def run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-300:]}{done.stderr[-500:]}")
    return done.stdout.strip()


def tell(**what: object) -> None:
    print("RESULT", json.dumps(what), flush=True)


def until(true: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> float:
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{what}: not within {seconds:g} s; told {steps.heard[-5:]}")
        time.sleep(0.1)
    return round(time.monotonic() - began, 1)


class Steps:
    """Everything that the helper tells the box."""

    def __init__(self) -> None:
        self.heard: list[dict[str, object]] = []

    def look(self) -> None:
        try:
            state = json.loads((RUNTIME / "network.json").read_text())
        except (OSError, ValueError):
            return
        if not self.heard or state != self.heard[-1]:
            self.heard.append(state)
            print("STEP", state, flush=True)

    def names(self, since: int = 0) -> list[str]:
        self.look()
        return [str(each["step"]) for each in self.heard[since:]]

    def has(self, step: str, detail: str, since: int) -> bool:
        self.look()
        told = self.heard[since:]
        return any((each["step"], each["detail"]) == (step, detail) for each in told)

    def wait(self, step: str, since: int, seconds: float = PATIENCE_S) -> float:
        return until(lambda: step in self.names(since), step, seconds)


steps = Steps()


class Air:
    """The access point, and the phone."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def set_up(self) -> None:
        for name, phy in (("ap", 1), ("phone", 2)):
            run("ip", "netns", "add", name)
            run("iw", "phy", f"phy{phy}", "set", "netns", "name", name)
            self.names[name] = run(
                *("ip", "netns", "exec", name, "sh", "-c", "ls /sys/class/net | grep wlan || true")
            ) or self.radio(name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", "ap", "addr", "add", "192.168.50.1/24", "dev", self.names["ap"])

    @staticmethod
    def radio(name: str) -> str:
        shown = run("ip", "-n", name, "-br", "link")
        return next(line.split()[0] for line in shown.splitlines() if line.startswith("wlan"))

    def start(self, what: str, name: str, *command: str) -> None:
        with Path(f"/run/{what}.log").open("ab") as log:
            self.running[what] = subprocess.Popen(
                ("ip", "netns", "exec", name, *command), stdout=log, stderr=log
            )

    def stop(self, what: str) -> None:
        program = self.running.pop(what, None)
        if program is not None:
            program.terminate()
            program.wait()

    def access_point(self, *, ssid: str = SSID, hidden: bool = False, channel: int = 1) -> None:
        text = HOSTAPD.format(
            radio=self.names["ap"], ssid=ssid, key=KEY, hidden=int(hidden), channel=channel
        )
        Path("/run/hostapd.conf").write_text(text)
        self.start("hostapd", "ap", "hostapd", "/run/hostapd.conf")

    def router(self) -> None:
        self.start(
            *("dnsmasq", "ap", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"),
            *("--port=0", "--bind-interfaces", f"--interface={self.names['ap']}"),
            *("--dhcp-range=192.168.50.10,192.168.50.99,1h", "--dhcp-option=3,192.168.50.1"),
            *("--leasefile-ro", "--dhcp-authoritative"),
        )

    def phone(self, ssid: str, key: str) -> None:
        Path("/run/phone.conf").write_text(PHONE.format(ssid=ssid, key=key))
        self.start(
            *("phone", "phone", "wpa_supplicant", "-Dnl80211"),
            *("-i", self.names["phone"], "-c", "/run/phone.conf"),
        )


air = Air()


def install() -> None:
    shutil.copy(HERE / "systemd/polkit/60-stagebox.rules", "/etc/polkit-1/rules.d")
    shared = Path("/etc/NetworkManager/dnsmasq-shared.d")
    shared.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "systemd/networkmanager/dnsmasq-shared.conf", shared / "stagebox.conf")
    run("systemd-sysusers", str(HERE / "systemd/sysusers.d/stagebox.conf"))
    make_boot_partition()
    ASK.parent.mkdir(parents=True, exist_ok=True)
    for unit, more, watchdog in (
        ("stagebox-provision", "", 60),
        ("stagebox-bootfile", "--boot-file --state /var/lib/stagebox-login", 0),
    ):
        shutil.copy(HERE / f"systemd/{unit}.service", "/etc/systemd/system")
        extra = Path(f"/etc/systemd/system/{unit}.service.d/test.conf")
        extra.parent.mkdir()
        extra.write_text(DROP_IN.format(more=more, watchdog=watchdog))
    shutil.copy(HERE / "systemd/stagebox-bootfile.path", "/etc/systemd/system")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "stagebox-bootfile.path")


def make_boot_partition() -> None:
    """Mount a partition as a card has it: FAT, readable by the helper, writable by root."""
    BOOT.parent.mkdir(parents=True, exist_ok=True)
    with Path("/run/boot.img").open("wb") as image:
        image.truncate(32 << 20)
    run("mkfs.vfat", "/run/boot.img")
    options = "loop,rw,sync,noatime,gid=stagebox,umask=0027"
    run("mount", "-t", "vfat", "-o", options, "/run/boot.img", str(BOOT.parent))


def boot_file(**keys: object) -> None:
    """Write one, whole, as an editor does."""
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    new = BOOT.with_suffix(".part")
    new.write_text(text)
    new.rename(BOOT)


def forget() -> None:
    """Make it a box that was never set up."""
    run("systemctl", "stop", "stagebox-provision")
    BOOT.unlink(missing_ok=True)
    names = run("nmcli", "-t", "-f", "NAME", "connection", "show").splitlines()
    for name in names:
        run("nmcli", "connection", "delete", name, check=False)
    shutil.rmtree("/var/lib/stagebox-network", ignore_errors=True)
    shutil.rmtree(RUNTIME, ignore_errors=True)
    steps.heard.clear()


def start() -> None:
    run("systemctl", "start", "stagebox-provision")


def active() -> list[str]:
    return run("nmcli", "-t", "-f", "NAME", "connection", "show", "--active").splitlines()


def scene_no_country() -> None:
    boot_file(ssid=SSID, key=KEY)
    start()
    waited = steps.wait("no_country", 0)
    tell(no_country_s=waited, no_country_steps=steps.names(), no_country_active=active())


def scene_wrong_key() -> None:
    forget()
    air.access_point()
    boot_file(country="DE", ssid=SSID, key="wrong horse")
    start()
    waited = steps.wait("wrong_key", 0)
    time.sleep(20)  # the second try comes, and is not told again
    tell(wrong_key_s=waited, wrong_key_steps=steps.names(), wrong_key_active=active())
    tell(kept_key="wrong horse" in BOOT.read_text())


def scene_no_dhcp() -> None:
    since = len(steps.heard)
    boot_file(country="DE", ssid=SSID, key=KEY)
    waited = steps.wait("no_address", since)
    tell(no_dhcp_s=waited, no_dhcp_steps=steps.names(since))


def scene_not_found() -> None:
    start()
    since = len(steps.heard)
    boot_file(country="DE", ssid="Nobody", key=KEY)
    waited = until(lambda: {"not_found", "join_failed"} & set(steps.names(since)), "not found")
    tell(not_found_s=waited, not_found_steps=steps.names(since))


def scene_join() -> None:
    start()
    if "hostapd" not in air.running:
        air.access_point()
    air.router()
    since = len(steps.heard)
    boot_file(country="DE", ssid=SSID, key=KEY, name="Kitchen", ssh_key="ssh-ed25519 AAAA me")
    waited = steps.wait("joined", since)
    until(lambda: KEY not in BOOT.read_text(), "the key is removed")
    shown = run("nmcli", "-t", "connection", "show", "stagebox")
    facts = dict(line.partition(":")[::2] for line in shown.splitlines() if ":" in line)
    tell(
        join_s=waited,
        join_steps=steps.names(since),
        boot_file=BOOT.read_text(),
        box_settings=(RUNTIME / "box.toml").read_text(),
        login=Path("/var/lib/stagebox-login/authorized_keys").read_text(),
        mode=oct((RUNTIME / "network.json").stat().st_mode & 0o777),
        group=(RUNTIME / "network.json").group(),
        powersave=facts["802-11-wireless.powersave"],
        retries=facts["connection.autoconnect-retries"],
        country=run("sh", "-c", "iw reg get | grep -m1 ^country"),
        stored=run("nmcli", "-t", "-f", "NAME", "connection", "show").splitlines(),
    )


def away(seconds: float, channel: int) -> tuple[float, list[str]]:
    """Switch the access point off for so long; return how long the way back took."""
    since = len(steps.heard)
    air.stop("hostapd")
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        steps.look()
        time.sleep(0.2)
    air.access_point(channel=channel)
    waited = until(reaches_router, "the router again")
    time.sleep(2)
    if "away" in steps.names(since):
        steps.wait("joined", since)
    return waited, steps.names(since)


def reaches_router() -> bool:
    """Whether something comes back through the air: here, that nothing listens."""
    steps.look()
    with socket.socket() as line:
        line.settimeout(0.3)
        return line.connect_ex(("192.168.50.1", 9)) == errno.ECONNREFUSED


def scene_away() -> None:
    for seconds in [float(each) for each in os.environ.get("AWAY", "5 60").split()]:
        waited, told = away(seconds, 1 if seconds < 10 else 11)
        tell(**{f"away_{seconds:g}": {"back_s": waited, "told": told, "active": active()}})


def scene_hidden() -> None:
    air.stop("hostapd")
    air.access_point(ssid="Cellar", hidden=True)
    steps.look()
    since = len(steps.heard)
    boot_file(country="DE", ssid="Cellar", key=KEY, hidden=True)
    waited = until(lambda: steps.has("joined", "Cellar", since), "hidden")
    tell(hidden_s=waited, hidden_steps=steps.names(since))
    stored = run("nmcli", "-t", "-f", "NAME", "connection", "show").splitlines()
    tell(hidden_stored=stored)


def scene_restart() -> None:
    """A helper that is started anew finds everything as it is, and asks for nothing."""
    since = len(steps.heard)
    run("systemctl", "kill", "-s", "KILL", "stagebox-provision")
    steps.wait("joined", since)
    tell(restart_steps=steps.names(since), restart_active=active())


def request(method: str, path: str, body: str = "", host: str = "10.42.0.1") -> tuple[int, str]:
    """Ask the page, from the phone's network."""
    code = (
        "import http.client,sys\n"
        f"c=http.client.HTTPConnection('10.42.0.1',80,timeout=30)\n"
        f"c.request({method!r},{path!r},{body!r},"
        f"{{'Host':{host!r},'Content-Type':'application/x-www-form-urlencoded'}})\n"
        "r=c.getresponse()\n"
        "h=r.headers\n"
        "print(r.status, h.get('Location') or '', h.get('Content-Security-Policy') or '')\n"
        "print(r.read().decode())\n"
    )
    # The page is there a moment after the hotspot: here, half a minute of Python's imports.
    until(answers, "the page")
    out = run("ip", "netns", "exec", "phone", sys.executable, "-c", code)
    head, _, text = out.partition("\n")
    return int(head.split()[0]), head + "\n" + text


def answers() -> bool:
    code = "import socket; socket.create_connection(('10.42.0.1', 80), 3)"
    command = ("ip", "netns", "exec", "phone", sys.executable, "-c", code)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def fill(page: str, ssid: str, key: str) -> str:
    token = page.partition('name="token" value="')[2].partition('"')[0]
    fields = {"token": token, "network": ssid, "other": "", "key": key, "country": "DE"}
    return urllib.parse.urlencode(fields)


def join_hotspot() -> dict[str, object]:
    hotspot = next(each for each in reversed(steps.heard) if each["step"] == "hotspot")
    air.stop("phone")
    air.phone(str(hotspot["detail"]), str(hotspot["secret"]))
    radio = air.names["phone"]
    until(
        lambda: "Connected to" in run("ip", "netns", "exec", "phone", "iw", "dev", radio, "link"),
        "the phone is in the hotspot",
    )
    return hotspot


def scene_hotspot() -> None:
    forget()
    air.stop("hostapd")
    air.access_point()
    if "dnsmasq" not in air.running:
        air.router()
    start()
    waited = steps.wait("hotspot", 0)
    hotspot = join_hotspot()
    radio = air.names["phone"]
    leased = run("ip", "netns", "exec", "phone", sys.executable, "-m", lease.__name__, radio)
    address = json.loads(leased)
    tell(hotspot_s=waited, hotspot_steps=steps.names(), key_digits=len(str(hotspot["secret"])))
    tell(lease=address)
    run("ip", "-n", "phone", "addr", "flush", "dev", radio)
    run("ip", "-n", "phone", "addr", "add", f"{address['first']}/24", "dev", radio)
    run("ip", "-n", "phone", "route", "add", "default", "via", "10.42.0.1")
    status, page = request("GET", "/")
    led, where = request("GET", "/generate_204", host="connectivitycheck.gstatic.com")
    Path("/run/page.html").write_text(page)
    tell(page=status, listed=SSID in page, csp="default-src 'none'" in page, led=led)
    tell(led_to=where.split()[1], way_out=way_out(), ports=ports())
    wrong, said = request("POST", "/", fill(page, SSID, "short"))
    tell(mistake=wrong, mistake_said='role="alert"' in said)
    # A wrong key: the hotspot comes back, and its page says so.
    since = len(steps.heard)
    tell(posted=request("POST", "/", fill(page, SSID, "wrong horse"))[0])
    waited = steps.wait("hotspot", since)
    tell(again_s=waited, again_steps=steps.names(since))
    join_hotspot()
    status, page = request("GET", "/")
    tell(again_page=status, again_said='role="alert"' in page)
    since = len(steps.heard)
    request("POST", "/", fill(page, SSID, KEY))
    waited = steps.wait("joined", since)
    tell(set_up_s=waited, set_up_steps=steps.names(since), set_up_active=active())
    tell(secret_left=str(hotspot["secret"]) in (RUNTIME / "network.json").read_text())


def way_out() -> list[str]:
    """Try to get through the box to a network behind it."""
    run("ip", "netns", "add", "far")
    run("ip", "link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", "far")
    run("ip", "addr", "add", "10.99.0.1/24", "dev", "near0")
    run("ip", "link", "set", "near0", "up")
    run("ip", "-n", "far", "addr", "add", "10.99.0.2/24", "dev", "far0")
    run("ip", "-n", "far", "link", "set", "far0", "up")
    run("ip", "-n", "far", "link", "set", "lo", "up")
    run("ip", "-n", "far", "route", "add", "default", "via", "10.99.0.1")
    code = (
        "import socket\n"
        "s=socket.socket(); s.settimeout(8)\n"
        "try:\n s.connect(('10.99.0.2', 9)); print('through')\n"
        "except ConnectionRefusedError: print('through')\n"
        "except OSError as e: print('stopped:', type(e).__name__)\n"
    )
    outcomes = [run("ip", "netns", "exec", "phone", sys.executable, "-c", code)]
    # The same without the rule, or this would prove nothing.
    rule = ("pref", "100", "iif", "wlan0", "prohibit")
    run("ip", "rule", "del", *rule)
    outcomes.append(run("ip", "netns", "exec", "phone", sys.executable, "-c", code))
    run("ip", "rule", "add", *rule)
    return outcomes


def ports() -> list[str]:
    """Return what listens on the hotspot's address, or on all."""
    lines = run("ss", "-H", "-lntu").splitlines()
    return sorted({f"{line.split()[0]} {line.split()[4]}" for line in lines})


def scene_asked() -> None:
    """A box that has a network, and is asked."""
    since = len(steps.heard)
    ASK.write_text("")
    waited = steps.wait("hotspot", since)
    tell(asked_s=waited, asked_steps=steps.names(since))
    since = len(steps.heard)
    run("systemctl", "stop", "stagebox-provision")
    until(lambda: "stagebox-setup" not in active(), "the hotspot goes with its program")
    until(lambda: "stagebox" in active(), "the network is back")
    tell(asked_after=active())
    start()


def scene_contract() -> None:
    """Play with the real NetworkManager what the tests play with their own."""
    forget()
    air.stop("hostapd")
    air.access_point()
    if "dnsmasq" not in air.running:
        air.router()

    async def play() -> None:
        bus = await open_system_bus()
        await Story(Service(bus, NAME), 150).play()
        bus.disconnect()

    asyncio.run(play())
    tell(contract=True)
    forget()


def memory_kib() -> int:
    """Return what the helper takes."""
    pid = run("systemctl", "show", "--value", "-p", "MainPID", "stagebox-provision")
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


SCENES = {
    name.removeprefix("scene_"): scene
    for name, scene in list(globals().items())
    if name.startswith("scene_")
}


def main() -> None:
    os.environ["PAGER"] = "cat"
    install()
    # This kernel has its radio built in and looks for the rules before there is a disk; Debian's
    # own signature on them is not among its keys.
    run("update-alternatives", "--set", "regulatory.db", "/lib/firmware/regulatory.db-upstream")
    run("iw", "reg", "reload")
    air.set_up()
    until(lambda: "wlan0" in run("nmcli", "-t", "-f", "DEVICE", "device"), "a radio")
    try:
        for name in sys.argv[1:]:
            print("SCENE", name, flush=True)
            SCENES[name]()
        print("LOG", run("journalctl", "--no-pager", "-o", "cat", "-u", "stagebox-provision"))
        tell(
            done=True,
            memory_kib=memory_kib(),
            canary=[
                secret
                for secret in (KEY, "wrong horse", *{str(s["secret"]) for s in steps.heard} - {""})
                if secret in run("journalctl", "--no-pager", "-u", "stagebox-*")
            ],
        )
    except Exception as error:  # noqa: BLE001 - what went wrong is the result
        tell(error=f"{type(error).__name__}: {error}")
        print(run("journalctl", "--no-pager", "-n", "120", "-o", "cat", check=False)[-9_000:])
        for log in Path("/run").glob("*.log"):
            print(log, log.read_text(errors="replace")[-1_500:])


if __name__ == "__main__":
    main()
