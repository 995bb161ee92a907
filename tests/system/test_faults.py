"""Everything that can be wrong around a box: it says so, and gets over it by itself.

Each fault is held against the same things: the lamp, an event with plain words, a line
in the log, and recovery without a restart. A TALK key that is held all the while never
goes on the air by itself, and buttons are answered while there is no hub.
"""

import contextlib
import http.server
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagebox.identity import Identity
from tests.support import netns
from tests.support.crew import START_S, Hub, Program, free_port, running, wait_until
from tests.support.enrolled import box_state, introduce
from tests.support.hands import (
    FOUND_S,
    MISSED_S,
    HandBox,
    answers_without_hub,
    has_error,
    is_back,
    stands_without_hub,
    stays_off_the_air,
    talks,
)
from tests.support.netns import Namespace
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

VOICE_S = 120.0


# --- a wrong address --------------------------------------------------------------


@contextlib.contextmanager
def web_server() -> Iterator[int]:
    """A web server that is no hub."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_wrong_address(tmp_path: Path) -> None:
    empty = free_port()
    ana = HandBox(tmp_path, "Ana", f"http://127.0.0.1:{empty}", mic=voice(VOICE_S))
    introduce(tmp_path / "hall", ("Ben", box_state(tmp_path, "Ben")))
    ben = HandBox(tmp_path, "Ben", "https://no-hub.invalid:7443")
    with running(ana, ben):
        for box in (ana, ben):
            box.wait_started()
        stands_without_hub(ana, "the machine is there, but no hub runs on it.")
        # Without a name server nobody says no; both are told in plain words.
        ben.wait_for(lambda _: ben.told("link", state="down"), MISSED_S, "no such name")
        detail = ben.told("link", state="down")[0]["detail"]
        assert detail.endswith((": this name is not known on the network.", ": no answer in time."))
        stands_without_hub(ben, detail)
        for box in (ana, ben):
            answers_without_hub(box, "hand")
            answers_without_hub(box, "talk")
        hub = Hub(tmp_path, empty, extra=("--name", "Hall"))
        with running(hub):
            is_back(ana, "Hall")
            stays_off_the_air(ana)
            ana.press("talk")
            talks(ana)
        # Who fails again and again for the same reason says so once.
        assert ben.states("link") == ["connecting", "down"]
        assert ben.running


def test_a_hub_moves_in_where_a_web_server_was(tmp_path: Path) -> None:
    with contextlib.ExitStack() as web:
        port = web.enter_context(web_server())
        box = HandBox(tmp_path, "Ben", f"http://127.0.0.1:{port}", mic=voice(VOICE_S))
        with running(box):
            stands_without_hub(
                box.wait_started(), "a web server answers there, but no hub (HTTP 404)."
            )
            web.close()
            stands_without_hub(box, "the machine is there, but no hub runs on it.")
            hub = Hub(tmp_path, port, extra=("--name", "Hall"))
            with running(hub):
                is_back(box, "Hall")
                talks(box)


# --- a hub that vanishes ------------------------------------------------------------


def test_a_hub_that_falls_silent(tmp_path: Path) -> None:
    """Not a word, not even that it is gone: what a pulled network cable looks like."""
    hub = Hub(tmp_path, free_port(), extra=("--name", "Hall"))
    with running(hub):
        hub.wait_up()
        box = HandBox(tmp_path, "Ana", hub.url, mic=voice(VOICE_S))
        with running(box):
            is_back(box.wait_started(), "Hall")
            talks(box)
            hub.process.send_signal(signal.SIGSTOP)
            try:
                stands_without_hub(box, "Nothing was heard from the hub for 3 s.")
                assert box.told("prompt", name="link_lost")
                box.press("talk")
                answers_without_hub(box, "talk")  # and is held from now on
                answers_without_hub(box, "hand")
            finally:
                hub.process.send_signal(signal.SIGCONT)
            is_back(box, "Hall")
            assert box.told("prompt", name="link_back")
            stays_off_the_air(box)
            box.press("talk")
            talks(box)


# --- a second hub -------------------------------------------------------------------


def test_another_hub_at_the_address_of_the_first(tmp_path: Path) -> None:
    """The address in the settings is the owner's word: who lives there is the hub, unless
    the settings say which hub it must be."""
    port = free_port()
    first_id = Identity.load_or_create(tmp_path / "first").id
    first = Hub(tmp_path, port, name="first", extra=("--name", "First"))
    with running(first):
        first.wait_up()
        ana = HandBox(tmp_path, "Ana", first.url, mic=voice(VOICE_S))
        ben = HandBox(
            tmp_path, "Ben", first.url, mic=voice(VOICE_S), config=f'hub_id = "{first_id}"\n'
        )
        with running(ana, ben):
            for box in (ana, ben):
                is_back(box.wait_started(), "First")
            talks(ana)
            first.kill()
            for box in (ana, ben):
                box.wait_for(lambda box: box.last_state("link") == "down", MISSED_S, "missed")
            second = Hub(tmp_path, port, name="second", extra=("--name", "Second"))
            with running(second):
                second.wait_up()
                second_id = Identity.load_or_create(tmp_path / "second").id
                is_back(ana, "Second")
                stays_off_the_air(ana)
                ana.press("talk")
                talks(ana)
                warning = (
                    f"Another hub ({second_id[:8]}) answers at {first.url}/member/v1;"
                    " this box stays with its own."
                )
                stands_without_hub(ben, warning)
                assert [e["detail"] for e in ben.told("error", code="other_hub")] == [warning]
                assert f"other_hub: {warning}" in ben.logged()
                answers_without_hub(ben, "hand")
                assert second.members() == 1
            again = Hub(tmp_path, port, name="first", extra=("--name", "First"))
            with running(again):
                is_back(ben, "First")
                talks(ben)


@pytest.fixture(scope="module")
def namespaces() -> None:
    why = netns.why_not()
    if why is not None:
        pytest.skip(why)


def hub_there(folder: Path, host: Namespace, name: str, port: int) -> Program:
    """A hub in a namespace, with its own data, that announces itself."""
    data = str(folder / name.lower())
    arguments = ["hub", "--data", data, "--name", name, "--port", str(port)]
    return Program(folder, f"hub-{name.lower()}", arguments, prefix=host.prefix)


@pytest.mark.netns
def test_a_second_hub_on_the_network_does_not_capture_a_box(
    namespaces: None, tmp_path: Path
) -> None:
    with netns.network() as net:
        host, stranger = net.namespace("host"), net.namespace("stranger")
        net.plug(host, "lan", "eth0", "10.77.1.1/24", "fd77:1::1/64")
        net.plug(stranger, "lan", "eth0", "10.77.1.2/24", "fd77:1::2/64")
        introduce(tmp_path / "first", ("Ana", box_state(tmp_path, "Ana")))
        first = hub_there(tmp_path, host, "First", 7300)
        box = HandBox(tmp_path, "Ana", mic=voice(VOICE_S), prefix=host.prefix)
        second = None
        with running(first, box):
            is_back(box.wait_started(), "First")
            talks(box)
            second = hub_there(tmp_path, stranger, "Second", 7300)
            with running(second):
                wait_until(lambda: "listens" in second.logged(), START_S, "the second hub is up")
                first.kill()
                box.wait_for(lambda _: box.last_state("link") == "down", MISSED_S, "missed")
                has_error(box, "other_hub", "The hub Second ")
                assert box.lamp == ("amber", "refused+no_hub")
                answers_without_hub(box, "hand")
                again = hub_there(tmp_path, host, "First", 7300)
                with running(again):
                    is_back(box, "First")
                    stays_off_the_air(box)
                    box.press("talk")
                    talks(box)
            assert [e["detail"] for e in box.told("link", state="up")] == ["First", "First"]


# --- no network at all ----------------------------------------------------------------


@pytest.mark.netns
def test_no_network_at_all_and_then_a_cable(namespaces: None, tmp_path: Path) -> None:
    with netns.network() as net:
        hub_host, host = net.namespace("hub"), net.namespace("box")
        net.plug(hub_host, "lan", "eth0", "10.77.1.1/24", "fd77:1::1/64")
        host.ip("link", "set", "lo", "down")
        introduce(
            tmp_path / "hall", *((name, box_state(tmp_path, name)) for name in ("Ana", "Ben"))
        )
        hub = hub_there(tmp_path, hub_host, "Hall", 7300)
        url = "wss://10.77.1.1:7443"
        ana = HandBox(tmp_path, "Ana", mic=voice(VOICE_S), prefix=host.prefix)
        ben = HandBox(tmp_path, "Ben", url, mic=voice(VOICE_S), prefix=host.prefix)
        with running(hub, ana, ben):
            for box in (ana, ben):
                box.wait_started()
                has_error(box, "discovery", "This box is on no network: plug in a cable")
            stands_without_hub(ben, "this box has no network, or none that leads there.")
            ana.wait_for(lambda _: ana.last_state("link") == "searching", 5, "searching")
            assert ana.lamp == ("amber", "no_hub")
            assert "hub: searching. No hub has been found on this network yet." in ana.logged()
            for box in (ana, ben):
                answers_without_hub(box, "talk")
            host.ip("link", "set", "lo", "up")
            net.plug(host, "lan", "eth0", "10.77.1.2/24", "fd77:1::2/64")
            for box in (ana, ben):
                is_back(box, "Hall")
                stays_off_the_air(box)
                box.wait_for(lambda box: box.events("mended"), FOUND_S, "discovery works")
                assert "discovery: all right again" in box.logged()
            for box in (ana, ben):
                box.press("talk")
                talks(box)
                box.press("talk")
