"""The command line as people use it: what works, and what is refused in plain words."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stagebox import __version__
from tests.support.crew import START_S, Box, Hub, Program, free_port, running, wait_until

pytestmark = pytest.mark.timeout(60)

REFUSED = 2
PROGRAMS = ("hub", "box", "demo", "doctor")


def stagebox(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "stagebox", *arguments],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def test_whoever_has_read_enough_may_close_the_pipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "stagebox", "doctor"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=START_S,
            check=False,
        )
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def refused(*arguments: str) -> str:
    """Run a command that must be refused; return the one line that says why."""
    done = stagebox(*arguments)
    assert done.returncode == REFUSED, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_the_version() -> None:
    done = stagebox("--version")
    assert done.returncode == 0
    assert done.stdout == f"stagebox {__version__}\n"


def test_help_names_every_program_and_option() -> None:
    done = stagebox("--help")
    assert done.returncode == 0
    assert all(f"    {program} " in done.stdout for program in PROGRAMS)
    options = {
        "hub": ("--config", "--bind", "--port", "--data"),
        "box": ("--config", "--hub", "--name", "--simulate", "--mic", "--speaker", "--script"),
        "demo": ("--headless", "--seconds"),
        "doctor": ("--config",),
    }
    for program, names in options.items():
        text = stagebox(program, "--help").stdout
        assert all(name in text for name in names), text


def test_nothing_and_nonsense_are_refused() -> None:
    assert "required: PROGRAM" in refused()
    assert all(program in refused("dance") for program in PROGRAMS)
    assert "unrecognized arguments: --loud" in refused("hub", "--loud")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("hub", "--port", "99999"), "'99999' is not a port: 0 to 65535"),
        (("hub", "--port", "http"), "'http' is not a port: 0 to 65535"),
        (("hub", "--bind", "here"), 'bind: "here" is no IP address; use one such as'),
        (("box", "--name", ""), 'name: "" is not allowed; use 1 to 40 letters and signs'),
        (("box", "--space", "A B"), 'space: "A B" is not allowed; use up to 32 lower-case'),
        (("box", "--hub", "ftp://hub"), "hub: the address must start with ws:// or wss://"),
        (("box", "--hub", "http://hub:0"), "hub: only a host, a port and a path belong here"),
        (("box", "--role", "king"), "invalid choice: 'king' (choose from"),
        (("box", "--seconds", "soon"), "'soon' is not a number of seconds"),
        (("demo", "--seconds", "-1"), "'-1' is not a number of seconds"),
        (("doctor", "--hub", "ws://"), "hub: the address has no host name"),
    ],
)
def test_bad_values_say_what_is_allowed(arguments: tuple[str, ...], message: str) -> None:
    line = refused(*arguments)
    assert line.startswith(f"stagebox {arguments[0]}: ")
    assert message in line
    assert "`" not in line


@pytest.mark.parametrize(
    ("program", "text", "message"),
    [
        ("box", 'name = "A"\ntalkbutton = 17\n', "2: talkbutton: there is no such key. Allowed"),
        ("box", "[sound]\n\nvolme = 5\n", "3: sound.volme: there is no such key. Did you mean 'vo"),
        ("box", "[sound]\nvolume = 200\n", "2: sound.volume: 200 is not allowed; use a percentage"),
        ("box", "[panel]\ntalk = 22\n", "2: panel.talk: pin 22 is taken by mute already; every"),
        ("box", 'hub = "hub"\n', "1: hub: the address must start with ws:// or wss://"),
        ("box", "name = \n", "1: not valid TOML: "),
        ("hub", 'port = "high"\n', '1: port: "high" is not allowed; use a whole number'),
        ("hub", "\n[limits]\nmembers = 0\n", "3: limits.members: 0 is not allowed; use a whole"),
        (
            "hub",
            '[[space]]\nid = "main"\nname = "Main"\nmode = "walky"\n',
            '4: space[0].mode: "walky" is not allowed; use one of "walkie", "open"',
        ),
        ("hub", '[[space]]\nid = "main"\n', "the key 'name' is missing"),
        ("doctor", "[pannel]\n", "1: pannel: there is no such key. Did you mean 'panel'?"),
    ],
)
def test_a_wrong_setting_is_named_by_file_line_and_key(
    tmp_path: Path, program: str, text: str, message: str
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(text)
    line = refused(program, "--config", str(config))
    assert line.startswith(f"stagebox {program}: {config}:")
    assert message in line


def test_files_that_cannot_be_settings(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    assert f"{none}: this file cannot be read" in refused("box", "--config", str(none))
    assert "(is a directory)" in refused("hub", "--config", str(tmp_path))
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'\nname = "J\xfcrgen"\n')
    assert f"{latin}:2: not UTF-8 text" in refused("doctor", "--config", str(latin))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("1 talk down\n2 talk sideways\n", "Line 2: 'talk sideways' is unknown. Known are: talk"),
        ("# fine\n\n1 talk\n", "Line 3: write a time, a key and an act, as in '1.5 talk down'."),
        ("soon talk down\n", "Line 1: 'soon' is not a time from 0 to 86400 seconds."),
    ],
)
def test_a_wrong_script_is_named_by_file_and_line(
    tmp_path: Path, script: str, message: str
) -> None:
    path = tmp_path / "fingers"
    path.write_text(script)
    state = str(tmp_path / "state")
    line = refused("box", "--simulate", "--script", str(path), "--state", state)
    assert f"{path}: {message}" in line


def test_scripts_that_are_none(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    none = str(tmp_path / "none")
    line = refused("box", "--simulate", "--script", none, *state)
    assert line.endswith(f"The script {none} cannot be read: no such file or directory.")
    latin = tmp_path / "latin"
    latin.write_bytes(b"1 talk down # m\xf6glich\n")
    assert "it is not UTF-8 text" in refused("box", "--simulate", "--script", str(latin), *state)
    large = tmp_path / "large"
    large.write_text("#" * 2**20 + "\n1 talk down")
    assert "too large" in refused("box", "--simulate", "--script", str(large), *state)


@pytest.mark.parametrize("option", ["--mic", "--speaker", "--script", "--room"])
def test_the_simulators_options_are_not_ignored_on_a_real_box(option: str) -> None:
    said = refused("box", option, "a.file")
    assert said == f"stagebox box: command line: {option} is for the simulator; add --simulate."


def test_a_room_needs_both_files_and_an_impulse_response(tmp_path: Path) -> None:
    room = ("box", "--simulate", "--room", str(tmp_path / "no.wav"), "--state", str(tmp_path))
    assert "add --mic and --speaker" in refused(*room)
    files = ("--mic", "mic.wav", "--speaker", "speaker.wav")
    assert f"--room: {tmp_path / 'no.wav'} cannot be played as WAV" in refused(*room, *files)


def test_a_place_that_cannot_be_written_or_bound(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file" / "data")
    assert "let this user own and write" in refused("hub", "--data", place, "--no-advertise")
    assert "let this user own and write" in refused("box", "--simulate", "--state", place)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        where = ("--bind", "127.0.0.1", "--port", port, "--data", str(tmp_path / "data"))
        line = refused("hub", *where, "--no-advertise")
    assert f"Cannot listen on 127.0.0.1 port {port}: address already in use." in line


def test_an_identity_that_others_can_read_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    key = state / "identity.key"
    key.write_text("x")
    key.chmod(0o644)
    assert f"chmod 600 {key}" in refused("box", "--simulate", "--state", str(state))
    key.chmod(0o600)
    assert f"{key} is damaged" in refused("box", "--simulate", "--state", str(state))
    assert key.read_text() == "x", "a key is never replaced silently"


def test_the_command_line_wins_over_the_settings(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "hub.toml").write_text('name = "File"\nport = 1\nbind = ["203.0.113.9"]\n')
    (tmp_path / "box.toml").write_text('name = "File"\nhub = "ws://203.0.113.9:1"\n')
    hub = Hub(
        tmp_path, port, extra=("--config", str(tmp_path / "hub.toml"), "--name", "Command line")
    )
    with running(hub):
        hub.wait_up()
        box = Box(tmp_path, "Ana", hub.url, extra=("--config", str(tmp_path / "box.toml")))
        with running(box):
            box.wait_joined()
            assert box.events("link")[-1]["detail"] == "Command line"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_ways_to_be_told_to_stop_end_well(tmp_path: Path, number: signal.Signals) -> None:
    hub = Hub(tmp_path, free_port())
    box = Box(tmp_path, "Ana", hub.url)
    with running(hub, box):
        box.wait_joined()
        for program in (box, hub):
            program.process.send_signal(number)
            assert program.wait(START_S) == 0
            assert "Traceback" not in program.logged()


def test_a_box_stops_after_its_seconds(tmp_path: Path) -> None:
    box = Box(tmp_path, "Ana", None, seconds=1)
    began = time.monotonic()
    with running(box):
        assert box.wait(START_S) == 0
    assert time.monotonic() - began > 1


def test_events_that_cannot_be_written_stop_nothing_and_are_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "events"
    state = str(tmp_path / "state")
    arguments = ["box", "--simulate", "--events", str(path), "--seconds", "60", "--state", state]
    box = Program(tmp_path, "box", arguments)
    with running(box):
        wait_until(lambda: "microphone (silence) is ready" in box.logged(), START_S, "it works")
        assert f"events: {path} cannot be written: No such file or directory." in box.logged()
        assert box.running
