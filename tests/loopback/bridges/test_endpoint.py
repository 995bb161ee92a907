"""What a WHIP or WHEP endpoint owes its callers (RFC 9725), and what it does not take."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hub.bridges import guests
from hub.config import SpaceConfig
from stagebox.rtc.peer import Direction, Peer
from stagebox.wire.acts import FloorNext, MemberRemove, SpaceNew
from stagebox.wire.terms import Mode, Place
from tests.loopback.bridges.kit import ADMIN, Ears, Mouth, SoundHub, sound_hub, words
from tests.loopback.hub.crew import PATIENCE_S, until

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


class Caller:
    """A program that speaks WHIP or WHEP: an offer, and what came back."""

    def __init__(self, hub: SoundHub, http: aiohttp.ClientSession, direction: Direction) -> None:
        self.ears = Ears()
        self.hub, self.http = hub, http
        self.peer = Peer(
            local_address="127.0.0.1",
            direction=direction,
            on_packet=self.ears.heard,
            on_state=lambda _state: None,
        )
        self.session = ""
        self.etag = ""

    async def post(self, path: str, token: str, offer: str | None = None) -> int:
        offer = await self.peer.offer() if offer is None else offer
        headers = SDP | {"Authorization": f"Bearer {token}"}
        async with self.http.post(self.hub.url(path), data=offer, headers=headers) as answer:
            text = await answer.text()
            if answer.status == 201:
                assert answer.content_type == "application/sdp"
                self.session, self.etag = answer.headers["Location"], answer.headers["ETag"]
                await self.peer.accept(text)
                await self.peer.wait_connected(PATIENCE_S)
            return answer.status

    async def patch(self, body: str, **headers: str) -> int:
        url, more = self.hub.url(self.session), FRAGMENT | headers
        async with self.http.patch(url, data=body, headers=more) as answer:
            return answer.status

    async def delete(self) -> int:
        async with self.http.delete(self.hub.url(self.session)) as answer:
            return answer.status


@contextlib.asynccontextmanager
async def caller(hub: SoundHub, direction: Direction = "sendonly") -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as http:
        made = Caller(hub, http, direction)
        try:
            yield made
        finally:
            await made.peer.aclose()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[SoundHub]:
    async with sound_hub(tmp_path / "hub") as running:
        yield running


def user_of(sdp: str) -> str:
    return next(line for line in sdp.splitlines() if line.startswith("a=ice-ufrag:"))


async def test_a_session_from_post_to_delete(hub: SoundHub) -> None:
    async with caller(hub) as obs:
        offer = await obs.peer.offer()
        assert await obs.post("/whip/main?name=OBS", hub.invite(), offer) == 201
        assert "OBS" in hub.members()
        user = user_of(offer)
        assert await obs.patch(f"{user}\r\n", **{"If-Match": obs.etag}) == 204
        assert await obs.patch(f"{user}\r\n") == 428
        assert await obs.patch(f"{user}\r\n", **{"If-Match": '"old"'}) == 412
        assert await obs.patch("a=ice-ufrag:restarted\r\n", **{"If-Match": "*"}) == 422
        assert await obs.patch("", **{"If-Match": obs.etag}) == 400
        assert await obs.patch(user, **{"Content-Type": "text/plain"}) == 415
        assert await obs.delete() == 200
        await until(lambda: "OBS" not in hub.members())
        assert await obs.delete() == 404
        assert await obs.patch(user, **{"If-Match": obs.etag}) == 404


async def test_who_hangs_up_without_a_word_is_gone(hub: SoundHub) -> None:
    async with caller(hub) as obs:
        assert await obs.post("/whip/main?name=OBS", hub.invite()) == 201
        await obs.peer.aclose()
        await until(lambda: "OBS" not in hub.members())
        assert not hub.ways.guests


async def test_whom_a_host_puts_out_loses_the_session(hub: SoundHub) -> None:
    async with caller(hub) as obs:
        assert await obs.post("/whip/main?name=OBS", hub.invite()) == 201
        member = hub.members()["OBS"].id
        hub.spaces.act("main", ADMIN, MemberRemove(req="out", member=member))
        await until(lambda: not hub.ways.guests)
        assert await obs.delete() == 404


async def test_the_token_of_an_invitation_and_nothing_else_opens(hub: SoundHub) -> None:
    async with caller(hub) as obs:
        offer = await obs.peer.offer()
        for token in ("", "x" * 40, "short", "ü" * 20):
            assert await obs.post("/whip/main", token, offer) == 401
        assert await obs.post("/whip/nowhere", hub.invite(), offer) == 401
        assert await obs.post("/whip/NO%20SPACE", hub.invite(), offer) == 401
        assert not hub.members()


async def test_offers_that_are_none(hub: SoundHub) -> None:
    token = hub.invite()
    async with caller(hub) as obs:
        good = await obs.peer.offer()
        for bad in ("", "v=0", "ü", good.replace("opus", "speex"), good + "a=x\r\n" * 500):
            assert await obs.post("/whip/main", token, bad) in {400, 406}
        assert await obs.post("/whip/main", token, "v=0\r\n" * 100_000) == 413
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
        async with obs.http.post(hub.url("/whip/main"), data=good, headers=headers) as answer:
            assert answer.status == 415
        assert not hub.members()
        assert not hub.ways.guests
        assert await obs.post("/whip/main", token, good) == 201


async def test_pages_of_any_origin_may_ask(hub: SoundHub) -> None:
    async with aiohttp.ClientSession() as http:
        for path in ("/whip/main", "/whep/main", "/whip/main/some-session"):
            async with http.options(hub.url(path), headers={"Origin": "https://obs.example"}) as to:
                assert to.status == 204
                assert to.headers["Accept-Post"] == "application/sdp"
                assert to.headers["Access-Control-Allow-Origin"] == "*"
                assert "Authorization" in to.headers["Access-Control-Allow-Headers"]
            async with http.get(hub.url(path)) as got:
                assert got.status == 204
        async with http.post(hub.url("/whip/main"), data="", headers=SDP) as refused:
            assert refused.status == 401
            assert refused.headers["WWW-Authenticate"] == "Bearer"
            assert "Location" in refused.headers["Access-Control-Expose-Headers"]


async def test_a_space_that_has_not_begun_has_nothing_to_play(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub, caller(hub, "recvonly") as player:
        made = hub.spaces.create(ADMIN, SpaceNew(req="n", name="Later", backstage=True))
        space = made.space  # type: ignore[union-attr]
        token = hub.invite(Place.LISTENER, space)
        offer = await player.peer.offer()
        headers = SDP | {"Authorization": f"Bearer {token}"}
        url = hub.url(f"/whep/{space}")
        async with player.http.post(url, data=offer, headers=headers) as answer:
            assert answer.status == 409
            assert int(answer.headers["Retry-After"]) > 0
        assert not hub.members(space)


async def test_a_player_is_a_listener_who_cannot_talk(hub: SoundHub) -> None:
    async with caller(hub, "sendrecv") as player:
        assert await player.post("/whep/main?name=TV", hub.invite(Place.COHOST)) == 201
        assert hub.members()["TV"].place is Place.LISTENER
        mouth = Mouth(player.peer.send)
        await mouth.say(words(0, 0.5))
        assert not hub.talkers()


async def test_more_than_may_come_are_told_to_wait(
    hub: SoundHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "MOST", 1)
    async with caller(hub) as first, caller(hub) as second:
        assert await first.post("/whip/main", hub.invite()) == 201
        assert await second.post("/whip/main", hub.invite()) == 503


async def test_a_queue_is_kept_and_the_host_gives_the_floor(tmp_path: Path) -> None:
    spaces = (SpaceConfig(id="main", name="Main", mode=Mode.MODERATED),)
    async with sound_hub(tmp_path / "hub", spaces=spaces) as hub, caller(hub) as far:
        assert await far.post("/whip/main?name=Far", hub.invite()) == 201
        talking = asyncio.create_task(Mouth(far.peer.send).say(words(0, 8.0)))
        running = hub.spaces.get("main")
        assert running is not None
        await until(lambda: running.snapshot("", None).floor.queue != ())
        assert not hub.talkers()
        hub.spaces.act("main", ADMIN, FloorNext(req="next"))
        await until(lambda: hub.talkers() == {"Far"})
        await talking
        await until(lambda: not hub.talkers())


async def test_a_flood_ends_nobody_elses_evening(hub: SoundHub) -> None:
    async with caller(hub) as far:
        assert await far.post("/whip/main?name=Far", hub.invite()) == 201
        for number in range(3_000):
            far.peer.send(b"\x78" + bytes(40), number, number * 960, False)
            if number % 50 == 0:
                await asyncio.sleep(0)
        async with caller(hub) as other:
            assert await other.post("/whip/main?name=Other", hub.invite()) == 201
            assert {"Far", "Other"} <= hub.members().keys()
