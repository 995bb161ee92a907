"""A boxed hub and boxed boxes: enrolled by a spoken code, talking, removed, and no secret left."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.security.figures import figure
from tests.support.console import Chief
from tests.support.crew import START_S, Hub, free_port, running
from tests.support.hands import HandBox, is_back, talks
from tests.support.processes import family
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

VOICE_S = 60


@dataclass
class House:
    """A hub that takes boxes it knows, and its administrator."""

    folder: Path
    hub: Hub
    chief: Chief
    url: str

    def box(self, name: str) -> HandBox:
        return HandBox(self.folder, name, self.url, mic=voice(VOICE_S, sum(name.encode())))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    port = free_port()
    (tmp_path / "hub.toml").write_text(f"[web]\nsecure_port = {port}\n")
    settings = ("--config", str(tmp_path / "hub.toml"), "--name", "Hall", "--verbose")
    hub = Hub(tmp_path, free_port(), extra=settings, enrolled=True)
    with running(hub):
        hub.wait_up()
        yield House(tmp_path, hub, Chief(hub), f"wss://127.0.0.1:{port}")


def code_of(box: HandBox) -> str:
    """Hold TALK and HAND until the box says its code; return what it says."""
    before = len(box.told("enrol_code"))
    box.press_together()
    box.wait_for(lambda _: len(box.told("enrol_code")) > before, START_S, "says a code")
    box.press_together()
    box.wait_for(lambda _: box.lamp[1] == "pairing", START_S, "shows that it waits")
    return str(box.told("enrol_code")[-1]["code"])


def says(box: HandBox, prompt: str) -> None:
    box.wait_for(lambda _: box.told("prompt", name=prompt), START_S, f"says {prompt}")


def enrolled(house: House, box: HandBox) -> str:
    """Join the box to the hub; return its code."""
    box.wait_started()
    box.wait_for(lambda _: box.last_state("link") == "not_enrolled", START_S, "not enrolled")
    says(box, "not_enrolled")
    house.chief.waits_for_a_box()
    code = code_of(box)
    house.chief.sees_a_box()
    status, added = house.chief.types(code)
    assert (status, added["name"]) == (200, box.name.capitalize())
    says(box, "enrolled")
    is_back(box, "Hall")
    return code


def test_two_boxes_are_enrolled_by_their_codes_and_talk_and_one_is_removed(house: House) -> None:
    ana, ben = house.box("Ana"), house.box("Ben")
    with running(ana, ben):
        enrolled(house, ana)
        enrolled(house, ben)
        talks(ana)
        ben.wait_for(
            lambda _: any(e["kind"] == "real" for e in ben.events("frame_played")),
            START_S,
            "hears the other",
        )
        ana.press("talk")
        boxes = house.chief.ask("GET", "/boxes")[1]["boxes"]
        mine = next(each["id"] for each in boxes if each["name"] == "Ben")
        assert house.chief.ask("DELETE", f"/boxes/{mine}")[0] == 204
        ben.wait_for(lambda _: ben.last_state("link") == "not_known", START_S, "not known")
        says(ben, "not_known")
        assert (ben.state / "enrolment.json").exists()
        assert ana.last_state("link") == "up"
    # A box that is switched on again needs no finger.
    again = house.box("Ana")
    with running(again):
        is_back(again.wait_started(), "Hall")


def test_case_32_a_code_is_nowhere_but_in_ears(house: House) -> None:
    box = house.box("Ana")
    with running(box):
        box.wait_started()
        house.chief.waits_for_a_box()
        code = code_of(box)
        house.chief.sees_a_box()
        pids = [pid for parent in (box.pid, house.hub.pid) for pid in family(parent)]
        seen = {f"/proc/{pid}/{what}" for pid in pids for what in ("cmdline", "environ")}
        lines = b"".join(Path(each).read_bytes() for each in seen)
        wrong = f"{(int(code) + 1) % 10**6:06}"
        assert house.chief.types(wrong)[1]["code"] == "wrong_box_code"
        says(box, "enrol_wrong")
        house.chief.sees_a_box()
        assert house.chief.types(code)[0] == 200
        is_back(box, "Hall")
    spoken = " ".join(code)
    for text in (code, wrong, spoken):
        assert text.encode() not in lines
        assert text not in box.logged() + house.hub.logged()
    files = [path for path in house.folder.rglob("*") if path.is_file() and path.suffix != ".wav"]
    scanned = 0
    for path in files:
        data = path.read_bytes()
        if path == box.events_file:  # a simulator tells it there, by its name, and nowhere else
            events = (json.loads(line) for line in data.splitlines())
            kept = [event for event in events if event["event"] != "enrol_code"]
            # Times have six digits, too.
            data = json.dumps([event | {"t": 0} for event in kept]).encode()
        scanned += 1
        for text in (code, wrong, spoken):
            assert text.encode() not in data, path
    assert all(mode & 0o077 == 0 for mode in modes(box.state) if mode)
    figure(32, f"0 hits in {scanned} files, {len(seen)} process lists and two logs")


def modes(folder: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in folder.iterdir()]
