"""Bridges: whether the members of a space notice them.

One talker and twenty listeners at a hub of their own, and the same with the space bridged: to
another hub, to a room of Janus's AudioBridge, to both. In turns, each a fresh hub, with the
same voice: how late its packets come out, how soon somebody gets the floor, and what the
hub's processes cost.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.crowd import cpu_s
from bench.support import janus, report
from bench.support.ear import packet_delays
from bench.support.janus_client import AUDIO_BRIDGE
from bench.support.janus_port import PortServer, TcpClient
from bench.support.member import Member
from bench.support.mouth import Trip, prepared, talk
from bench.support.pictures import bars
from bench.support.ways import CONNECT_S, OPEN_SPACE
from stagebox.media.frames import FRAME_S, SAMPLE_RATE
from stagebox.media.rtp import AudioPacket
from tests.support.console import Chief
from tests.support.crew import Hub, free_port, running

_MS: Final = 1_000.0
_TAIL_S: Final = 0.5
_BRIDGE: Final = (
    '\n[[bridge]]\nname = "{name}"\nspace = "main"\nsystem = "{system}"\nurl = "{url}"\n{more}\n'
)
NONE, TRUNK, JANUS, BOTH = "no bridge", "another hub", "Janus AudioBridge", "both"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    cases: tuple[str, ...] = (NONE, TRUNK, JANUS, BOTH)
    listeners: int = 20
    rounds: int = 4
    seconds: float = 6.0
    presses: int = 20


QUICK: Final = Size(rounds=1, listeners=5, seconds=3.0, presses=5)


@dataclass(slots=True)
class Found:
    """Of one case, from all rounds: seconds of delay and to the floor, shares of a core."""

    delays: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    lost: int = 0


class House:
    """A hub of its own with what it is bridged to; use as an async context."""

    def __init__(self, case: str) -> None:
        self._case = case
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Hub:
        """Start all of it, and wait until its bridges are joined."""
        try:
            return await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Stop all of it."""
        await self._stack.aclose()

    async def _start(self) -> Hub:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        settings = OPEN_SPACE
        if self._case in {TRUNK, BOTH}:
            settings += await self._other_hub(folder)
        if self._case in {JANUS, BOTH}:
            settings += await self._room()
        hub = await self._hub(folder, "hub", settings)
        await asyncio.to_thread(_joined, Chief(hub), settings.count("[[bridge]]"))
        return hub

    async def _other_hub(self, folder: Path) -> str:
        other = await self._hub(folder, "other", OPEN_SPACE)
        made = Chief(other).ask("POST", "/spaces/main/invites", {"place": "speaker"})[1]
        url, more = f"{other.http}/whip/main", f'token = "{made["token"]}"'
        return _BRIDGE.format(name="Hub", system="stagebox", url=url, more=more)

    async def _room(self) -> str:
        server = await self._stack.enter_async_context(PortServer())
        client = await self._stack.enter_async_context(TcpClient(server))
        handle = await client.attach(AUDIO_BRIDGE)
        body = {"request": "create", "room": server.room, "sampling_rate": SAMPLE_RATE}
        await handle.ask(body)
        more = f'room = "{server.room}"'
        return _BRIDGE.format(name="Room", system="janus-audiobridge", url=server.url, more=more)

    async def _hub(self, folder: Path, name: str, settings: str) -> Hub:
        path = folder / f"{name}.toml"
        path.write_text(settings)
        hub = Hub(folder, free_port(), name=name, extra=("--config", str(path)))
        self._stack.enter_context(running(hub))
        await asyncio.to_thread(hub.wait_up)
        return hub


def _joined(chief: Chief, count: int) -> None:
    """Wait until so many bridges are joined."""
    until = time.monotonic() + CONNECT_S
    while True:
        shown = chief.ask("GET", "/bridges")[1]["bridges"]
        if sum(each["state"] == "joined" for each in shown) == count:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"bridges do not join: {shown}")
        time.sleep(0.1)


async def measure_once(case: str, size: Size, found: Found) -> None:
    """Let one talk, and others press, at a fresh hub."""
    arrivals: list[tuple[float, AudioPacket]] = []
    said = prepared(0, size.seconds)

    def heard(packet: AudioPacket, at: float) -> None:
        arrivals.append((at, packet))

    async with House(case) as hub, contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(Member(hub.http, "Ear", "recvonly", heard))
        for number in range(size.listeners - 1):
            await enter(Member(hub.http, f"Listener {number}", "recvonly", _ignore))
        talker = await enter(Member(hub.http, "Talker", "sendrecv", _ignore))
        found.floor += [await _pressed(talker) for _ in range(size.presses)]
        await talker.take_floor()
        before, begin = cpu_s(hub.pid), time.monotonic()
        await talk(0, said, talker.peer.send, asyncio.get_running_loop().time() + FRAME_S)
        found.cpu.append((cpu_s(hub.pid) - before) / (time.monotonic() - begin))
        await asyncio.sleep(_TAIL_S)
    found.delays += packet_delays(Trip([said], arrivals))
    found.lost += len(said.payloads) - len(arrivals)


async def _pressed(talker: Member) -> float:
    begin = time.monotonic()
    await talker.take_floor()
    took = time.monotonic() - begin
    await talker.release_floor()
    return took


def measure(size: Size) -> dict[str, Found]:
    """Measure all cases in turns."""
    found = {case: Found() for case in size.cases}
    for case in report.turns(list(size.cases), size.rounds):
        print(f"{case} ...", flush=True)
        asyncio.run(measure_once(case, size, found[case]))
    return found


def show(found: dict[str, Found]) -> dict[str, Any]:
    """Print the table; return its figures."""
    plain = {
        case: {
            "delay_ms": report.spread([each * _MS for each in of.delays]),
            "floor_ms": report.spread([each * _MS for each in of.floor]),
            "cpu": report.spread(of.cpu),
        }
        for case, of in found.items()
    }
    first = plain[NONE]
    rows = [
        (
            case,
            *(f"{of['delay_ms'].median:.2f}", f"{of['delay_ms'].p99:.2f}"),
            report.ratio(of["delay_ms"].median, first["delay_ms"].median),
            *(f"{of['floor_ms'].median:.2f}", f"{of['floor_ms'].p99:.2f}"),
            report.ratio(of["floor_ms"].median, first["floor_ms"].median),
            f"{of['cpu'].median:.1%}",
            found[case].lost,
        )
        for case, of in plain.items()
    ]
    report.table(
        (
            *("bridged to", "packet in to out, ms", "p99", "of none"),
            *("to the floor, ms", "p99", "of none", "of a core", "lost"),
        ),
        rows,
    )
    return {
        case: {name: {"median": one.median, "p99": one.p99} for name, one in of.items()}
        for case, of in plain.items()
    }


def main() -> None:
    """Run, print, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, five listeners")
    size = QUICK if parser.parse_args().quick else Size()
    load = report.load()
    try:
        print(f"Janus {janus.version()}.")
    except janus.JanusMissingError as error:
        print(f"Without Janus: {error}")
        size = Size((NONE, TRUNK), size.listeners, size.rounds, size.seconds, size.presses)
    found = measure(size)
    data = show(found)
    bars(
        "bridges",
        "Packet in to packet out, for members of a bridged space",
        "ms",
        {case: of["delay_ms"]["median"] for case, of in data.items()},
    )
    report.finish("bridges", {"cases": data, "listeners": size.listeners}, load)


def _ignore(_packet: AudioPacket, _at: float) -> None:
    pass


if __name__ == "__main__":
    main()
