"""The program of the panel: keys to the box, lamps from the box, all in one small step.

A step without news makes no garbage, so the collector never runs while a key moves.
"""

import gc
import os
import random
import sys

import keys
import lamp
import link
from board import Board

# A file of this name is left for the next start: no program then, but a prompt.
SERVICE_FILE = "service"
# Bytes that one step reads. A line that is stuffed by a box gone mad does not hold up the keys.
READ_LIMIT = 2 * link.LIMIT
# Louder, softer and STATUS at power-on: a prompt, too, where the line is not heard. No gesture
# holds these together, so a short loss of power in the middle of one leaves a panel.
SERVICE_KEYS = 0b111000


class Panel:
    """Keys, lamp and line, moved on by ``step``."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._keys = keys.Keys(board.levels())
        self._lamp = lamp.Lamp()
        self._decoder = link.Decoder()
        # The Pico draws the seed from a noisy oscillator at each start.
        name = "%08x" % random.getrandbits(32)
        self._peer = link.Peer(link.PANEL, link.BOX, name, "%x" % self._keys.mask, link.TRAIL)
        self._turn = ""
        self._brightness = 100
        self._is_lost = True
        self._is_dimmed = False

    def step(self, ms: int) -> None:
        """Do all there is to do, ``ms`` after the last step."""
        if self._keys.sample(self._board.levels(), ms):
            self._peer.put("%x" % self._keys.mask)
        self._listen()
        out = self._peer.tick(ms)
        if out is not None:
            self._board.write(out)
        if self._peer.is_lost != self._is_lost:
            self._lose_or_find()
        if self._lamp.tick(ms, self._peer.silence) or self._is_dimmed:
            self._is_dimmed = False
            self._light()
        if out is not None:
            gc.collect()

    def _listen(self) -> None:
        for _ in range(READ_LIMIT):
            byte = self._board.read()
            if byte < 0:
                return
            body = self._decoder.push(byte)
            if body is not None:
                self._take(body)

    def _take(self, body: str) -> None:
        if body == link.service(self._peer.name):
            with open(SERVICE_FILE, "w") as file:
                file.write("once")
            self._board.restart()
        _, states = self._peer.take(body)
        for state in states:
            self._obey(state)

    def _obey(self, state: str) -> None:
        """Show what the box wants shown; words that are missing or odd change nothing."""
        words = state.split(" ")
        if len(words) != 4 or not words[2].isdigit():
            return
        name, turn, brightness, recording = words
        self._board.record(recording == "1")
        self._brightness = min(100, int(brightness))
        if name != self._lamp.name or turn != self._turn:
            self._turn = turn
            self._lamp.play(name)
        self._is_dimmed = True

    def _lose_or_find(self) -> None:
        self._is_lost = self._peer.is_lost
        if self._is_lost:
            self._board.record(False)
            self._lamp.play("link_lost")

    def _light(self) -> None:
        show, part = self._lamp, self._brightness
        self._board.light(dim(show.red, part), dim(show.green, part), dim(show.blue, part))


def dim(value: int, percent: int) -> int:
    """Return ``percent`` of ``value``, rounded up: what is lit stays lit."""
    return (value * percent + 99) // 100


def wants_service(board: Board) -> bool:
    """Tell whether this start is for a prompt and new firmware."""
    if board.levels() & SERVICE_KEYS == SERVICE_KEYS:
        return True
    try:
        os.remove(SERVICE_FILE)
    except OSError:
        return False
    return True


def run() -> None:
    """Be a panel for as long as there is power."""
    board = Board()
    if wants_service(board):
        return
    board.guard()
    try:
        panel = Panel(board)
        while True:
            panel.step(board.rest())
    except Exception as error:
        # For whoever looks at the line; to the box it is noise.
        sys.print_exception(error)
        board.restart()
