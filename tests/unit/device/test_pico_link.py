"""The language of the panel on a cable, and what the box makes of it."""

import ast
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons import picotable
from device.buttons.lamps import NAMED, RED_LIVE, dimmed, pattern_for
from device.buttons.panellink import PATIENCE_MS, Edge, PanelLink
from device.buttons.pico import link
from device.buttons.ports import Key
from device.profiles.shelf import profile

BODY = "K1 1.0 aaaaaaaa 0 - 0 0"
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="$"))


def bodies(decoder: link.Decoder, data: bytes) -> list[str]:
    found = [decoder.push(byte) for byte in data]
    return [body for body in found if body is not None]


class TestFrames:
    @given(PRINTABLE.filter(lambda text: len(text) <= link.LIMIT - 9))
    def test_what_goes_in_comes_out(self, body: str) -> None:
        assert bodies(link.Decoder(), link.frame(body)) == [body]

    @given(st.binary(max_size=60), st.binary(max_size=60))
    def test_garbage_around_a_frame_costs_only_what_it_hits(self, one: bytes, two: bytes) -> None:
        decoder = link.Decoder()
        data = one + link.frame(BODY) + two + b"\n" + link.frame(BODY)
        assert bodies(decoder, data) == [BODY, BODY]

    @given(st.integers(0, len(BODY) + 10), st.integers(1, 255))
    def test_no_frame_with_a_wrong_byte_passes(self, at: int, flip: int) -> None:
        data = bytearray(link.frame(BODY))
        data[at] ^= flip
        assert bodies(link.Decoder(), bytes(data)) == []

    @given(st.integers(0, len(BODY) + 10))
    def test_no_frame_that_lacks_a_byte_passes(self, at: int) -> None:
        data = link.frame(BODY)
        assert bodies(link.Decoder(), data[:at] + data[at + 1 :]) == []

    def test_what_is_wrong_is_counted(self) -> None:
        decoder = link.Decoder()
        assert bodies(decoder, b"MicroPython\r\n") == []
        assert (decoder.noise, decoder.bad) == (13, 0)
        bodies(decoder, b"$torn$K1*00000000\n$\x01$" + b"x" * 200 + b"\n")
        assert decoder.bad == 4

    def test_service_is_asked_of_one_start_of_one_panel(self) -> None:
        assert link.service("aaaaaaaa") != link.service("aaaaaaab")

    @given(st.binary(max_size=300))
    def test_nothing_that_comes_is_an_error(self, data: bytes) -> None:
        bodies(link.Decoder(), data)

    def test_what_a_panel_says_fits_in_one_packet(self) -> None:
        panel = link.Peer(link.PANEL, link.BOX, "aaaaaaaa", "0", link.TRAIL)
        panel.take(link.frame("L1 1.0 bbbbbbbb ffff - 0 x").decode()[1:-10])
        for _ in range(0xFFFF):
            panel.put("3f")
        assert len(panel.tick(0) or b"") <= 64

    def test_what_the_box_says_fits_in_a_line(self) -> None:
        for name in NAMED:
            box = PanelLink("bbbbbbbb", 0.0)
            box.feed(link.frame(BODY))
            box.show(pattern_for("idle_free"))
            box._lamp = f"sparkle+refused+{name}"
            box.record(True)
            assert len(box.step(0.0)[1]) <= link.LIMIT


def peers() -> tuple[link.Peer, link.Peer]:
    panel = link.Peer(link.PANEL, link.BOX, "aaaaaaaa", "0", link.TRAIL)
    box = link.Peer(link.BOX, link.PANEL, "bbbbbbbb", "off 0 100 0", 1)
    return panel, box


def hand(one: link.Peer, other: link.Peer, ms: int = 5) -> tuple[bool, list[str]]:
    """Let time pass for one side; return what the other makes of what it says."""
    data = one.tick(ms)
    body = bodies(link.Decoder(), data)[0] if data is not None else None
    return other.take(body) if body is not None else (False, [])


class TestPeers:
    def test_each_learns_the_state_of_the_other_once(self) -> None:
        panel, box = peers()
        assert panel.is_lost
        assert hand(panel, box) == (True, ["0"])
        assert hand(box, panel) == (True, ["off 0 100 0"])
        assert hand(panel, box) == (False, [])
        assert not panel.is_lost
        assert not box.is_lost
        quiet = [panel.tick(5) for _ in range(90)]
        assert quiet == [None] * 90

    def test_what_was_not_seen_is_told_again_in_order(self) -> None:
        panel, box = peers()
        hand(panel, box)
        hand(box, panel)
        for state in ("1", "0", "1"):
            panel.put(state)
            panel.tick(5)  # and lost
        assert panel.due_ms() == link.RETRY_MS
        assert hand(panel, box, link.RETRY_MS) == (False, ["1", "0", "1"])
        assert box.missed == 0
        assert hand(box, panel) == (False, [])
        panel.put("0")
        assert hand(panel, box) == (False, ["0"])

    def test_an_answer_to_the_first_of_two_leaves_the_second(self) -> None:
        panel, box = peers()
        hand(panel, box)
        hand(box, panel)
        panel.put("1")
        hand(panel, box)
        panel.put("0")
        hand(box, panel)
        assert b" 0*" in (panel.tick(0) or b"")

    def test_more_than_the_trail_holds_is_counted_and_the_last_is_right(self) -> None:
        panel, box = peers()
        hand(panel, box)
        hand(box, panel)
        for number in range(1, 10):
            panel.put(f"{number:x}")
        assert hand(panel, box) == (False, ["4", "5", "6", "7", "8", "9"])
        assert box.missed == 3

    def test_an_old_number_is_no_news(self) -> None:
        _, box = peers()
        box.take("K1 1.0 aaaaaaaa 5 - 0 1")
        assert box.take("K1 1.0 aaaaaaaa 4 - 0 0") == (False, [])
        assert box.take("K1 1.0 aaaaaaaa 6 - 0 1,0") == (False, ["0"])

    def test_numbers_go_round(self) -> None:
        _, box = peers()
        box.take("K1 1.0 aaaaaaaa ffff - 0 1")
        assert box.take("K1 1.0 aaaaaaaa 0 - 0 1,0") == (False, ["0"])

    def test_a_side_that_was_reset_begins_anew(self) -> None:
        panel, box = peers()
        hand(panel, box)
        hand(box, panel)
        again = link.Peer(link.PANEL, link.BOX, "cccccccc", "1", link.TRAIL)
        assert hand(again, box) == (True, ["1"])
        assert hand(box, again) == (True, ["off 0 100 0"])

    def test_silence_is_loss_and_what_happened_meanwhile_is_past(self) -> None:
        panel, box = peers()
        hand(panel, box)
        hand(box, panel)
        for state in ("1", "0", "1", "0"):
            panel.put(state)
        for _ in range(link.LOST_MS // 5):
            panel.tick(5)
        assert panel.is_lost
        assert panel.due_ms() <= link.HEARTBEAT_MS
        assert hand(panel, box, link.HEARTBEAT_MS) == (False, ["0"])
        box.put("live 1 100 0")
        assert hand(box, panel) == (True, ["live 1 100 0"])

    def test_loss_is_due_as_a_frame_is(self) -> None:
        panel, box = peers()
        hand(panel, box)
        hand(box, panel)
        hand(panel, box)
        for _ in range(2 * link.LOST_MS):
            due = panel.due_ms()
            panel.tick(due)
            if panel.is_lost:
                break
        assert panel.silence == link.LOST_MS

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "K",
            "Kx 1.0 aaaaaaaa 0 - 0 0",
            "K1 1.0",
            "K1 1.0 aaaaaaaa z - 0 0",
            "K1 1.0 aaaaaaaa 0 - z 0",
            "L1 1.0 aaaaaaaa 0 - 0 0",
            "K2 1.0 aaaaaaaa 0 - 0 0",
        ],
    )
    def test_what_is_not_understood_is_counted(self, body: str) -> None:
        _, box = peers()
        assert box.take(body) == (False, [])
        assert box.odd == 1
        assert box.is_lost

    @given(st.text(max_size=80))
    def test_no_body_is_an_error(self, body: str) -> None:
        _, box = peers()
        box.take(body)

    @given(st.integers(0, 2**32), st.integers(1, 60))
    def test_both_sides_agree_soon_after_the_line_is_mended(self, seed: int, steps: int) -> None:
        chance = random.Random(seed)
        panel, box = peers()
        seen: dict[str, str] = {}
        told = {"panel": "0", "box": "off 0 100 0"}

        def exchange(loss: float) -> None:
            for name, one, other in (("panel", panel, box), ("box", box, panel)):
                data = one.tick(chance.choice((1, 20, 400)))
                if data is not None and chance.random() >= loss:
                    for state in other.take(bodies(link.Decoder(), data)[0])[1]:
                        seen[name] = state

        for _ in range(steps):
            if chance.random() < 0.3:
                told["panel"] = f"{chance.randrange(64):x}"
                panel.put(told["panel"])
            if chance.random() < 0.1:
                told["box"] = f"queued {chance.randrange(10)} 100 0"
                box.put(told["box"])
            exchange(0.5)
        for _ in range(20):
            exchange(0.0)
        assert seen == told


def frames(*states: str, name: str = "aaaaaaaa") -> bytes:
    """What a panel says whose keys were in these states, the first before the box heard it."""
    panel = link.Peer(link.PANEL, link.BOX, name, states[0], link.TRAIL)
    out = panel.tick(0) or b""
    for state in states[1:]:
        panel.put(state)
        out += panel.tick(0) or b""
    return out


class TestPanelLink:
    def test_edges_come_in_order_those_up_first(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        assert not box.is_up
        assert box.panel == box.version == ""
        edges = box.feed(frames("0", "1", "3", "2", "4"))
        assert edges == [
            Edge(Key.TALK, down=True),
            Edge(Key.HAND, down=True),
            Edge(Key.TALK, down=False),
            Edge(Key.HAND, down=False),
            Edge(Key.MUTE, down=True),
        ]
        assert box.levels == box.down == {Key.MUTE}
        assert box.is_up
        assert box.panel == "aaaaaaaa"
        assert box.version == link.FIRMWARE

    def test_a_key_that_is_down_at_first_is_no_press_but_a_switch_is_a_switch(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        assert box.feed(frames("5")) == [Edge(Key.MUTE, down=True)]
        assert box.levels == {Key.TALK, Key.MUTE}
        assert box.feed(frames("5", "4", "5"))[-1] == Edge(Key.TALK, down=True)

    def test_a_panel_that_begins_anew_has_no_key_down_but_its_switch(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        box.feed(frames("0", "7"))
        assert box.feed(frames("7", name="cccccccc")) == [
            Edge(Key.TALK, down=False),
            Edge(Key.HAND, down=False),
        ]
        assert box.down == {Key.MUTE}

    def test_a_panel_that_is_lost_has_every_key_up(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        box.feed(frames("0", "5"))
        now, edges = 0.0, list[Edge]()
        while box.is_up:
            now = box.due_at()
            edges += box.step(now)[0]
        assert now <= 3.0
        assert edges == [Edge(Key.TALK, down=False), Edge(Key.MUTE, down=False)]
        assert box.down == box.levels == frozenset()
        assert "silent" in box.trouble()
        assert box.drop() == []

    def test_a_stranger_is_not_spoken_to(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        box.show(RED_LIVE)
        assert box.step(0.6) == ([], b"")
        box.feed(link.frame(BODY))
        assert b" live 1 100 0*" in box.step(0.7)[1]

    def test_the_lamp_is_told_by_name_with_its_brightness(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        box.feed(link.frame(BODY))
        box.show(dimmed(pattern_for("queued"), 0.1))
        box.record(True)
        box.record(True)
        assert b" 2 aaaaaaaa 0 queued 1 10 1*" in box.step(0.0)[1]
        box.show(dimmed(RED_LIVE, 0.1))
        assert b" live 2 25 1*" in box.step(0.0)[1], "red is seen across a room at night"

    def test_states_that_are_no_number_are_counted(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        assert box.feed(link.frame("K1 1.0 aaaaaaaa 0 - 0 keys")) == []
        assert box.garbage == 1

    def test_trouble_says_what_to_do(self) -> None:
        box = PanelLink("bbbbbbbb", 0.0)
        assert box.trouble() == ""
        box.step(PATIENCE_MS / 1000)
        assert box.trouble().startswith("It does not answer as a Stagebox panel does. Run ")
        box.feed(link.frame("K1 0.9 aaaaaaaa 0 - 0 0"))
        assert "firmware is 0.9, this box brings 1.0; the keys work. Run" in box.trouble()
        box.feed(link.frame(BODY))
        assert box.trouble() == ""
        box.feed(link.frame("K7 1.0 aaaaaaaa 0 - 0 1"))
        assert "version 7 of the panel's language, this box 1. Run" in box.trouble()
        assert box.down == frozenset()

    @given(st.lists(st.integers(0, 63), min_size=1, max_size=30), st.integers(0, 2**32))
    def test_edges_of_a_key_alternate_whatever_is_lost(self, masks: list[int], seed: int) -> None:
        chance = random.Random(seed)
        panel = link.Peer(link.PANEL, link.BOX, "aaaaaaaa", "0", link.TRAIL)
        box = PanelLink("bbbbbbbb", 0.0)
        edges, now = list[Edge](), 0
        for mask in masks:
            panel.put(f"{mask:x}")
            passed = chance.choice((5, 50, 600, 3_000))
            now += passed
            data = panel.tick(passed) or b""
            if chance.random() < 0.6:
                edges += box.feed(data)
            lost, _ = box.step(now / 1000)
            edges += lost
        for key in Key:
            mine = [edge.down for edge in edges if edge.key is key]
            assert all(one is not two for one, two in pairwise(mine))
            assert mine[:1] in ([], [True])
            assert (key in box.down) == (mine[-1:] == [True])


def test_the_panels_table_is_the_boxs() -> None:
    text = picotable.PATH.read_text(encoding="utf-8")
    assert text == picotable.table(), "run python -m device.buttons.picotable"


def test_the_panels_keys_are_the_boxs() -> None:
    assert set(link.KEYS) <= {key.value for key in Key}


def test_the_wiring_picture_shows_the_pins_that_the_firmware_reads() -> None:
    board = ast.parse((picotable.PATH.parent / "board.py").read_text(encoding="utf-8"))
    pins = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in board.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    modules = {each.name: each.pins for each in profile("pico").board.modules}
    names = ("TALK key", "HAND key", "MUTE switch", "louder key", "quieter key", "STATUS key")
    assert tuple(modules[name]["side A"] for name in names) == pins["KEY_PINS"]
    assert modules["lamp ring"]["DIN"] == pins["RING_PIN"]
    assert modules["recording LED"]["long leg"] == pins["REC_PIN"]
