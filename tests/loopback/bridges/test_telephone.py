"""The hub's telephone, called by the hub's own bridge: the contract, delay, and strangers."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.bridges.port import Ear
from hub.bridges.seat import Hall
from hub.bridges.terms import Cause, FarError
from hub.telephone.far import Number, SipFar
from hub.telephone.rtp import Packet, render
from hub.telephone.settings import CallerConfig, NumberConfig, TelephoneConfig
from hub.telephone.telephone import Telephone, TelephoneError
from stagebox.config import WrongKeyError
from stagebox.wire.acts import MemberRemove
from stagebox.wire.terms import Kind
from tests.loopback.bridges.kit import (
    ADMIN,
    Ears,
    Mouth,
    Person,
    SoundHub,
    compare,
    people,
    sound_hub,
    words,
)
from tests.loopback.hub.crew import until
from tests.support.bridge_contract import FarContract
from tests.support.crew import free_port

LIKE = 0.9
WORD = "a-good-password"
USERS = (CallerConfig(name="zoe", password=WORD),)


@contextlib.asynccontextmanager
async def called(hub: SoundHub, **more: object) -> AsyncIterator[Telephone]:
    """Let a hub be called; its prompts are short tones."""
    given = {"on": True, "bind": "127.0.0.1", "port": 0, "allow": ("127.0.0.0/8",)} | more
    phone = Telephone(TelephoneConfig(**given), Hall(hub.spaces, hub.media), hub.ways.bridges.marks)
    phone._speaker._program = None
    await phone.start()
    try:
        yield phone
    finally:
        await phone.aclose()


def url(phone: Telephone, number: str = "main", more: str = "") -> str:
    return f"sip:{number}@127.0.0.1:{phone.port}{more}"


class SipWorld:
    """A hub that can be called with a password."""

    speaks = listens = True

    def __init__(self, hub: SoundHub, phone: Telephone) -> None:
        self.hub, self.phone = hub, phone

    def far(self) -> SipFar:
        return SipFar(Number(url(self.phone), "Main", "zoe", WORD))

    def stranger(self) -> SipFar:
        return SipFar(Number(url(self.phone), "Main", "zoe", "another-word"))

    def nowhere(self) -> SipFar:
        return SipFar(Number(f"sip:main@127.0.0.1:{free_port()}", "Main"))

    async def heard(self) -> int:
        return len(self.hub.talkers())

    async def say(self) -> None:
        somebody = await Person("Ann", number=1).here(self.hub)
        await somebody.talk(words(0, 1.0))
        await somebody.aclose()

    async def end(self) -> None:
        for member in self.hub.members().values():
            if member.kind is Kind.BRIDGE:
                self.hub.spaces.act("main", ADMIN, MemberRemove(req="out", member=member.id))
        await asyncio.sleep(0)


class TestSip(FarContract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[SipWorld]:
        async with (
            sound_hub(tmp_path / "hub") as hub,
            called(hub, allow=(), user=USERS) as phone,
        ):
            yield SipWorld(hub, phone)


@contextlib.asynccontextmanager
async def calling(number: Number) -> AsyncIterator[tuple[SipFar, Ears]]:
    far, ears = SipFar(number), Ears()
    try:
        await far.join(Ear(ears.heard, lambda _people: None))
        yield far, ears
    finally:
        await far.leave()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_speech_goes_both_ways_and_nobody_hears_themselves(
    tmp_path: Path, transport: str
) -> None:
    async with sound_hub(tmp_path / "hub") as hub, called(hub) as phone:
        ann = await Person("Ann", number=1).here(hub)
        number = Number(url(phone, more=f";transport={transport}"), "Zoe")
        async with people(ann), calling(number) as (far, ears):
            await until(lambda: "Zoe" in hub.members())
            await asyncio.sleep(0.5)  # the tone of the welcome
            mouth, best = Mouth(far.send), 0.0
            for _ in range(8):  # a machine that is busy with something else makes holes
                ears.packets.clear()
                there = compare(await ann.talk(words(0, 3.0)), ears)
                ann.ears.packets.clear()
                here = compare(await mouth.say(words(2, 3.0)), ann.ears)
                best = max(best, min(here.correlation, there.correlation))
                if best > LIKE:
                    break
            print(transport, "there", there.delay_ms, "here", here.delay_ms, best)
            assert best > LIKE
        await until(lambda: not phone.counts()["here"])
        assert "Zoe" not in hub.members()


async def test_strangers_send_sound_to_nobody(tmp_path: Path) -> None:
    async with (
        sound_hub(tmp_path / "hub") as hub,
        called(hub) as phone,
        calling(Number(url(phone), "Zoe")),
    ):
        await until(lambda: phone.counts()["rtp_heard"] > 5)
        (call,) = phone._calls.values()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(200):
                data = render(Packet(107, False, number, 960 * number, 1, b"\xfc\xff\xfe"))
                stranger.sendto(data, ("127.0.0.1", call.sound.port))
                stranger.sendto(b"\x80" * 11, ("127.0.0.1", call.sound.port))
                await asyncio.sleep(0)  # a socket holds so many and no more
        await until(lambda: phone.counts()["rtp_strangers"] > 10)
        assert not hub.talkers()


async def test_what_comes_by_tcp_and_makes_no_sense_ends_that_connection(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub, called(hub) as phone:
        for data in (b"x" * 9_000, b"INVITE\r\nl: x\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", phone.port)
            writer.write(data)
            assert await reader.read() == b""
            writer.close()
        assert phone.counts()["malformed"] == 2
        async with calling(Number(url(phone, more=";transport=tcp"), "Zoe")):
            await until(lambda: "Zoe" in hub.members())


async def test_a_full_telephone_is_busy_and_a_loop_is_refused(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub, called(hub, calls=1) as phone:
        mark = hub.ways.bridges.marks.bare("main")
        with pytest.raises(FarError) as loop:
            async with calling(Number(url(phone), "Zoe", mark=mark)):
                pass
        assert loop.value.cause is Cause.ALREADY_BRIDGED
        async with calling(Number(url(phone), "Zoe")):
            with pytest.raises(FarError) as busy:
                async with calling(Number(url(phone), "Eve")):
                    pass
            assert busy.value.cause is Cause.BUSY


async def test_codes_are_not_guessed(tmp_path: Path) -> None:
    numbers = (NumberConfig(called="600", space="main"),)
    async with sound_hub(tmp_path / "hub") as hub, called(hub, number=numbers) as phone:
        async with calling(Number(url(phone, "600"), "Zoe")):
            await until(lambda: "Zoe" in hub.members())
        async with calling(Number(url(phone, "1"), "Eve", pin="111111222222333333")) as (far, _):
            with pytest.raises(FarError):  # after three of them
                await far.stay()
            assert "Eve" not in hub.members()


async def test_a_taken_port_says_so(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub, called(hub) as phone:
        with pytest.raises(TelephoneError, match="another telephone exchange"):
            async with called(hub, port=phone.port):
                pass


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("allow", {}),
        ("allow", {"allow": ("0.0.0.0/0",)}),
        ("allow", {"allow": ("everybody",)}),
        ("bind", {"bind": "hub.local", "user": USERS}),
        ("sound_ports", {"sound_ports": (20_001, 20_009), "user": USERS}),
        ("user", {"user": USERS * 2}),
    ],
)
def test_a_telephone_that_lets_everybody_in_or_nobody_is_refused(key: str, more: dict) -> None:
    with pytest.raises(WrongKeyError) as wrong:
        TelephoneConfig(on=True, **more)
    assert wrong.value.key == key
