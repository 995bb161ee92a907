"""The two threads over devices that go away, hang and crash."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from device.audio import capture, lease, worker
from device.audio.capture import UNHURRIED_BLOCKS, CaptureThread
from device.audio.health import DeviceStatus
from device.audio.lease import Lease, Phase
from device.audio.playback import PlaybackThread
from device.audio.ports import DeviceLostError
from device.audio.worker import DeviceThread, Reports
from tests.contract.audio.fakes import FakeDevice, States, World, sound_threads, until

READY, LOST, ABSENT = DeviceStatus.READY, DeviceStatus.LOST, DeviceStatus.ABSENT

Thread = CaptureThread | PlaybackThread
Make = Callable[[World, States], Thread]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Retry and give up sooner than a real box; and leave no thread behind."""
    monkeypatch.setattr(worker, "RETRY_S", (0.05, 0.05, 0.05))
    monkeypatch.setattr(worker, "_CHECK_S", 0.1)
    monkeypatch.setattr(lease, "LIMIT_S", dict.fromkeys(Phase, 1.0))
    yield
    deadline = time.monotonic() + 10
    while sound_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sound_threads() == []


def capturing(world: World, states: States) -> CaptureThread:
    return CaptureThread(world.make, lambda *_: None, states, asyncio.get_running_loop())


def playing(world: World, states: States) -> PlaybackThread:
    def pull(samples: int) -> bytes:
        return bytes(2 * samples)

    return PlaybackThread(world.make, pull, states, asyncio.get_running_loop())


@pytest.fixture(params=[capturing, playing])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


async def test_ready_once_sound_flows_and_the_device_is_given_back(make: Make) -> None:
    world, states = World(), States()
    thread = make(world, states)
    thread.start()
    await until(lambda: states.statuses == [READY])
    assert states.threads == {threading.get_ident()}
    assert states.all[0].label == "fake"
    assert thread.state == states.all[0]
    assert await thread.stop()
    assert world.closes == 1
    assert world.users.isdisjoint({threading.get_ident()})


async def test_a_device_that_goes_away_is_reported_once_and_comes_back_by_itself(
    make: Make,
) -> None:
    world, states = World(), States()
    thread = make(world, states)
    thread.start()
    for losses in range(3):
        await until(lambda: states.statuses[-1:] == [READY])
        opens, world.plugged = world.opens, False
        await until(lambda opens=opens: world.opens >= opens + 3)
        assert states.statuses == [READY, LOST] * (losses + 1)
        assert "pulled out" in states.all[-1].detail
        world.plugged = True
    await until(lambda: states.statuses[-1] is READY)
    assert thread.stats().losses == 3
    assert await thread.stop()
    assert world.closes == 4


async def test_a_device_that_was_never_there_is_absent_until_it_is(make: Make) -> None:
    world, states = World(), States()
    world.plugged = False
    thread = make(world, states)
    thread.start()
    await until(lambda: world.opens >= 3)
    assert states.statuses == [ABSENT]
    assert states.all[0].detail == "There is no fake."
    world.plugged = True
    await until(lambda: states.statuses == [ABSENT, READY])
    assert await thread.stop()
    assert thread.stats().losses == 0


@pytest.mark.parametrize("where", ["open", "use", "close"])
async def test_a_thread_that_hangs_is_abandoned_and_replaced(make: Make, where: str) -> None:
    world, states = World(), States()
    thread = make(world, states)
    thread.start()
    await until(lambda: states.statuses == [READY])
    use = "read" if make is capturing else "write"
    world.hang_in = use if where == "use" else where
    world.plugged = where == "use"  # open and close come after a loss
    await until(lambda: world.hanging == 1)
    world.hang_in, world.plugged = "", True
    await until(lambda: states.statuses == [READY, LOST, READY])
    if where == "use":
        assert "does not answer" in states.all[1].detail
    before = thread.last_block_at
    await until(lambda: thread.last_block_at != before)
    world.released.set()  # what hung goes on; nobody listens to it
    await until(lambda: len(sound_threads()) == 1)
    assert await thread.stop()
    assert states.statuses == [READY, LOST, READY]


async def test_threads_that_hang_do_not_pile_up(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LIMIT_S", dict.fromkeys(Phase, 0.1))
    world, states = World(), States()
    world.hang_in = "open"
    thread = make(world, states)
    thread.start()
    await until(lambda: world.hanging == worker.MAX_ABANDONED)
    await asyncio.sleep(1.0)  # time for three more
    assert world.hanging == len(sound_threads()) == worker.MAX_ABANDONED
    assert states.statuses == [ABSENT]
    world.hang_in = ""
    world.released.set()
    await until(lambda: states.statuses == [ABSENT, READY])
    assert await thread.stop()


async def test_a_thread_that_hangs_and_keeps_its_card_is_beyond_help(make: Make) -> None:
    world, states = World(), States()
    thread = make(world, states)
    thread.start()
    await until(lambda: states.statuses == [READY])
    assert thread.serves
    world.plugged = False  # a card that goes by itself is waited for
    await until(lambda: states.statuses == [READY, LOST])
    assert thread.serves
    world.plugged = True
    await until(lambda: states.statuses == [READY, LOST, READY])
    world.hang_in = "read" if make is capturing else "write"
    await until(lambda: world.hanging == 1)
    world.hang_in, world.plugged = "", False  # whoever hangs has it: no other can open it
    opens = world.opens
    await until(lambda: world.opens > opens and not thread.serves)
    world.plugged = True  # the card was another one, or has let go
    await until(lambda: states.statuses[-1] is READY)
    assert thread.serves
    world.released.set()
    assert await thread.stop()


async def test_a_thread_that_hangs_at_the_end_is_left_in_bounded_time(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_STOP_S", 0.2)
    world, states = World(), States()
    thread = make(world, states)
    thread.start()
    await until(lambda: states.statuses == [READY])
    world.hang_in = "close"
    assert not await thread.stop()
    world.released.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_with_a_bug_is_replaced(make: Make) -> None:
    world, states = World(), States()
    thread = make(world, states)
    thread.start()
    await until(lambda: states.statuses == [READY])
    world.crash = True
    await until(lambda: states.statuses == [READY, LOST, READY])
    assert "log" in states.all[1].detail
    assert await thread.stop()
    assert world.closes == world.opens


async def test_xruns_of_every_device_add_up(make: Make) -> None:
    world, states = World(), States()
    world.xrun = True
    thread = make(world, states)
    thread.start()
    await until(lambda: thread.stats().xruns > 3)
    world.plugged = False
    await until(lambda: states.statuses == [READY, LOST])
    first = thread.stats().xruns
    world.plugged = True
    await until(lambda: thread.stats().xruns > first + 3)
    assert await thread.stop()


async def test_blocks_arrive_in_order_with_the_time_of_their_first_sample() -> None:
    world, states, frames = World(), States(), []
    world.block_s = 0.01
    started: list[float] = []
    thread = CaptureThread(
        world.make,
        lambda pcm, start: frames.append((pcm, start)),
        states,
        asyncio.get_running_loop(),
        on_started=started.append,
    )
    before = time.monotonic()
    thread.start()
    await until(lambda: len(frames) >= 20)
    assert await thread.stop()
    numbers = [int(np.frombuffer(pcm, np.uint32)[0]) for pcm, _ in frames]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(len(pcm) == 960 for pcm, _ in frames)
    starts = [start for _, start in frames]
    assert starts == sorted(starts)
    assert before <= starts[0] + 0.01
    assert started == [starts[0]]
    assert thread.stats().blocks == len(frames)


async def test_while_the_loop_is_held_up_the_oldest_blocks_are_dropped_and_counted() -> None:
    world, states, frames = World(), States(), []
    thread = CaptureThread(
        world.make, lambda pcm, _: frames.append(pcm), states, asyncio.get_running_loop()
    )
    thread.start()
    await until(lambda: len(frames) > 2)
    got, reads = len(frames), world.read
    while world.read < reads + 4 * capture.BACKLOG_BLOCKS:
        time.sleep(0.01)  # noqa: ASYNC251 - this is the hold-up
    held = world.read
    await until(lambda: len(frames) > got)
    # What came first after the pause is about the newest that fits, not the oldest.
    first = int(np.frombuffer(frames[got], np.uint32)[0])
    assert first >= held - capture.BACKLOG_BLOCKS - 2
    assert thread.stats().dropped >= capture.BACKLOG_BLOCKS - 1
    assert states.statuses == [READY]
    assert await thread.stop()
    await until(lambda: thread.stats().blocks + thread.stats().dropped >= world.read - 1)


async def test_without_a_loudspeaker_the_programme_goes_on_at_its_pace_unheard() -> None:
    world, states = World(), States()
    world.plugged = False
    pulled = [0]

    def pull(samples: int) -> np.ndarray:
        pulled[0] += 1
        return np.full(samples, pulled[0], np.int16)

    thread = PlaybackThread(world.make, pull, states, asyncio.get_running_loop())
    began = time.monotonic()
    thread.start()
    await until(lambda: pulled[0] >= 50)
    took = time.monotonic() - began
    assert took >= 0.45
    assert pulled[0] <= took / 0.01 + 2
    assert thread.stats().discarded == pulled[0]
    assert thread.stats().played == 0
    world.plugged = True
    await until(lambda: len(world.written) > 3)
    assert await thread.stop()
    # What was due while there was no device is not played afterwards.
    assert int(np.frombuffer(world.written[0], np.int16)[0]) == thread.stats().discarded + 1


async def test_what_is_played_is_decided_once_the_device_wants_it() -> None:
    world, states = World(), States()
    waits: list[int] = []

    def pull(samples: int) -> bytes:
        waits.append(world.waits)
        return bytes(2 * samples)

    thread = PlaybackThread(world.make, pull, states, asyncio.get_running_loop())
    thread.start()
    await until(lambda: len(waits) > 5)
    assert await thread.stop()
    assert waits == list(range(1, len(waits) + 1))


def test_a_loop_that_is_closed_is_nobody_to_tell() -> None:
    """A thread that outlives its loop meets no error, not even at a loss."""
    world, states = World(), States()
    loop = asyncio.new_event_loop()
    thread = CaptureThread(world.make, lambda *_: None, states, loop)
    loop.call_soon(thread.start)
    loop.run_until_complete(until(lambda: states.statuses == [READY]))
    loop.close()
    reads = world.read
    asyncio.run(until(lambda: world.read > reads + 10))
    world.plugged = False
    opens = world.opens
    asyncio.run(until(lambda: world.opens > opens))
    current = thread._thread._lease
    assert current is not None
    current.end()


async def test_blocks_that_nobody_waits_for_come_some_at_a_time_and_in_order() -> None:
    world, heard, hurry = World(), list[int](), False
    loop, turn, turns = asyncio.get_running_loop(), 0, set[int]()

    def on_block(pcm: bytes, _start: float) -> None:
        heard.append(int.from_bytes(pcm[:4], "little"))
        turns.add(turn)
        loop.call_soon(next_turn)

    def next_turn() -> None:
        nonlocal turn
        turn += 1

    thread = CaptureThread(
        world.make, on_block, States(), asyncio.get_running_loop(), hurries=lambda: hurry
    )
    thread.start()
    await until(lambda: len(heard) >= 40)
    assert len(turns) * UNHURRIED_BLOCKS <= len(heard)
    # Somebody talks: what waits comes with the next block.
    before, hurry = len(heard), True
    await until(lambda: len(heard) >= before + 10)
    assert await thread.stop()
    assert heard == [*range(1, len(heard) + 1)]


async def test_a_loose_plug_is_tried_more_and_more_rarely_and_one_that_is_out_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(worker, "RETRY_S", (0.01, 0.02, 0.03))
    world, loop = World(), asyncio.get_running_loop()

    def idle(lease: Lease, seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 4:
            world.plugged = False
        lease.wait(seconds if len(waits) < 9 else 60.0)

    def serve(device: FakeDevice, _lease: Lease) -> None:
        raise DeviceLostError(f"{device.label} is loose.")

    thread = DeviceThread(
        "capture", world.make, serve, reports=Reports(lambda _: None), loop=loop, idle=idle
    )
    thread.start()
    await until(lambda: len(waits) >= 9)
    assert await thread.stop()
    assert waits == [0.01, 0.02, 0.03, 0.03, 0.03, 0.02, 0.02, 0.02, 0.02]


async def test_a_card_that_is_put_in_is_tried_at_once(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait between two tries would be a minute."""
    cards = b"no cards"
    monkeypatch.setattr(worker, "RETRY_S", (0.05, 60.0, 60.0))
    monkeypatch.setattr(worker, "LOOK_S", 0.02)
    monkeypatch.setattr(worker, "cards", lambda: cards)
    world, states = World(), States()
    world.plugged = False
    thread = make(world, states)
    thread.start()
    await until(lambda: states.statuses == [ABSENT])
    opens, cards = world.opens, b"another card"
    # Its file may be a moment behind: it is tried again soon, and once.
    await until(lambda: world.opens == opens + 1)
    world.plugged, cards = True, b"the card"
    await until(lambda: states.statuses == [ABSENT, READY])
    assert await thread.stop()


class LateWorld(World):
    """A card that comes while its device is looked for, and can be opened a moment later."""

    def __init__(self) -> None:
        super().__init__()
        self.plugged, self.cards = False, b"no cards"

    def hang_here(self, where: str) -> None:
        if where == "open":
            self.cards = b"the card"
        elif where == "close":
            self.plugged = True


async def test_a_card_that_comes_while_its_device_is_looked_for_is_not_missed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, states = LateWorld(), States()
    monkeypatch.setattr(worker, "RETRY_S", (60.0, 60.0, 60.0))
    monkeypatch.setattr(worker, "cards", lambda: world.cards)
    thread = make(world, states)
    thread.start()
    await until(lambda: states.statuses == [ABSENT, READY])
    assert await thread.stop()
