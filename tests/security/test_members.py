"""Members who want more than they may, while two others talk."""

import asyncio
from typing import Any, Final

import pytest

from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error, Leave, MediaAnswer, MediaOffer
from tests.security.figures import counts, figure
from tests.security.house import House
from tests.security.intruder import Intruder
from tests.support import attacks

pytestmark = pytest.mark.timeout(120)

MALLORY: Final = "127.0.7.66"
# Fewer than the messages a second that anybody may send.
BREATH_S: Final = 0.1


async def test_case_23_an_offer_is_answered_once(house: House) -> None:
    ports = len(attacks.udp_ports(house.hub.pid))
    async with house.holds() as held, Intruder(house.hub.url, MALLORY) as mallory:
        offer = MediaOffer(req="media", sdp=await mallory.offer())
        first = await mallory.ask(offer, MediaAnswer)
        again = []
        for _ in range(counts(100, 10)):
            again.append(await mallory.ask(offer, MediaAnswer))
            await asyncio.sleep(BREATH_S)
        assert {answer.sdp for answer in again} == {first.sdp}
        assert len(attacks.udp_ports(house.hub.pid)) == ports + 1
        # The answer to one member is nobody else's: Eve's own offer has its own.
        async with Intruder(house.hub.url, "127.0.7.67", "Eve") as eve:
            other = await eve.ask(MediaOffer(req="media", sdp=offer.sdp), MediaAnswer)
            assert other.sdp != first.sdp
        await mallory.peer.accept(first.sdp)
        await mallory.peer.wait_connected(20)
    figure(23, f"one offer {len(again) + 1} times: one answer, one media session: {held}")


# What only hosts and administrators do, and what is done where one is.
ACTS: Final[tuple[dict[str, Any], ...]] = (
    {"t": "space.edit", "name": "Mine"},
    {"t": "space.end"},
    {"t": "invite.new"},
    {"t": "floor.next"},
    {"t": "floor.clear"},
    {"t": "floor.hold", "on": True},
    {"t": "member.remove", "member": "0" * 32},
)

REFUSALS: Final = {ErrorCode.NOT_ALLOWED, ErrorCode.ONLY_HOST}


async def test_case_25_a_member_gets_no_more_than_it_may(house: House) -> None:
    heard_before = house.hub.metric("stagebox_bad_messages_total")
    async with (
        house.holds() as held,
        Intruder(house.hub.url, MALLORY) as mallory,
        Intruder(house.hub.url, "127.0.7.67", "Lena") as lena,
    ):
        await mallory.media()
        await lena.media()
        for _ in range(200):  # without the floor
            mallory.speak()
            await asyncio.sleep(0.005)
        assert not lena.packets
        refused = 0
        for number, act in enumerate(ACTS):
            await mallory.say_text({**act, "req": f"a{number}"})
            error = await mallory.until(Error)
            assert error.code in REFUSALS, (act, error)
            refused += 1
            await asyncio.sleep(0.1)
        assert not mallory.line.closed
        await mallory.say(Leave(req="leave"))
        for _ in range(50):  # from outside of any space
            mallory.speak()
            await asyncio.sleep(0.005)
        assert not lena.packets
    assert house.hub.metric("stagebox_bad_messages_total") >= heard_before + refused
    silent = house.hub.metric("stagebox_audio_total", event="dropped_no_floor")
    assert silent > 0
    figure(25, f"{refused} acts refused, {silent:.0f} packets without the floor dropped: {held}")
