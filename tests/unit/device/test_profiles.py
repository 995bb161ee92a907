"""Profiles: what each says, how a box's settings go over it, and mistakes that are named."""

import argparse
import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs, to_builtins

import device.buttons
from device.config import I2C_PINS, BoxConfig, LampKind, PanelConfig
from device.profiles.command import main
from device.profiles.header import PI, PICO, wires
from device.profiles.model import FittedConfig, key_names
from device.profiles.shelf import SHELF, load_settings, names, own_toml, profile
from device.profiles.words import buttons, lamp, listing, whole
from stagebox.config import ConfigError, parse_layers
from stagebox.configtext import read_layer
from stagebox.wire.terms import Role

NAMES = (
    *("bare", "adafruit-voice-bonnet", "aiy-voice-bonnet", "aiy-voice-hat", "codec-zero"),
    *("inmp441-max98357a", "pico", "respeaker-2mic-v1", "respeaker-2mic-v2", "speaker"),
    "speakerphone",
)
I2S_PINS = {18, 19, 20, 21}

MINE = """
[panel]
talk = 5
hand = 0
[board]
title = "my board"
what = "One of mine."
when = "never"
form = "hat"
sound = "mine"
spare = [13]
holds = { "I2S" = [18, 19] }
[[board.parts]]
name = "it"
"""


def refusal(path: Path | None = None, **given: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, given)
    return str(caught.value)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return tmp_path / "box.toml"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


# --- those that come with the box ---------------------------------------------------------


def test_the_shelf_holds_these() -> None:
    assert names() == NAMES


def test_the_bare_profile_is_the_defaults() -> None:
    config = to_builtins(profile("bare"))
    del config["board"]
    assert config == to_builtins(BoxConfig())


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_can_be_built(name: str) -> None:
    config = profile(name)
    panel, board = config.panel, config.board
    assert board.parts
    assert board.title in whole(name, config)
    taken = [*panel.pins.values()] if panel.kind == "gpio" else []
    assert len(set(taken)) == len(taken)
    assert not set(taken) & {0, 1, *board.held, *panel.bus}
    assert not set(board.spare) & {0, 1, *board.held, *panel.bus, *taken}
    overlays = [line for line in board.config_txt if line.startswith("dtoverlay=")]
    assert len(overlays) <= 1, "one I2S overlay at a time"
    if board.i2c:
        assert set(I2C_PINS) <= {*board.held, *panel.bus}
    if board.form == "hat" or (board.modules and board.header == "pi"):
        assert {*board.held} & I2S_PINS


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_meant_by_id_and_never_by_its_number(name: str) -> None:
    config = profile(name)
    for match in (config.sound.microphone, config.sound.loudspeaker):
        assert match in {"", "USB", f"CARD={','.join(config.board.cards)}"}
        assert "hw:" not in match
    if config.role is Role.SPEAKER:
        assert config.sound.microphone == ""
    if config.sound.mixer:
        assert config.board.cards, "levels need a card"


@pytest.mark.parametrize("name", NAMES)
def test_a_hat_with_one_button_has_no_hand(name: str) -> None:
    config = profile(name)
    if config.board.form == "hat":
        assert key_names(config) == ("talk",)
        assert config.board.button
    if config.board.form == "usb":
        assert key_names(config) == ()


def test_pixels_and_buttons_are_where_the_boards_have_them() -> None:
    def pins(name: str) -> dict[str, int]:
        return profile(name).panel.pins

    assert pins("respeaker-2mic-v1") == {"talk": 17, "lamp_data": 10, "lamp_clock": 11}
    assert pins("respeaker-2mic-v2") == pins("respeaker-2mic-v1")
    assert pins("adafruit-voice-bonnet") == {"talk": 17, "lamp_data": 5, "lamp_clock": 6}
    assert pins("aiy-voice-hat") == {"talk": 23, "lamp_red": 25}
    assert pins("aiy-voice-bonnet") == {"talk": 23}
    assert pins("codec-zero") == {"talk": 27, "lamp_green": 23, "lamp_red": 24}
    assert profile("respeaker-2mic-v1").board.i2c != profile("respeaker-2mic-v2").board.i2c


# --- one over the other -------------------------------------------------------------------


def test_command_line_over_box_over_profile_over_defaults(box: Path) -> None:
    box.write_text(
        'profile = "codec-zero"\nname = "Bar"\n[sound]\nvolume = 30\n'
        '[sound.mixer]\n"DAC" = "50%"\n[panel]\nstatus = 5\n'
    )
    config = load_settings(box, {"name": "Foyer", "space": None})
    assert (config.name, config.profile, config.board.title) == (
        *("Foyer", "codec-zero"),
        "Raspberry Pi Codec Zero",
    )
    assert config.sound.volume == 30
    assert config.sound.microphone == "CARD=Zero,IQaudIOCODEC"
    assert config.sound.mixer["DAC"] == "50%"
    assert config.sound.mixer["ADC"] == "90% on"
    assert (config.panel.talk, config.panel.status, config.panel.brightness) == (27, 5, 100)
    assert load_settings(box, {"profile": "bare"}).panel.talk == 17


def test_no_file_and_no_word_is_the_bare_box() -> None:
    assert load_settings(None) == profile("bare")
    assert load_settings(None, {"profile": "speaker"}).role is Role.SPEAKER


def test_a_file_of_ones_own_is_found_beside_the_settings(
    box: Path, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.write_text('profile = "mine.toml"\n')
    assert load_settings(box).board.title == "my board"
    box.write_text(f'profile = "{mine}"\n')
    assert load_settings(box).panel.talk == 5
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {"profile": "./mine.toml"}).panel.talk == 5
    assert profile("./mine.toml").board.title == "my board"


# --- mistakes -----------------------------------------------------------------------------


def test_a_name_that_is_none_is_answered_with_the_nearest(box: Path) -> None:
    box.write_text('name = "Bar"\nprofile = "respeaker"\n')
    said = refusal(box)
    assert said.startswith(f"{box}:2: profile: there is no profile 'respeaker'. Nearest: respe")
    assert "`stagebox profiles` lists all" in said
    assert refusal(profile="zzz").startswith("command line: profile: there is no profile 'zzz'. T")
    with pytest.raises(
        ConfigError, match=r"^profile: there is no profile 'codec'\. Nearest: codec-"
    ):
        profile("codec")


def test_a_file_that_is_none_is_asked_for_where_it_is_named(box: Path, tmp_path: Path) -> None:
    box.write_text('\nprofile = "gone.toml"\n')
    assert refusal(box).startswith(f"{box}:2: profile: {tmp_path}/gone.toml: this file cannot be")
    (tmp_path / "bad.toml").write_text("[panel\n")
    box.write_text('profile = "bad.toml"\n')
    assert refusal(box).startswith(f"{tmp_path}/bad.toml:1: not valid TOML")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("talks = 5", "{box}:3: panel.talks: there is no such key. Did you mean 'talk'"),
        ("talk = 99", "{box}:3: panel.talk: 99 is not allowed"),
        ("status = 18", "{box}:3: panel.status: pin 18 is used by the Raspberry Pi Codec Zero its"),
        ("hand = 27", "{box}:3: panel.hand: pin 27 is taken by talk already"),
        ("mute = 24", "{box}:3: panel.mute: pin 24 is taken by lamp_red already"),
        ("talk = 23", "{box}:3: panel.talk: pin 23 is taken by lamp_green already"),
        ("lamp_red = 27", "{box}:3: panel.lamp_red: pin 27 is taken by talk already"),
        ("hand = 5\nmute = 5", "{box}:4: panel.mute: pin 5 is taken by hand already"),
    ],
)
def test_of_two_that_clash_the_one_in_the_box_is_wrong(box: Path, text: str, said: str) -> None:
    box.write_text(f'profile = "codec-zero"\n[panel]\n{text}\n')
    assert refusal(box).startswith(said.replace("{box}", str(box)))


def test_a_profile_that_is_wrong_is_named_itself(box: Path, mine: Path) -> None:
    box.write_text('profile = "mine.toml"\n[panel]\nhand = 6\n')
    mine.write_text(MINE.replace("talk = 5", "talk = 19"))
    said = refusal(box)
    assert said.startswith(f"{mine}:3: panel.talk: pin 19 is used by the my board itself (I2S)")
    assert said.endswith("; its free pins are 13.")
    mine.write_text(MINE.replace("talk = 5", "talk = 22"))
    assert refusal(box).startswith(f"{mine}:3: panel.talk: pin 22 is taken by mute already")
    mine.write_text(MINE.replace('form = "hat"', 'form = "ham"'))
    assert refusal(box).startswith(f"{mine}:9: board.form: ")
    mine.write_text(MINE.partition("[board]")[0])
    assert "the key 'board' is missing" in refusal(box)


@pytest.mark.parametrize(
    ("header", "pin", "said"),
    [
        ("pi", "1", "IN of the fan is to go to pin 1, which is not there"),
        ("pi", "28", "IN of the fan is to go to pin 28, which is not there"),
        ("pico", "24", "IN of the fan is to go to pin 24, which is not there"),
        ("pico", "99", "99 is not allowed; use the number of a pin, or one of"),
        ("pi", '"12V"', '"12V" is not allowed; use the number of a pin, or one of'),
    ],
)
def test_a_module_goes_to_pins_that_are_there(mine: Path, header: str, pin: str, said: str) -> None:
    text = MINE.replace('form = "hat"', f'form = "hat"\nheader = "{header}"')
    mine.write_text(f'{text}[[board.modules]]\nname = "fan"\npins = {{ "IN" = {pin} }}\n')
    with pytest.raises(ConfigError, match=r"mine\.toml:\d+: board\.modules") as caught:
        profile(str(mine))
    assert said in str(caught.value)


TEXTS = [own_toml(name).read_text() for name in NAMES]
JUNK = st.sampled_from(["[board]", "x = 1", "talk = 1", "\x00", "é", '"', "[[", "= ", "", "999999"])


@given(st.sampled_from(TEXTS), st.lists(st.tuples(st.integers(0, 80), JUNK), max_size=3))
def test_whatever_is_in_a_profile_it_is_one_or_a_sentence(
    text: str, spoilt: list[tuple[int, str]]
) -> None:
    lines = text.splitlines()
    for index, junk in spoilt:
        lines[index % len(lines)] = junk
    try:
        config = parse_layers([read_layer("\n".join(lines), "p.toml")], FittedConfig)
    except ConfigError as error:
        assert str(error).startswith("p.toml:")
        return
    wires(config)
    whole("p", config)


@pytest.mark.parametrize("key", ["profile", "name", "hub", "space", "state_dir"])
def test_a_profile_says_nothing_of_one_box(mine: Path, key: str) -> None:
    mine.write_text(f'{key} = "x"\n{MINE}')
    with pytest.raises(ConfigError, match=rf"mine.toml:1: {key}: a profile describes a board"):
        profile(str(mine))


def test_a_box_has_no_board_table(box: Path) -> None:
    box.write_text('[panel]\ntalk = 5\n[board]\ntitle = "x"\n')
    assert refusal(box).startswith(f"{box}:3: board: this table belongs in a profile")


def test_values_of_another_kind_are_refused_as_ever(box: Path) -> None:
    box.write_text("profile = 3\n")
    assert refusal(box).startswith(f"{box}:1: profile: 3 is not allowed; use text")
    box.write_text('panel = "x"\n')
    assert refusal(box).startswith(f'{box}:1: panel: "x" is not allowed; use a table')
    assert refusal(hub="ftp://x").startswith("command line: hub: the address must start with")


def test_pins_that_are_left_are_named_where_none_is_said(box: Path) -> None:
    box.write_text('profile = "speaker"\n[panel]\nstatus = 21\n')
    assert "free pins are 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 22" in refusal(box)
    box.write_text('profile = "aiy-voice-bonnet"\n[panel]\nhand = 18\n')
    assert refusal(box).endswith("; it leaves no pin free.")


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        ('lamp = "ktd2027"\ntalk = 2', "panel.talk: pin 2 is taken by I2C for the lamp"),
        (
            'lamp = "dotstar"\nlamp_data = 10\nlamp_clock = 11\nhand = 9',
            "panel.hand: pin 9 is taken by SPI for the lamp",
        ),
    ],
)
def test_the_lamps_bus_is_taken(box: Path, panel: str, said: str) -> None:
    box.write_text(f"[panel]\n{panel}\n")
    assert said in refusal(box)


def test_pins_of_a_lamp_that_is_not_fitted_are_free() -> None:
    assert "lamp_red" not in PanelConfig(lamp=LampKind.NONE, talk=23).pins
    assert PanelConfig(lamp=LampKind.DOTSTAR, lamp_data=5, lamp_clock=6).bus == {}


# --- wires --------------------------------------------------------------------------------


def test_the_header_is_that_of_every_pi() -> None:
    assert len(PI.pins) == 40
    assert sorted(int(what) for what in PI.pins if what.isdigit()) == list(range(28))
    assert [len(PI.all_of(supply)) for supply in ("3V3", "5V", "GND")] == [2, 2, 8]
    known = {"2": 3, "17": 11, "10": 19, "0": 27, "1": 28, "21": 40, "18": 12, "GND": 6, "5V": 2}
    assert {what: PI.all_of(what)[0] for what in known} == known
    corners = [(PI.side(pin), PI.row(pin)) for pin in (1, 2, 39, 40)]
    assert corners == [(0, 0), (1, 0), (0, 19), (1, 19)]


def test_a_pico_is_counted_around() -> None:
    assert len(PICO.pins) == 40
    named = sorted(int(what) for what in PICO.pins if what.isdigit())
    assert named == [*range(23), 26, 27, 28]
    known = {1: "GP0", 4: "GP2", 20: "GP15", 21: "GP16", 22: "GP17", 36: "3V3", 40: "VBUS"}
    assert {pin: PICO.name(pin) for pin in known} == known
    assert PICO.all_of("GND") == [3, 8, 13, 18, 23, 28, 33, 38]
    corners = [(PICO.side(pin), PICO.row(pin)) for pin in (1, 20, 21, 40)]
    assert corners == [(0, 0), (0, 19), (1, 19), (1, 0)]


def test_the_pico_is_wired_as_its_program_expects() -> None:
    source = (Path(device.buttons.__file__).parent / "pico" / "board.py").read_text()
    program = {
        target.id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = {each.part: int(each.what) for each in wires(profile("pico")) if each.what.isdigit()}
    keys = ("TALK key", "HAND key", "MUTE switch", "louder key", "quieter key", "STATUS key")
    assert tuple(found[key] for key in keys) == program["KEY_PINS"]
    assert (found["lamp ring"], found["recording LED"]) == (program["RING_PIN"], program["REC_PIN"])


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_its_wire_and_every_wire_its_pin(name: str) -> None:
    config = profile(name)
    found = wires(config)
    if not found:
        assert config.board.form == "usb"
        return
    bcm = {int(each.what) for each in found if each.what.isdigit()}
    if config.panel.kind == "none":
        return
    assert bcm >= set(config.panel.pins.values())
    if config.board.form == "hat":
        assert bcm >= set(config.board.held)
        return
    grounds = [each.pin for each in found if each.what == "GND"]
    assert len(set(grounds)) == len(grounds), "no ground pin is shared here"
    modules = sum(len(module.pins) for module in config.board.modules)
    assert sum(each.part in {m.name for m in config.board.modules} for each in found) == modules


@pytest.mark.parametrize("name", ["bare", "inmp441-max98357a", "speaker"])
def test_there_is_a_wire_to_buy_for_each_and_a_resistor_for_each_colour(name: str) -> None:
    config = profile(name)
    bought = {part.name.split()[0]: part.count for part in config.board.parts}
    found = wires(config)
    assert bought["Jumper"] == len(found)
    assert bought.get("Resistor,", 0) == sum(bool(each.note) for each in found)


def test_more_parts_than_grounds_share_one(mine: Path) -> None:
    keys = "talk = 5\nhand = 6\nmute = 7\nvolume_up = 8\nvolume_down = 9\nstatus = 10\ndoor = 11\n"
    text = MINE.replace("talk = 5\nhand = 0\n", f"{keys}lamp_blue = 0\n").replace(
        '"hat"', '"wires"'
    )
    mine.write_text(text.replace("lamp_blue", "lamp_rec = 4\nlamp_blue"))
    config = profile(str(mine))
    grounds = [each.pin for each in wires(config) if each.what == "GND"]
    assert (len(grounds), len(set(grounds))) == (9, 8)
    assert {each.part for each in wires(config)} >= {"lamp", "recording LED", "door light relay"}


def test_a_module_without_signals_gets_its_supply(mine: Path) -> None:
    mine.write_text(
        f'{MINE}[[board.modules]]\nname = "fan"\npins = {{ "+" = "5V", "-" = "GND" }}\n'
    )
    found = {each.end: each.pin for each in wires(profile(str(mine))) if each.part == "fan"}
    assert found == {"+": 2, "-": 6}


# --- words --------------------------------------------------------------------------------


def test_the_list_has_a_line_for_each() -> None:
    lines = listing({name: profile(name) for name in NAMES}).splitlines()
    assert lines[0].split() == ["NAME", "BOARD", "BUTTONS", "LAMP", "SOUND"]
    assert [line.split()[0] for line in lines[1:-2]] == [*NAMES]
    assert max(map(len, lines)) <= 140


def changed(name: str, **panel: object) -> FittedConfig:
    config = profile(name)
    return structs.replace(config, panel=structs.replace(config.panel, **panel))


def test_buttons_and_lamps_in_words() -> None:
    assert buttons(profile("bare")) == "TALK, HAND, MUTE"
    assert buttons(profile("speaker")) == "VOLUME UP, VOLUME DOWN, STATUS"
    assert buttons(profile("pico")) == "those of the Pico"
    assert buttons(profile("speakerphone")) == "those of the speakerphone"
    assert buttons(changed("bare", kind="none")) == "none"
    assert lamp(profile("bare").panel) == "RGB LED"
    assert lamp(profile("codec-zero").panel) == "red and green LED"
    assert lamp(profile("aiy-voice-hat").panel) == "one LED"
    assert lamp(profile("respeaker-2mic-v2").panel) == "3 DotStar pixels"
    assert lamp(profile("aiy-voice-bonnet").panel) == "RGB LED on I2C"
    assert lamp(profile("speaker").panel) == "none"
    assert lamp(profile("pico").panel) == "on the panel"
    assert lamp(changed("bare", lamp_red=0, lamp_green=0, lamp_blue=0).panel) == "none"


def test_one_whole_says_all_of_it() -> None:
    said = whole("respeaker-2mic-v2", profile("respeaker-2mic-v2"))
    for text in (
        *('profile = "respeaker-2mic-v2"', "dtoverlay=respeaker-2mic-v2_0", "HP DAC = 100%"),
        *("19   GPIO10", 'microphone = "CARD=seeed2micvoicec"', "1 x Seeed ReSpeaker", "0x18 here"),
    ):
        assert text in said
    assert max(map(len, said.splitlines())) <= 102
    assert "Wires" not in whole("speakerphone", profile("speakerphone"))
    assert "Sound card" not in whole("bare", profile("bare"))


def test_every_file_of_the_package_is_a_profile() -> None:
    assert own_toml("bare").is_file()
    assert {path.stem for path in SHELF.glob("*.toml")} == {*NAMES}


def test_a_lamp_without_pins_has_no_wires() -> None:
    dark = changed("bare", lamp_red=0, lamp_green=0, lamp_blue=0, lamp_rec=0)
    assert {each.part for each in wires(dark)} == {"TALK key", "HAND key", "MUTE switch"}


def told(**given: object) -> int:
    return main(argparse.Namespace(**{"name": None, "write": None} | given))


def test_the_command_lists_them_and_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert told() == 0
    assert capsys.readouterr().out.startswith("NAME ")
    assert told(name="codec-zero") == 0
    assert capsys.readouterr().out.startswith("Raspberry Pi Codec Zero: ")
    assert told(name="codec") == 2
    assert capsys.readouterr().err.startswith("stagebox profiles: profile: there is no profile")


def test_what_the_boot_file_says_goes_over_the_settings_and_may_be_absent(tmp_path: Path) -> None:
    own, over = tmp_path / "box.toml", tmp_path / "over.toml"
    own.write_text('name = "Box"\nspace = "main"\n')
    assert load_settings(own, None, over).name == "Box"
    over.write_text('name = "Kitchen"\n[sound]\nlanguage = "de"\n')
    settings = load_settings(own, None, over)
    assert (settings.name, settings.space, settings.sound.language) == ("Kitchen", "main", "de")
    assert load_settings(own, {"name": "Hall"}, over).name == "Hall"
