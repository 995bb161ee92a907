"""Errand: the doctor on a machine with a header's chip, sound cards and a telephone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from device.audio.mixer import Mixer, contents
from tests.appliance.guest.gpiosim import Chip
from tests.appliance.guest.telephones import SPEAK_410
from tests.appliance.guest.uhid import Plugged, nodes

SETTINGS = """
state_dir = "/run/box"
hub = "ws://127.0.0.1:9"
[sound]
microphone = "CARD=Loopback"
loudspeaker = "CARD=NoSuchCard,Loopback"
[sound.mixer]
"Speaker" = "90%"
"""


def visit(settings: Path, *arguments: str, user: int = 0) -> dict[str, Any]:
    """Return what one run of the doctor says, by part."""
    done = subprocess.run(
        [sys.executable, "-m", "stagebox", "doctor", "--json", "--config", settings, *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        user=user,
    )
    said = json.loads(done.stdout)
    return {each["name"]: each for each in said.pop("findings")} | {"all": said}


def open_once(program: str) -> None:
    """Open the card the way that gives it its two controls, as ALSA's settings for it have it."""
    command = [program, "-q", "-D", "default:CARD=Loopback", "-d", "1"]
    with Path("/dev/zero").open("rb") as zeros:
        subprocess.run(command, stdin=zeros, stdout=subprocess.DEVNULL, timeout=120, check=False)


def main() -> None:
    chip = Chip()
    settings = Path("/run/box.toml")
    settings.write_text(SETTINGS)
    phone = Plugged(SPEAK_410)
    nobody = 65534
    for node in nodes():
        Path("/dev", Path(node).name).chmod(0o600)
    mine, theirs = visit(settings), visit(settings, "--profile", "speakerphone", user=nobody)
    phone.unplug()
    gone = visit(settings, "--profile", "speakerphone")
    for program in ("aplay", "arecord"):
        open_once(program)
    told: list[str] = []
    heard: list[str] = []
    mixer = Mixer({"Speaker": "90%"}, told.append)
    for card in ("Loopback", "NoSuchCard", "Loopback"):
        mixer.set(card)
    fitting = Mixer({"PCM": "80%", "Digital": "60%"}, heard.append)
    fitting.set("Loopback")
    first = contents("Loopback")
    Mixer({"PCM": "10%"}, heard.append).set("Loopback")  # as a card that was plugged in anew
    fitting.set("Loopback")
    found = {
        "chip": chip.chip,
        "told": told,
        "heard": heard,
        "contents": [first, contents("Loopback")],
        "mine": {
            name: (each["ok"], each["sentence"]) for name, each in mine.items() if name != "all"
        },
        "cards": sorted(mine["all"]["machine"]["cards"]),
        "theirs": {
            name: (theirs[name]["ok"], theirs[name]["sentence"], theirs[name]["mend"])
            for name in ("speakerphone", "right to sound")
        },
        "gone": gone["speakerphone"]["sentence"],
    }
    print(f"RESULT {json.dumps(found)}", flush=True)


if __name__ == "__main__":
    main()
