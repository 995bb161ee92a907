"""What media processes tape comes to the main process, from the home, wherever that is."""

import pytest

from hub.ports import Tape
from tests.loopback.hub.crew import until
from tests.loopback.hub.media_house import SPACE, media_house

pytestmark = pytest.mark.timeout(120)


async def test_copies_come_up_and_follow_the_home() -> None:
    async with media_house(2) as house:
        tapes: list[Tape] = []
        house.media.on_tape(tapes.append)
        await house.join("ana", "ben")
        async with house.talk("ana"):
            await house.until_heard(5, "ben")
            assert tapes == []
            house.media.tape(SPACE, True)
            await until(lambda: len([tape for tape in tapes if tape.member is None]) > 10)
            assert {tape.member for tape in tapes} == {"ana", None}
            assert {tape.space for tape in tapes} == {SPACE}
            house.kill(house.home())  # ana's own process, too
            await until(lambda: house.lost == ["ana"])
            await house.offer_again()
            tapes.clear()
            await until(lambda: len([tape for tape in tapes if tape.member is None]) > 10)
            assert {tape.member for tape in tapes} == {"ana", None}
        house.media.tape(SPACE, False)
        tapes.clear()
        async with house.talk("ben"):
            await house.until_heard(20, "ana")
        assert tapes == []
        assert house.media.report().channel_drops == {"dropped": 0, "unreadable": 0}


async def test_one_at_another_volume_is_mixed_wherever_its_connection_is() -> None:
    async with media_house(2) as house:
        await house.join("ana", "ben")
        house.media.set_volume(SPACE, "ben", 50)
        async with house.talk("ben"):
            await house.until_heard(20, "ana")
        await until(lambda: house.media.report().audio["mixed_frames"] > 0)
        assert house.media.report().audio["forwarded"] == 0
