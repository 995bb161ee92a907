"""What the HTTP API does, over a running hub."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.config import HubConfig, SpaceConfig
from stagebox.calendar import utc_now
from stagebox.wire.messages import (
    Error,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorRequest,
    Health,
    Join,
    Snapshot,
    SpaceLeft,
)
from stagebox.wire.space import MemberChanged
from stagebox.wire.terms import Mode, Place, Role, Via
from tests.loopback.hub.crew import Guest, Hub, crew, until
from tests.loopback.web.kit import AT_EASE, Browser, Tab, a_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as running:
        yield running


@pytest.fixture
async def admin(hub: Hub) -> AsyncIterator[Browser]:
    async with Browser(hub) as browser:
        await browser.name("Anna")
        await browser.administer()
        yield browser


# --- spaces -----------------------------------------------------------------------


async def test_the_hub_says_what_it_is(hub: Hub) -> None:
    async with Browser(hub) as browser:
        told = (await browser.ask("GET", "/hub")).json
    assert told["id"] == hub.identity.id
    assert told["name"] == "Stagebox hub"
    assert told["set_up"] is False


async def test_what_can_be_got_can_be_asked_about(hub: Hub) -> None:
    async with Browser(hub) as browser:
        for path in ("/api/v1/hub", "/api/v1/spaces", "/"):
            async with browser.http.head(hub.url(path)) as answer:
                assert answer.status == 200, path
                assert await answer.read() == b""
        async with browser.http.head(hub.url("/api/v1/login")) as answer:
            assert answer.status == 405


async def test_spaces_are_listed_by_pages_and_found_by_their_words(tmp_path: Path) -> None:
    many = tuple(SpaceConfig(id=f"s{n:02}", name=f"Space {n}") for n in range(7))
    async with a_hub(tmp_path, HubConfig(space=many, web=AT_EASE)) as hub, Browser(hub) as browser:
        ids, cursor = list[str](), ""
        while True:
            page = (await browser.ask("GET", f"/spaces?limit=3{cursor}")).json
            ids += [each["space"]["id"] for each in page["spaces"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert ids == [f"s{n:02}" for n in range(7)]
        found = (await browser.ask("GET", "/spaces?q=6%20SPACE")).json["spaces"]
        assert [each["space"]["id"] for each in found] == ["s06"]
        assert (await browser.ask("GET", "/spaces?state=scheduled")).json["spaces"] == []
        assert (await browser.ask("GET", f"/spaces?q={'x' * 101}")).code == "bad_value"


async def test_a_space_is_made_once_for_each_key(hub: Hub, admin: Browser) -> None:
    key = {"Idempotency-Key": "once"}
    answers = await asyncio.gather(
        *(admin.ask("POST", "/spaces", {"name": "Evening"}, headers=key) for _ in range(5))
    )
    assert {each.status for each in answers} == {201}
    assert {each.text for each in answers} == {answers[0].text}
    assert [space.info.id for space in hub.spaces] == ["main", "talk", "evening"]
    other = await admin.ask("POST", "/spaces", {"name": "Another"}, headers=key)
    assert (other.status, other.code) == (422, "key_reused")
    # A key is its owner's: somebody else's is another one.
    async with Browser(hub) as second:
        await second.name("Bea")
        await second.administer()
        theirs = await second.ask("POST", "/spaces", {"name": "Evening"}, headers=key)
        assert theirs.json["space"]["id"] == "evening-2"
    bad = await admin.ask("POST", "/spaces", {}, headers={"Idempotency-Key": "no key!"})
    assert (bad.code, bad.json["field"]) == ("bad_value", "Idempotency-Key")


async def test_a_key_outlives_the_hub(tmp_path: Path) -> None:
    key = {"Idempotency-Key": "once"}
    async with a_hub(tmp_path) as hub, Browser(hub) as admin:
        await admin.name("Anna")
        await admin.administer()
        cookies = {"Cookie": admin.cookies}
        made = await admin.ask("POST", "/spaces", {"name": "Evening"}, headers=key)
        await until(lambda: hub.spaces.get("evening") is not None)
    async with a_hub(tmp_path) as hub, Browser(hub) as admin:
        again = await admin.ask("POST", "/spaces", {"name": "Evening"}, headers={**key, **cookies})
        assert again.text == made.text


async def test_what_was_refused_may_be_tried_again_under_its_key(hub: Hub) -> None:
    async with Browser(hub) as browser:
        await browser.name("Anna")
        key = {"Idempotency-Key": "once"}
        refused = await browser.ask("POST", "/spaces", {"name": "Evening"}, headers=key)
        assert (refused.status, refused.code) == (403, "host_not_allowed")
        await browser.administer()
        made = await browser.ask("POST", "/spaces", {"name": "Evening"}, headers=key)
        assert made.status == 201


async def test_from_outside_names_are_seen_in_public_spaces_and_of_speakers_alone(
    hub: Hub, admin: Browser
) -> None:
    anna, ear = Guest("Anna Box", number=1), Guest("Ear", number=2, role=Role.SPEAKER)
    async with crew(anna, ear), Browser(hub) as outside:
        await anna.enter(hub, "talk")
        await ear.enter(hub, "talk")
        seen = await outside.ask("GET", "/spaces/talk")
        assert [each["name"] for each in seen.json["members"]] == ["Anna Box"]
        assert seen.json["listeners"] == 1
        assert "Ear" not in seen.text
        whole = (await admin.ask("GET", "/spaces/talk")).json
        assert {each["name"] for each in whole["members"]} == {"Anna Box", "Ear"}
        for edit in ({"speak": "invited"}, {"speak": "everyone", "locked": True}):
            assert (await admin.ask("PATCH", "/spaces/talk", edit)).status == 204
            closed = await outside.ask("GET", "/spaces/talk")
            assert (closed.json["members"], closed.json["listeners"]) == ([], 2)
            assert closed.json["floor"] is None
            listed = await outside.ask("GET", "/spaces")
            assert "Anna Box" not in closed.text + listed.text


async def test_the_life_of_a_space(hub: Hub, admin: Browser) -> None:
    day = utc_now() + timedelta(days=3)
    made = await admin.ask(
        "POST", "/spaces", {"name": "Later", "starts_at": f"{day:%F}T20:00:00+01:00"}
    )
    assert made.headers["Location"] == "/api/v1/spaces/later"
    calendar = await admin.ask("GET", "/spaces/later/calendar.ics")
    assert calendar.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert f"DTSTART:{day:%Y%m%d}T190000Z" in calendar.text
    assert (await admin.ask("DELETE", "/spaces/later")).status == 204
    assert (await admin.ask("POST", "/spaces/later/start")).code == "space_ended"
    assert (await admin.ask("GET", "/spaces/talk/calendar.ics")).code == "not_scheduled"


async def test_ending_asks_first_and_puts_everybody_out(hub: Hub, admin: Browser) -> None:
    box = Guest("Box", number=1)
    await admin.ask("POST", "/spaces", {"name": "Evening", "mode": "walkie"})
    async with crew(box):
        await box.enter(hub, "evening")
        asked = await admin.ask("POST", "/spaces/evening/end", {})
        assert (asked.status, asked.json["members"]) == (202, 1)
        assert hub.spaces.get("evening") is not None
        done = await admin.ask("POST", "/spaces/evening/end", {"token": asked.json["token"]})
        assert done.status == 204
        assert (await box.get(SpaceLeft)).space == "evening"
    for method, path in (("PATCH", ""), ("POST", "/floor/next"), ("POST", "/invites")):
        answer = await admin.ask(method, f"/spaces/evening{path}", {})
        assert (answer.status, answer.code) == (410, "space_ended")
    for _ in range(1_000):
        found = (await admin.ask("GET", "/spaces?state=ended")).json["spaces"]
        if [each["space"]["id"] for each in found] == ["evening"]:
            break
        await asyncio.sleep(0.01)
    assert (await admin.ask("GET", "/spaces/evening")).json["space"]["state"] == "archived"
    stats = (await admin.ask("GET", "/spaces/evening/stats")).json
    assert (stats["peak"], stats["came"]) == (1, 1)
    assert [each["name"] for each in stats["people"]] == ["Box"]
    async with Browser(hub) as outside:
        assert (await outside.ask("GET", "/spaces/evening/stats")).json["people"] is None
        await outside.name("Bea")
        assert (await outside.ask("GET", "/spaces/evening/audit")).status in {403, 410}
    kinds = [
        each["kind"] for each in (await admin.ask("GET", "/spaces/evening/audit")).json["deeds"]
    ]
    assert kinds[0] == "space_ended"
    assert kinds[-1] == "space_started"


async def test_the_archive_is_listed_by_pages_the_latest_first(hub: Hub, admin: Browser) -> None:
    for name in ("one", "two", "three"):
        await admin.ask("POST", "/spaces", {"name": name})
        token = (await admin.ask("POST", f"/spaces/{name}/end", {})).json["token"]
        assert (await admin.ask("POST", f"/spaces/{name}/end", {"token": token})).status == 204
        await until(lambda name=name: hub.spaces.get_ended(name) is not None)
    found, cursor = list[str](), ""
    for _ in range(3):
        page = (await admin.ask("GET", f"/spaces?state=ended&limit=1{cursor}")).json
        found += [each["space"]["id"] for each in page["spaces"]]
        cursor = f"&cursor={page['next']}"
    assert page["next"] is None
    ended = {each.id: each.ended_at for each in hub.spaces.ended()}
    assert sorted(found) == ["one", "three", "two"]
    times = [ended[each] for each in found]
    assert times == sorted(times, reverse=True)
    words = (await admin.ask("GET", "/spaces?state=archived&q=two")).json["spaces"]
    assert [each["space"]["id"] for each in words] == ["two"]
    assert (await admin.ask("GET", "/spaces?state=purged")).json["spaces"] == []


# --- acts -------------------------------------------------------------------------


async def test_a_host_in_a_browser_gives_the_floor_and_a_guest_may_not(hub: Hub) -> None:
    box = Guest("Box", number=1)
    async with Browser(hub) as browser, Browser(hub) as guest, crew(box):
        await browser.name("Host")
        await browser.administer()
        await browser.ask("POST", "/spaces", {"name": "Evening"})
        me = (await browser.ask("GET", "/me")).json
        host = Tab(browser, me)
        visitor = Tab(guest, await guest.name("Guest"))
        async with crew(host, visitor):
            await host.enter(hub, "evening")
            await visitor.enter(hub, "evening")
            # From here on it is the host by its place, not by its login.
            await browser.ask("POST", "/logout", {})
            assert await host.closed() == 1001
            async with crew(back := Tab(browser, me)):
                assert (await back.enter(hub, "evening")).space.host == me["id"]
                await box.enter(hub, "evening")
                await box.send(FloorRequest(req="h", via=Via.HAND))
                await box.get(FloorQueued)
                refused = await guest.ask("POST", "/spaces/evening/floor/next", {})
                assert (refused.status, refused.code) == (403, "not_allowed")
                assert (await browser.ask("POST", "/spaces/evening/floor/next", {})).status == 204
                assert (await box.get(FloorOffered)).req == "h"
                empty = await browser.ask("POST", "/spaces/evening/floor/next", {})
                assert (empty.status, empty.code) == (404, "queue_empty")


async def test_members_are_changed_held_and_put_out(hub: Hub, admin: Browser) -> None:
    box = Guest("Box", number=1)
    path = f"/spaces/talk/members/{box.id}"
    async with crew(box):
        await box.enter(hub, "talk")
        assert (await admin.ask("PATCH", path, {"volume": 150})).status == 204
        assert (await box.get(MemberChanged)).member.volume == 150
        assert (await admin.ask("PATCH", path, {"held": True})).status == 204
        assert (await box.get(MemberChanged)).member.held
        assert (await admin.ask("PATCH", path, {"place": "listener"})).status == 204
        assert (await box.get(MemberChanged)).member.place is Place.LISTENER
        assert (await admin.ask("DELETE", f"{path}?block=true")).status == 204
        await box.get(SpaceLeft)
        blocked = (await admin.ask("GET", "/spaces/talk/blocked")).json["members"]
        assert blocked == [{"id": box.id, "name": "Box"}]
        assert (await admin.ask("DELETE", f"/spaces/talk/blocked/{box.id}")).status == 204
        assert (await admin.ask("GET", "/spaces/talk/blocked")).json["members"] == []
        await box.send(Join(req="again", space="talk"))
        await box.get(Snapshot)


async def test_pins_are_put_up_and_taken_down(hub: Hub, admin: Browser) -> None:
    pin = {"text": "Read this", "url": "https://example.org/"}
    key = {"Idempotency-Key": "pin"}
    for _ in range(2):
        assert (await admin.ask("POST", "/spaces/talk/pins", pin, headers=key)).status == 204
    space = hub.spaces.get("talk")
    assert space is not None
    assert [each.text for each in space.snapshot("", None).pins] == ["Read this"]
    assert (await admin.ask("DELETE", "/spaces/talk/pins/1")).status == 204
    assert (await admin.ask("DELETE", "/spaces/talk/pins/1")).code == "no_such_pin"
    for bad in ({"text": "x" * 281}, {"text": "x", "url": "javascript:alert(1)"}, {"text": ""}):
        assert (await admin.ask("POST", "/spaces/talk/pins", bad)).code == "bad_value"


# --- invitations ------------------------------------------------------------------


async def test_an_invitation_is_a_link_a_code_and_a_picture(hub: Hub, admin: Browser) -> None:
    answer = await admin.ask("POST", "/spaces/talk/invites", {"place": "speaker"})
    assert answer.status == 201
    made = answer.json
    assert made["link"].endswith(f"/#/join/{made['token']}")
    # Whoever makes it at the hub itself gets a link that others can open.
    assert not re.search(r"//(localhost|127\.|\[)", made["link"])
    where = {"space": "talk", "name": "Talk show", "place": "speaker", "token": made["token"]}
    async with Browser(hub) as outside:
        assert (await outside.ask("GET", f"/invites/{made['token']}")).json == where
        assert (await outside.ask("POST", "/codes", {"code": made["code"]})).json == where
        picture = await outside.ask("GET", made["qr"])
        assert picture.headers["Content-Type"] == "image/svg+xml"
        assert picture.text.startswith("<svg")
        tab = Tab(outside, await outside.name("Bea"))
        async with crew(tab):
            await tab.open(hub)
            await tab.send(Join(req="j", space="talk", invite=made["token"]))
            seen = await tab.get(Snapshot)
        assert [each.place for each in seen.members if each.id == tab.id] == [Place.SPEAKER]


async def test_an_invitation_that_is_used_up_is_none(hub: Hub, admin: Browser) -> None:
    made = (await admin.ask("POST", "/spaces/talk/invites", {"place": "speaker", "uses": 1})).json
    async with Browser(hub) as first, Browser(hub) as second:
        tab = Tab(first, await first.name("Bea"))
        async with crew(tab):
            await tab.open(hub)
            await tab.send(Join(req="j", space="talk", invite=made["token"]))
            await tab.get(Snapshot)
        assert (await second.ask("GET", f"/invites/{made['token']}")).code == "bad_invite"
        assert (await second.ask("POST", "/codes", {"code": made["code"]})).code == "bad_invite"
        assert (await second.ask("GET", made["qr"])).code == "bad_invite"


async def test_an_invitation_is_seen_by_chairs_and_taken_back_at_once(
    hub: Hub, admin: Browser
) -> None:
    path = "/spaces/talk/invites"
    assert (await admin.ask("GET", path)).json == {"invites": []}
    old = (await admin.ask("POST", path, {"place": "speaker", "ttl_s": 1_209_600})).json
    assert old["expires_in_s"] == 1_209_600
    new = (await admin.ask("POST", path, {"uses": 3})).json
    seen = (await admin.ask("GET", path)).json["invites"]
    assert [each["token"] for each in seen] == [new["token"], old["token"]]
    assert [(each["place"], each["uses"], each["by"]) for each in seen] == [
        ("listener", 3, "Anna"),
        ("speaker", 100, "Anna"),
    ]
    for each, made in zip(seen, (new, old), strict=True):
        assert 0 < each["expires_in_s"] <= made["expires_in_s"]
        assert {name: each[name] for name in ("code", "link", "qr")} == {
            name: made[name] for name in ("code", "link", "qr")
        }
    async with Browser(hub) as inside, Browser(hub) as outside:
        tab = Tab(inside, await inside.name("Bea"))
        late = Tab(outside, await outside.name("Carl"))
        async with crew(tab, late):
            await tab.open(hub)
            await tab.send(Join(req="j", space="talk", invite=old["token"]))
            await tab.get(Snapshot)
            assert (await inside.ask("GET", path)).code == "not_allowed"
            refused = await inside.ask("DELETE", f"{path}/{old['token']}")
            assert (refused.status, refused.code) == (403, "not_allowed")
            assert (await admin.ask("DELETE", f"{path}/{old['token']}")).status == 204
            # The link, the code, the picture and the door: all at once.
            assert (await outside.ask("GET", f"/invites/{old['token']}")).code == "bad_invite"
            assert (await outside.ask("POST", "/codes", {"code": old["code"]})).code == "bad_invite"
            assert (await outside.ask("GET", old["qr"])).code == "bad_invite"
            await late.open(hub)
            await late.send(Join(req="j", space="talk", invite=old["token"]))
            assert (await late.get(Error)).code == "bad_invite"
            # Who came by it stays, with the place that it gave.
            space = hub.spaces.find("talk")
            assert space.place_of(tab.id) is Place.SPEAKER
            assert space.has(tab.id)
    again = await admin.ask("DELETE", f"{path}/{old['token']}")
    assert (again.status, again.code) == (404, "bad_invite")
    assert [each["token"] for each in (await admin.ask("GET", path)).json["invites"]] == [
        new["token"]
    ]
    revoked: list[tuple[str, str]] = []
    async with asyncio.timeout(30):  # it is written down behind the answer
        while not revoked:
            deeds = (await admin.ask("GET", "/spaces/talk/audit")).json["deeds"]
            revoked = [(d["by"], d["detail"]) for d in deeds if d["kind"] == "invite_revoked"]
            await asyncio.sleep(0.02)
    assert revoked == [("Anna", "speaker")]


# --- boxes ------------------------------------------------------------------------


async def test_an_administrator_sees_how_each_box_is_doing(hub: Hub, admin: Browser) -> None:
    box, gone = Guest("Kitchen", number=1), Guest("Attic", number=2)
    async with crew(box):
        async with crew(gone):
            await gone.enter(hub)
        await box.enter(hub, "talk")
        await box.send(Health(loss=0.01, mic_dbfs=-30.0, battery=0.5))
        await box.send(FloorRequest(req="x"))
        await box.get(FloorQueued)
        await until(lambda: hub.value("stagebox_sessions") == 1)
        boxes = (await admin.ask("GET", "/boxes?kind=box")).json["boxes"]
        assert [each["name"] for each in boxes] == ["Kitchen", "Attic"]
        here, away = boxes
        assert (here["connected"], here["space"], here["software"]) == (True, "talk", "test")
        assert here["health"]["battery"] == 0.5
        assert here["told_s"] >= 0
        assert (away["connected"], away["health"]) == (False, None)
        only = (await admin.ask("GET", "/boxes?connected=true")).json["boxes"]
        assert [each["name"] for each in only] == ["Kitchen"]


async def test_a_box_is_named_at_the_hub(hub: Hub, admin: Browser) -> None:
    box, again = Guest("box-4711", number=1), Guest("box-4711", number=1)
    path = f"/boxes/{box.id}"
    async with crew(box, again):
        await box.enter(hub, "talk")
        named = (await admin.ask("PATCH", path, {"name": "Kitchen", "known": False})).json
        assert (named["name"], named["own_name"], named["known"]) == ("Kitchen", "box-4711", False)
        assert (await box.get(MemberChanged)).member.name == "Kitchen"
        back = await again.enter(hub, "talk")
        assert [each.name for each in back.members] == ["Kitchen"]
        plain = (await admin.ask("PATCH", path, {"name": None, "known": None})).json
        assert (plain["name"], plain["known"]) == ("box-4711", True)
    for bad in ({"name": ""}, {"name": "x" * 41}, {"known": "yes"}, {"role": "studio"}):
        assert (await admin.ask("PATCH", path, bad)).code == "bad_value"


async def test_a_visitor_whom_the_administrator_knows_is_known(hub: Hub, admin: Browser) -> None:
    async with Browser(hub) as browser:
        me = await browser.name("Bea")
        tab = Tab(browser, me)
        async with crew(tab):
            await tab.enter(hub)
        assert (await browser.ask("GET", "/me")).json["known"] is False
        assert (await admin.ask("PATCH", f"/boxes/{me['id']}", {"known": True})).status == 200
        assert (await browser.ask("GET", "/me")).json["known"] is True


async def test_talkers_are_counted_in_the_list(hub: Hub) -> None:
    box = Guest("Box", number=1)
    async with crew(box), Browser(hub) as outside:
        await box.enter(hub, "main")
        await box.send(FloorRequest(req="a"))
        await box.get(FloorGranted)
        listed = (await outside.ask("GET", "/spaces")).json["spaces"]
        assert [(each["mode"], each["members"], each["talkers"]) for each in listed] == [
            (Mode.WALKIE, 1, 1),
            (Mode.MODERATED, 0, 0),
        ]
