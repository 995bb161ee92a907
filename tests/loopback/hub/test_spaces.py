"""Spaces with a life of their own, over real sockets: acts, ends, archive, visitors, health."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.config import HubConfig, SpaceConfig
from hub.control.health import Facts
from hub.control.session import Session
from hub.control.visitor import Visitor
from hub.spaces.rights import Actor
from hub.store.database import StoredMember
from hub.store.shelf import EndedSpace, Shelf
from stagebox.calendar import utc_now
from stagebox.wire.acts import (
    Invite,
    InviteNew,
    MemberRemove,
    PinAdd,
    React,
    SpaceCancel,
    SpaceConfirm,
    SpaceEdit,
    SpaceEnd,
    SpaceMade,
    SpaceNew,
    SpaceStart,
)
from stagebox.wire.causes import CloseCode, ErrorCode
from stagebox.wire.messages import (
    Challenge,
    Done,
    Error,
    FloorGranted,
    FloorRequest,
    Health,
    Join,
    Leave,
    MediaAnswer,
    MediaLost,
    MediaOffer,
    Notice,
    Pong,
    Reaction,
    Snapshot,
    SpaceLeft,
)
from stagebox.wire.terms import Gone, Kind, Mark, Mode, News, Place, Role, SpaceState
from tests.loopback.hub.crew import Guest, Hub, crew, running_hub, until

ADMIN = Actor(None, "Admin", admin=True)
STUDIO = Role.STUDIO


TALK = SpaceNew(req="new", name="Talk", mode=Mode.OPEN)


async def make(host: Guest, new: SpaceNew = TALK) -> str:
    """Make a space and join it; return its id."""
    await host.send(new)
    space = (await host.get(SpaceMade)).space
    await host.join(space)
    return space


async def end(host: Guest) -> None:
    """End the space that the host is in."""
    await host.send(SpaceEnd(req="end1"))
    confirm = await host.get(SpaceConfirm)
    await host.send(SpaceEnd(req="end2", token=confirm.token))
    assert (await host.get(Done)).req == "end2"


async def test_a_space_from_its_making_to_the_archive(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        host, anna = Guest("Host", number=1, role=STUDIO), Guest("Anna", number=2)
        async with crew(host, anna):
            await host.open(hub)
            space = await make(host)
            await anna.enter(hub, space)
            await anna.send(FloorRequest(req="a1"))
            await anna.get(FloorGranted)
            assert hub.value("stagebox_spaces", state="live") == 2
            assert hub.value("stagebox_happenings_total", kind="burst_began") == 1
            await host.send(PinAdd(req="p", text="Bring a cup"))
            await host.get(Done)
            await host.send(React(req="r", mark=Mark.CLAP))
            assert (await anna.get(Reaction)).member == host.id
            await end(host)
            left = await anna.get(SpaceLeft)
            assert left == SpaceLeft(space=space, cause=Gone.ENDED)
            assert ("close", space, anna.id) in hub.media.calls
            await until(lambda: ("disconnect", anna.id) in hub.media.calls)
            await until(lambda: len(hub.spaces) == 1)
            await anna.send(React(req="r2", mark=Mark.CLAP))
            assert (await anna.get(Error)).code is ErrorCode.NOT_IN_SPACE
            await anna.send(Join(req="j2", space=space))
            assert (await anna.get(Error)).code is ErrorCode.SPACE_ENDED
            late = hub.spaces.act(space, ADMIN, PinAdd(req="late", text="x"))
            assert isinstance(late, Error)
            assert late.code is ErrorCode.SPACE_ENDED
            assert (await anna.join()).space.id == "main"
    async with running_hub(tmp_path) as hub:
        (ended,) = hub.spaces.ended()
        assert (ended.id, ended.state, ended.keep_days) == (space, SpaceState.ARCHIVED, 30)
        assert ended.info is not None
        assert ended.info.name == "Talk"
        book = await hub.spaces.attendance(space)
        assert book is not None
        assert (book.peak, [(a.name, a.turns) for a in book.attendees]) == (
            2,
            [("Host", 0), ("Anna", 1)],
        )
        assert all(each.left_at and each.present_s > 0 for each in book.attendees)
        kinds = [row.kind for row in await hub.spaces.audit(space)]
        assert kinds[0] == "space_ended"
        assert {"space_started", "pinned", "host_changed"} <= set(kinds)
        latest = await hub.spaces.audit(space, limit=1)
        older = await hub.spaces.audit(space, before=latest[0].n)
        assert [row.kind for row in (*latest, *older)] == kinds
        with pytest.raises(Exception, match="over"):
            hub.spaces.find(space)
        made = hub.spaces.create(ADMIN, SpaceNew(req="again", name="Talk"))
        assert made == SpaceMade(req="again", space="talk-2")


async def test_who_was_there_is_known_while_it_is_still_being_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, save = asyncio.Event(), Shelf.save_attendance

    async def slow(shelf: Shelf, space_id: str, book: str) -> None:
        await disk.wait()
        await save(shelf, space_id, book)

    monkeypatch.setattr(Shelf, "save_attendance", slow)
    async with running_hub(tmp_path) as hub:
        host = Guest("Host", number=1, role=STUDIO)
        async with crew(host):
            await host.open(hub)
            space = await make(host)
            await end(host)
            await until(lambda: hub.spaces.get_ended(space) is not None)
            for _ in range(10):
                book = await hub.spaces.attendance(space)
                assert book is not None
                assert [each.name for each in book.attendees] == ["Host"]
                await asyncio.sleep(0.01)
        disk.set()


async def test_a_purge_leaves_an_id_and_a_time_and_nothing_else(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        host, anna = Guest("Hostperson", number=1, role=STUDIO), Guest("Annabella", number=2)
        async with crew(host, anna):
            await host.open(hub)
            space = await make(host, replace(TALK, topic="Secretsoup"))
            await anna.enter(hub, space)
            await host.send(PinAdd(req="p", text="Confidential"))
            await host.get(Done)
            await host.send(SpaceEdit(req="k", keep_days=0))
            await host.get(Done)
            await until(lambda: b"Secretsoup" in content(tmp_path))
            await end(host)
            await until(lambda: [e.state for e in hub.spaces.ended()] == [SpaceState.PURGED])
    async with running_hub(tmp_path) as hub:
        (ended,) = hub.spaces.ended()
        assert (ended.id, ended.state, ended.info) == (space, SpaceState.PURGED, None)
        assert ended.ended_at
        assert await hub.spaces.attendance(space) is None
        assert await hub.spaces.audit(space) == []
        # Who the hub has met at all is kept with the members, not with the space.
        await hub.store.execute("DELETE FROM members")
        await hub.store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for word in (b"Secretsoup", b"Confidential", b"Annabella", b"Hostperson"):
            assert word not in content(tmp_path)


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("hub.sqlite3*"))


async def test_only_what_was_kept_for_its_days_is_purged(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        shelf = Shelf(hub.store)
        for space, day in (("old", "2026-01-01"), ("new", "2026-01-02")):
            row = EndedSpace(space, SpaceState.ARCHIVED, "{}", f"{day}T12:00:00Z", 30)
            await shelf.end(row)
            await shelf.save_attendance(space, "{}")
        assert await shelf.purge("2026-01-31T11:59:59Z") == []
        assert await shelf.purge("2026-01-31T12:00:00Z") == ["old"]
        assert await shelf.purge("2026-01-31T12:00:00Z") == []
        states = {each.id: each.state for each in await shelf.ended()}
        assert states == {"old": SpaceState.PURGED, "new": SpaceState.ARCHIVED}
        assert (await shelf.attendance("old"), await shelf.attendance("new")) == (None, "{}")


async def test_a_guest_makes_no_space_and_learns_who_does(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.open(hub)
            await anna.send(SpaceNew(req="n", name="Mine"))
            error = await anna.get(Error)
            assert (error.code, error.req) == (ErrorCode.HOST_NOT_ALLOWED, "n")
            assert len(hub.spaces) == 1


async def test_a_day_that_is_past_makes_no_space(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        host = Guest("Host", number=1, role=STUDIO)
        async with crew(host):
            await host.open(hub)
            await host.send(SpaceNew(req="n", starts_at="2020-02-02T20:00:00Z"))
            assert (await host.get(Error)).code is ErrorCode.BAD_VALUE
            assert len(hub.spaces) == 1


async def test_backstage_is_heard_by_those_who_prepare_and_by_all_from_the_start(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path) as hub:
        host = Guest("Host", number=1, role=STUDIO)
        radio = Guest("Radio", number=2, role=Role.SPEAKER)
        async with crew(host, radio):
            await host.open(hub)
            space = await make(host, replace(TALK, backstage=True))
            await host.send(MediaOffer(req="m", sdp="v=0"))
            await host.get(MediaAnswer)
            await radio.enter(hub, space)
            await radio.send(MediaOffer(req="m", sdp="v=0"))
            error = await radio.get(Error)
            assert (error.code, error.req) == (ErrorCode.NOT_LIVE, "m")
            await host.send(SpaceStart(req="s"))
            await host.get(Done)
            await radio.get(MediaLost)
            await radio.send(MediaOffer(req="m2", sdp="v=0"))
            await radio.get(MediaAnswer)


async def test_one_put_out_is_told_loses_its_sound_and_comes_again_unless_blocked(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path) as hub:
        host, anna = Guest("Host", number=1, role=STUDIO), Guest("Anna", number=2)
        async with crew(host, anna):
            await host.enter(hub)
            await anna.enter(hub)
            await host.send(MemberRemove(req="x1", member=anna.id))
            assert (await anna.get(SpaceLeft)).cause is Gone.REMOVED
            await until(lambda: ("disconnect", anna.id) in hub.media.calls)
            await anna.join()
            await host.send(MemberRemove(req="x2", member=anna.id, block=True))
            assert (await anna.get(SpaceLeft)).cause is Gone.BLOCKED
            await anna.send(Join(req="j"))
            error = await anna.get(Error)
            assert (error.code, error.req) == (ErrorCode.BLOCKED, "j")


async def test_an_invitation_is_found_by_link_and_by_code_and_gives_its_place(
    tmp_path: Path,
) -> None:
    config = HubConfig(space=(SpaceConfig(id="main", name="Main", mode=Mode.STAGE),))
    async with running_hub(tmp_path, config) as hub:
        host, anna, berta = (
            Guest("Host", number=1, role=STUDIO),
            Guest("A", number=2),
            Guest("B", number=3),
        )
        async with crew(host, anna, berta):
            await host.enter(hub)
            await host.send(InviteNew(req="i", place=Place.SPEAKER, uses=1))
            invite = await host.get(Invite)
            by_code, by_token = (
                hub.spaces.find_code(invite.code),
                hub.spaces.find_token(invite.token),
            )
            assert by_code is not None
            assert by_token is not None
            assert by_code[1] == by_token[1]
            assert by_code[0].info.id == "main"
            await anna.open(hub)
            await anna.send(Join(req="j", invite=invite.token))
            snapshot = await anna.get(Snapshot)
            assert {m.name: m.place for m in snapshot.members}["A"] is Place.SPEAKER
            assert hub.spaces.find_code(invite.code) is None
            await berta.open(hub)
            await berta.send(Join(req="j", invite=invite.token))
            assert (await berta.get(Error)).code is ErrorCode.BAD_INVITE


async def test_a_hidden_listener_is_counted_and_not_named(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna, shy = Guest("Anna", number=1), Guest("Shy", number=2)
        async with crew(anna, shy):
            await shy.open(hub)
            await shy.send(Join(req="j", hidden=True))
            await shy.get(Snapshot)
            snapshot = await anna.enter(hub)
            assert snapshot.space.hidden == 1
            assert [member.name for member in snapshot.members] == ["Anna"]
            book = await hub.spaces.attendance("main")
            assert book is not None
            assert (book.peak, [each.name for each in book.attendees]) == (2, ["Anna"])
            await shy.send(Join(req="j2"))
            assert {m.name for m in (await shy.get(Snapshot)).members} == {"Anna", "Shy"}
            await shy.send(FloorRequest(req="s1"))
            await shy.get(FloorGranted)
            await shy.join()
            await shy.ping()
            assert (await shy.get(Pong)).grant == "s1", "a join that asks for nothing new"
            assert ("disconnect", shy.id) not in hub.media.calls


async def test_what_a_member_tells_of_its_health_is_there_to_be_read(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.enter(hub)
            health = Health(loss=0.5, mic_dbfs=-20)
            await anna.send(health)
            await anna.ping()
            await anna.get(Pong)
            facts = facts_of(hub, anna)
            assert (facts.name, facts.space, facts.health) == ("Anna", "main", health)
            assert (facts.address, facts.software) == ("127.0.0.1", "test")
        await until(lambda: not facts_of(hub, anna).connected)
        assert facts_of(hub, anna).space is None


def facts_of(hub: Hub, guest: Guest) -> Facts:
    facts = hub.server._house.health.get(guest.id)
    assert facts is not None
    return facts


async def test_a_name_that_an_admin_gave_is_the_one_that_is_shown(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.enter(hub)
            await until_known(hub, anna)
            assert await hub.store.describe(anna.id, given="Kitchen", known=True)
            hub.spaces.rename(anna.id, "Kitchen")
            assert [m.name for m in (await anna.join()).members] == ["Kitchen"]
    async with running_hub(tmp_path) as hub:
        anna = anna.again()
        async with crew(anna):
            assert [m.name for m in (await anna.enter(hub)).members] == ["Kitchen"]


async def until_known(hub: Hub, guest: Guest) -> None:
    while await hub.store.member(guest.id) is None:  # noqa: ASYNC110 - has no event
        await asyncio.sleep(0.01)


async def test_news_of_a_space_with_a_day_go_to_its_people_and_to_studio_boxes(
    tmp_path: Path,
) -> None:
    soon = utc_now() + timedelta(seconds=200)
    new = replace(TALK, starts_at=soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
    async with running_hub(tmp_path) as hub:
        studio, anna, berta = (
            Guest("Studio", number=1, role=STUDIO),
            Guest("Anna", number=2),
            Guest("Berta", number=3),
        )
        async with crew(studio, anna, berta):
            for guest in (studio, anna, berta):
                await guest.open(hub)
            await studio.send(new)
            space = (await studio.get(SpaceMade)).space
            await anna.join(space)
            hub.spaces._reminders.look()
            for guest in (studio, anna):
                notice = await guest.get(Notice)
                assert (notice.news, notice.space, notice.name) == (News.SOON, space, "Talk")
            cancelled = hub.spaces.act(space, ADMIN, SpaceCancel(req="c"))
            assert isinstance(cancelled, Done)
            await until(lambda: len(hub.spaces) == 1)
            hub.spaces._reminders.look()
            assert (await anna.get(SpaceLeft)).space == space
            for guest in (studio, anna):
                assert (await guest.get(Notice)).news is News.CANCELLED
            await berta.ping()
            await berta.get(Pong)
            assert not any(isinstance(message, Notice) for message in berta.seen)
            assert [each.state for each in hub.spaces.ended()] == [SpaceState.CANCELLED]


async def test_a_browser_comes_as_the_visitor_of_its_cookie_and_not_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_hub(tmp_path) as hub:
        anna, host = Guest("Anna", number=1), Guest("Host", number=2, role=STUDIO)
        visitor = Visitor(anna.id, anna.handshake._hello.key, "Anna", admin=True)
        given: list[Visitor | None] = [None]
        monkeypatch.setattr(
            "hub.control.web.Session",
            lambda house, link, on_open, _visitor, _seen: Session(house, link, on_open, given[0]),
        )
        for each, welcome in ((None, False), (replace_id(visitor), False), (visitor, True)):
            given[0] = each
            anna = anna.again()
            hello = replace(anna.handshake._hello, kind=Kind.BROWSER, role=STUDIO)
            anna.handshake._hello = hello
            async with crew(anna, host):
                if welcome:
                    snapshot = await anna.enter(hub)
                    assert snapshot.admin
                    assert [each.role for each in snapshot.members] == [Role.GUEST]
                    await anna.send(SpaceEdit(req="e", topic="As an admin may"))
                    assert (await anna.get(Done)).req == "e"
                    continue
                await anna.connect(hub)
                await anna.get(Challenge)
                await anna.send(anna.handshake._hello)
                assert (await anna.get(Error)).code is ErrorCode.IDENTITY
                assert await anna.closed() == CloseCode.REFUSED
        assert hub.value("stagebox_refused_connections_total", reason="visitor") == 2


def replace_id(visitor: Visitor) -> Visitor:
    return Visitor("f" * 32, visitor.key, visitor.name, admin=True)


async def test_names_in_a_space_that_never_ends_are_forgotten_after_its_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_hub(tmp_path) as hub:
        anna, berta = Guest("Anna", number=1), Guest("Berta", number=2, role=STUDIO)
        async with crew(anna, berta):
            await anna.enter(hub)
            await berta.enter(hub)
            await berta.send(PinAdd(req="p", text="Old news"))
            await berta.get(Done)
            await anna.send(Leave(req="l"))
            await anna.get(Done)
            roster = hub.spaces._roster
            await roster.keep_house()
            assert await names(hub) == ["Anna", "Berta"]
            later = utc_now() + timedelta(days=31)
            monkeypatch.setattr("hub.spaces.roster.utc_now", lambda: later)
            while not await hub.spaces.audit("main"):  # noqa: ASYNC110 - has no event
                await asyncio.sleep(0.01)
            await roster.keep_house()
            assert await names(hub) == ["Berta"], "she is still there"
            assert await hub.spaces.audit("main") == []


async def names(hub: Hub) -> list[str]:
    book = await hub.spaces.attendance("main")
    assert book is not None
    return [each.name for each in book.attendees]


async def test_visitors_who_come_no_more_are_forgotten_and_boxes_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_hub(tmp_path) as hub:
        kinds = {"1" * 32: Kind.BROWSER, "2" * 32: Kind.BROWSER, "3" * 32: Kind.BOX}
        for member_id, kind in kinds.items():
            await hub.store.saw(StoredMember(member_id, "key", "Anna", kind, Role.GUEST))
        await hub.store.describe("2" * 32, given=None, known=True)
        await hub.spaces._roster.keep_house()
        assert all([await hub.store.member(each) for each in kinds])
        later = utc_now() + timedelta(days=31)
        monkeypatch.setattr("hub.spaces.roster.utc_now", lambda: later)
        await hub.spaces._roster.keep_house()
        assert [each for each in kinds if await hub.store.member(each)] == ["2" * 32, "3" * 32]
