"""Media processes: members are spread, all hear, and one that dies is replaced.

What is timed here is only ordered and counted; how fast it is, the benchmarks show.
"""

import asyncio
import os
import signal

import pytest

from hub.media.processes import MediaProcesses, StartError
from hub.ports import BadOfferError
from tests.loopback.hub.crew import until
from tests.loopback.hub.media_house import SPACE, media_house

# The import of the WebRTC stack, once for each test here, on a machine that others use.
pytestmark = pytest.mark.timeout(120)


async def test_members_of_one_space_hear_by_way_of_all_processes() -> None:
    async with media_house(2) as house:
        await house.join("ana", "ben", "cleo", "dora")
        assert [house.where(name) for name in house.ears] == [1, 2, 1, 2]
        assert house.home() == 1
        # The talker at the home, and the talker elsewhere.
        for talker, others in (("ana", "ben cleo dora"), ("dora", "ana ben cleo")):
            before = len(house.ears[talker].heard)
            async with house.talk(talker):
                await house.until_heard(20, *others.split())
            assert len(house.ears[talker].heard) == before
        # Two at once, one in each process: each gets the mix without itself.
        async with house.talk("ana", "dora"):
            await house.until_heard(20, "ana", "ben", "cleo", "dora")
        await until(lambda: house.media.report().audio["mixed_frames"] > 0)
        assert all(ear.gaps() == [] for ear in house.ears.values())
        assert house.media.report().channel_drops == {"dropped": 0, "unreadable": 0}
        await house.media.disconnect("ben")
        await until(lambda: house.ears["ben"].peer.state == "closed")


async def test_who_does_not_answer_any_more_is_told_and_may_offer_again() -> None:
    async with media_house(2) as house:
        _ana, ben = await house.join("ana", "ben")
        cut_off = ben.peer
        await cut_off._cut()  # no goodbye: its network is gone
        await until(lambda: house.lost == ["ben"])
        assert await house.offer_again() == ["ben"]
        async with house.talk("ana"):
            await house.until_heard(5, "ben")
        assert house.lost == []


async def test_who_says_goodbye_is_told_nothing() -> None:
    async with media_house(1) as house:
        ana, ben = await house.join("ana", "ben")
        await ben.peer.aclose()
        async with house.talk("ana"):
            await asyncio.sleep(0.5)
        assert house.lost == []
        assert ana.peer.state == "connected"


async def test_without_the_floor_nothing_leaves_the_process() -> None:
    async with media_house(2) as house:
        _ana, ben = await house.join("ana", "ben")
        for _ in range(3):
            ben.say(marker=True)
        await until(lambda: house.media.report().audio["dropped_no_floor"] == 3)
        assert house.media.report().audio["forwarded"] == 0


async def test_one_that_is_killed_takes_its_listeners_only_for_a_moment() -> None:
    async with media_house(2) as house:
        await house.join("ana", "ben", "cleo", "dora")
        async with house.talk("ana"):
            await house.until_heard(5, "ben", "cleo", "dora")
            house.kill(2)
            await until(lambda: len(house.lost) == 2)
            assert await house.offer_again() == ["ben", "dora"]
            await house.until_heard(5, "ben", "cleo", "dora")
            assert house.ears["cleo"].gaps() == []  # nobody else notices
        await until(lambda: house.media.counts() == {"running": 2, "restarts": 1})
        assert house.media.report().sessions["made"] >= 4  # what a dead one counted is kept


async def test_a_home_that_is_killed_is_replaced_and_streams_go_on() -> None:
    async with media_house(2) as house:
        await house.join("ana", "ben", "cleo", "dora")
        async with house.talk("ben"):
            await house.until_heard(5, "ana", "cleo", "dora")
            house.kill(house.home())
            await until(lambda: len(house.lost) == 2)
            assert house.home() == 2
            assert await house.offer_again() == ["ana", "cleo"]
            await house.until_heard(5, "ana", "cleo", "dora")
            # Same connection, other home: the numbers go on where they were.
            assert house.ears["dora"].gaps() == []


async def test_all_are_killed_and_come_back() -> None:
    async with media_house(2) as house:
        await house.join("ana", "ben", "cleo")
        house.media.open_gate(SPACE, "ana")
        for number in list(house.media._processes):
            house.kill(number)
        await until(lambda: len(house.lost) == 3)
        assert await house.offer_again() == ["ana", "ben", "cleo"]
        async with house.talk("ana"):
            await house.until_heard(5, "ben", "cleo")
        await until(lambda: house.media.counts() == {"running": 2, "restarts": 2})


async def test_one_that_hangs_is_ended() -> None:
    async with media_house(2) as house:
        await house.join("ana", "ben")
        os.kill(house.pid(2), signal.SIGSTOP)
        await until(lambda: house.lost == ["ben"])
        await house.offer_again()
        async with house.talk("ana"):
            await house.until_heard(5, "ben")


async def test_an_offer_whose_process_dies_is_answered_by_another_one() -> None:
    async with media_house(2) as house:
        os.kill(house.pid(1), signal.SIGSTOP)  # it gets the offer and does nothing
        joining = asyncio.create_task(house.join("ana"))
        await until(lambda: house.media._placing.where("ana") == 1)
        house.kill(1)
        await joining
        assert house.lost == []


async def test_a_member_that_gives_up_leaves_nothing_behind() -> None:
    async with media_house(1) as house:
        os.kill(house.pid(1), signal.SIGSTOP)
        joining = asyncio.create_task(house.join("ana"))
        await until(lambda: house.media._placing.where("ana") == 1)
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        assert house.media._placing.where("ana") is None
        os.kill(house.pid(1), signal.SIGCONT)
        await house.join("ana")


async def test_a_bad_offer_is_refused() -> None:
    async with media_house(1) as house:
        with pytest.raises(BadOfferError, match="refused"):
            await house.media.connect("ana", SPACE, "nonsense", "127.0.0.1")


async def test_many_at_once_wait_for_each_other() -> None:
    async with media_house(1) as house:
        names = [f"m{number}" for number in range(40)]  # more than are set up at a time
        await asyncio.gather(*(house.join(name, direction="recvonly") for name in names))
        assert house.media.report().sessions.get("refused", 0) == 0


async def test_the_program_that_forks_is_started_again() -> None:
    async with media_house(1) as house:
        program = house.media._nursery._program
        assert program is not None
        program.kill()
        await house.join("ana")  # the process it made lives on
        house.kill(1)
        await until(lambda: house.lost == ["ana"])
        await house.offer_again()


async def test_unreadable_mail_is_counted_and_does_no_harm() -> None:
    async with media_house(1) as house:
        house.media._processes[1].inbox.order(b"\xff\xff")
        await until(lambda: house.media.report().channel_drops.get("unreadable") == 1)
        await house.join("ana")


async def test_a_process_that_reads_nothing_is_ended() -> None:
    async with media_house(1) as house:
        os.kill(house.pid(1), signal.SIGSTOP)
        while house.media.counts()["running"]:
            for number in range(1_000):
                house.media.open_gate(SPACE, f"member-{number}")
            await asyncio.sleep(0)
        await until(lambda: house.media.counts()["running"] == 1)


async def test_where_nothing_can_be_started_the_hub_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(StartError, match="does not start"):
        await MediaProcesses(1).start()
    assert capfd.readouterr().err == ""
