"""The command line: ``stagebox hub | box | demo | doctor | update | support ...``.

Arguments only. The programs are loaded by name when they are asked for, so that
``stagebox --version`` needs no sound card, no network and hardly any time.
"""

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Final

from stagebox import netstate
from stagebox.installed import software
from stagebox.rtc import lean

USAGE_ERROR: Final = 2

_PROGRAMS: Final = {
    "hub": "hub.app",
    "box": "device.app",
    "demo": "stagebox.demo",
    "doctor": "device.doctor",
    "prompts": "device.promptbook",
    "profiles": "device.profiles.command",
    "test-panel": "device.paneltest.program",
    "panel": "device.picotool.program",
    "reset": "device.trust.reset",
    "provision": "provisioning.app",
    "update": "provisioning.update.program",
    "support": "provisioning.support.program",
}
_PROVISION_PLACES: Final = {
    "runtime": netstate.HELPER_DIR,
    "state": "/var/lib/stagebox-network",
    "ask": netstate.ASK_FILE,
}
# Those that run for months and carry sound.
_APPLIANCES: Final = frozenset({"hub", "box"})
# As a shell counts a program that SIGPIPE has ended.
_PIPE_CLOSED: Final = 141


def main(argv: list[str] | None = None) -> int:
    """Run one of the programs and return its exit status."""
    arguments = build_parser().parse_args(argv)
    if arguments.program in _APPLIANCES:
        lean.load()
    program = importlib.import_module(_PROGRAMS[arguments.program])
    try:
        status: int = program.main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        if arguments.program in _APPLIANCES:
            raise
        # Who read it has read enough. What Python still holds back goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    return status


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="stagebox",
        description="Push-to-talk boxes for live-audio spaces, and the hub they talk through.",
    )
    parser.add_argument("--version", action="version", version=software())
    programs = parser.add_subparsers(dest="program", required=True, metavar="PROGRAM")
    _add_hub(programs.add_parser("hub", help="run the hub"))
    _add_box(programs.add_parser("box", help="run a box, real or simulated"))
    _add_demo(programs.add_parser("demo", help="a hub and three boxes on this computer"))
    _add_doctor(programs.add_parser("doctor", help="say what this machine lacks to be a box"))
    _add_profiles(programs.add_parser("profiles", help="the boards a box can be built on"))
    _add_test_panel(
        programs.add_parser("test-panel", help="try each button, lamp and tone, without a hub")
    )
    _add_panel(programs.add_parser("panel", help="a panel on a USB cable: firmware, keys"))
    _add_provision(programs.add_parser("provision", help="set up a box's network (a service)"))
    _add_prompts(programs.add_parser("prompts", help="what a box says, and recordings of it"))
    _add_update(programs.add_parser("update", help="fetch the newest release from the hub"))
    _add_reset(programs.add_parser("reset", help="have a box forget its hub and its key"))
    _add_support(programs.add_parser("support", help="collect what helps to help, no secrets"))
    return parser


def _add_hub(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML)")
    parser.add_argument(
        "--bind", action="append", metavar="ADDR", help="address to listen on (may be repeated)"
    )
    parser.add_argument("--port", type=_port, metavar="N", help="port to listen on (0: any)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the hub keeps its state")
    parser.add_argument("--name", help="what the hub is called on the network")
    parser.add_argument(
        "--open",
        action="store_true",
        help="take any box without enrolment, on this computer only: for development",
    )
    parser.add_argument("--no-advertise", action="store_true", help="do not announce by mDNS")
    _add_verbose(parser)


def _add_box(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML)")
    parser.add_argument("--hub", metavar="URL", help="address of the hub, else found by mDNS")
    parser.add_argument("--name", help="what people call this box")
    parser.add_argument("--space", help="the space to join")
    _add_profile(parser)
    parser.add_argument("--role", choices=("guest", "studio", "speaker"), help="kind of box")
    parser.add_argument("--state", type=Path, metavar="DIR", help="where the box keeps its state")
    parser.add_argument(
        "--events", type=Path, metavar="FILE", help="write what happens as JSON lines"
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="stop after N seconds")
    sim = parser.add_argument_group("simulator")
    sim.add_argument("--simulate", action="store_true", help="files and keys for hardware")
    sim.add_argument("--mic", type=Path, metavar="WAV", help="what the microphone hears")
    sim.add_argument("--speaker", type=Path, metavar="WAV", help="what the speaker was fed")
    sim.add_argument(
        "--room", type=Path, metavar="WAV", help="impulse response from speaker to microphone"
    )
    sim.add_argument(
        "--page",
        type=_port,
        nargs="?",
        const=-1,
        metavar="PORT",
        help="the panel as a page for a browser on this computer (default port: 7310, or the next)",
    )
    sim.add_argument("--script", type=Path, metavar="FILE", help="buttons: '1.0 talk down' ...")
    sim.add_argument(
        "--wait-joined",
        type=_seconds,
        default=0.0,
        metavar="N",
        help="start microphone, speaker and script when the box is in its space, "
        "after N seconds at the latest",
    )
    _add_verbose(parser)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no keys, no live view")
    parser.add_argument(
        "--page", action="store_true", help="two boxes whose panels you work in a browser"
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N")
    parser.add_argument(
        "--out", type=Path, default=Path("demo-out"), metavar="DIR", help="recordings and report"
    )


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="the box's settings (TOML)")
    parser.add_argument("--hub", metavar="URL", help="address of the hub, else looked for by mDNS")
    _add_profile(parser)
    parser.add_argument("--json", action="store_true", help="all of it as one JSON object")


def _add_profiles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="one profile, whole: wires, settings, parts, notes")
    parser.add_argument(
        "--write", type=Path, metavar="DIR", help="write a page with a picture for each profile"
    )


def _add_test_panel(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="the box's settings (TOML)")
    _add_profile(parser)
    parser.add_argument(
        "--yes", action="store_true", help="nobody looks on: quickly, and without questions"
    )
    sim = parser.add_argument_group("simulator")
    sim.add_argument("--simulate", action="store_true", help="files and keys for hardware")
    sim.add_argument("--mic", type=Path, metavar="WAV", help="what the microphone hears")
    sim.add_argument("--speaker", type=Path, metavar="WAV", help="what the speaker was fed")
    sim.add_argument("--script", type=Path, metavar="FILE", help="buttons: '1.0 talk down' ...")
    _add_verbose(parser)


def _add_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile", metavar="NAME", help="the board it is built on: `stagebox profiles` lists them"
    )


def _add_panel(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    put = acts.add_parser("install", help="put the firmware on a Pico with MicroPython")
    acts.add_parser("list", help="the Picos that are plugged in, and what runs on them")
    look = acts.add_parser("watch", help="show its keys, live; its lamp flashes white")
    for each in (put, look):
        each.add_argument("port", nargs="?", metavar="PORT", help="serial line, else the only Pico")
    look.add_argument("--seconds", type=_seconds, metavar="N", help="stop after N seconds")


def _add_prompts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", choices=("en", "de"), default="en", help="default: en")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--check", type=Path, metavar="DIR", help="what a folder of WAV files lacks")
    which.add_argument(
        "--render", type=Path, metavar="DIR", help="make a folder of WAV files with espeak-ng"
    )


def _add_update(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    for flag, text in (
        ("check", "only look whether there is a newer one"),
        ("now", "even while the box is in use, and what failed before"),
        ("rollback", "go back to the release before"),
    ):
        which.add_argument(f"--{flag}", dest="wish", action="store_const", const=flag, help=text)
    parser.set_defaults(wish="update")


def _add_support(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to (default: this folder)")
    parser.add_argument("--yes", action="store_true", help="write it without asking")


def _add_reset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="the box's settings (TOML)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="where the box keeps its state")
    parser.add_argument("--all", action="store_true", help="its networks, too (as root)")
    parser.add_argument("--yes", action="store_true", help="wipe it without asking")


def _add_provision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--boot-file", action="store_true", help="only what root does about the boot file"
    )
    places = parser.add_argument_group("places, for tests")
    for name, default in _PROVISION_PLACES.items():
        places.add_argument(f"--{name}", type=Path, default=Path(default), metavar="DIR")
    places.add_argument(
        "--boot",
        type=Path,
        nargs="+",
        default=[Path("/boot/firmware"), Path("/boot")],
        metavar="DIR",
    )
    _add_verbose(parser)


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")


def _port(text: str) -> int:
    value = int(text) if text.isdigit() else -1
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 31_536_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


if __name__ == "__main__":
    sys.exit(main())
