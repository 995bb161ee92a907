"""Who comes in, and as what."""

import pytest

from hub.floor.events import Enter
from hub.spaces.effects import Happened, Happening
from hub.spaces.kept import Kept
from hub.spaces.rights import Actor
from stagebox.wire.acts import (
    Agree,
    FloorHold,
    Invite,
    InviteNew,
    InviteRevoke,
    MemberPlace,
    MemberRemove,
    MemberUnblock,
    RecordSet,
    SpaceEdit,
)
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.terms import Kind, Mode, Place, Role, SpaceState, Speak
from tests.unit.hub.floor_kit import name_of
from tests.unit.hub.spaces_kit import ADMIN, HOST, A, B, C, D, Hall, fresh, mid

BOX, BROWSER, BRIDGE = Kind.BOX, Kind.BROWSER, Kind.BRIDGE
GUEST, SMART = Role.GUEST, Role.SPEAKER
L, S = Place.LISTENER, Place.SPEAKER
EVERYONE, KNOWN, INVITED = Speak.EVERYONE, Speak.KNOWN, Speak.INVITED


def refused(answer: Enter | Error) -> ErrorCode:
    assert isinstance(answer, Error)
    return answer.code


def invite(hall: Hall, place: Place = S, **fields: object) -> str:
    answer = hall.act(HOST, InviteNew, place=place, **fields)
    assert isinstance(answer, Invite)
    return answer.token


@pytest.mark.parametrize(
    ("mode", "speak", "kind", "role", "known", "place"),
    [
        (Mode.WALKIE, EVERYONE, BOX, GUEST, False, S),
        (Mode.MODERATED, KNOWN, BOX, GUEST, False, S),
        (Mode.MODERATED, INVITED, BOX, GUEST, True, L),
        (Mode.WALKIE, EVERYONE, BOX, SMART, True, L),
        (Mode.WALKIE, EVERYONE, BROWSER, GUEST, False, S),
        (Mode.OPEN, EVERYONE, BROWSER, GUEST, False, S),
        (Mode.OPEN, KNOWN, BROWSER, GUEST, False, L),
        (Mode.OPEN, KNOWN, BROWSER, GUEST, True, S),
        (Mode.FIFO, EVERYONE, BROWSER, GUEST, False, L),
        (Mode.FIFO, EVERYONE, BROWSER, GUEST, True, S),
        (Mode.FIFO, EVERYONE, BRIDGE, GUEST, False, S),
        (Mode.STAGE, EVERYONE, BOX, GUEST, True, L),
        (Mode.OPEN, INVITED, BROWSER, GUEST, True, L),
    ],
)
def test_a_place_by_what_a_member_is(
    mode: Mode, speak: Speak, kind: Kind, role: Role, known: bool, place: Place
) -> None:
    hall = Hall(fresh(mode, speak=speak))
    hall.arrive(A, kind, role, known=known)
    assert hall.place(A) is place


def test_the_first_studio_box_is_host_and_the_next_two_are_co_hosts() -> None:
    hall = Hall()
    for member in (A, B, C, D):
        hall.arrive(member, role=Role.STUDIO)
    places = [hall.place(each) for each in (A, B, C, D)]
    assert places == [Place.HOST, Place.COHOST, Place.COHOST, S]
    assert hall.info.host == A


def test_an_admin_who_comes_to_a_space_without_a_host_is_it() -> None:
    hall = Hall()
    hall.arrive(A, BROWSER, admin=True)
    hall.arrive(B, BROWSER, admin=True)
    assert [hall.place(A), hall.place(B)] == [Place.HOST, L]
    kept = fresh(Mode.WALKIE)
    standing = Hall(Kept.standing_space(kept.info, kept.rules))
    standing.arrive(A, BROWSER, admin=True)
    assert standing.place(A) is S


def test_who_made_a_space_is_awaited_as_its_host() -> None:
    hall = Hall(fresh(host=A))
    hall.arrive(B, role=Role.STUDIO)
    hall.come(A)
    assert [hall.place(A), hall.place(B)] == [Place.HOST, Place.COHOST]


def test_an_invitation_brings_its_place_once_a_use() -> None:
    hall = Hall(Mode.STAGE)
    hall.host()
    token = invite(hall, uses=2)
    assert hall.space.invitation(hall.utc, token=token) is not None
    hall.arrive(A, BROWSER, invite=token)
    hall.arrive(B, BROWSER, invite=token)
    assert [hall.place(A), hall.place(B)] == [S, S]
    assert refused(hall.arrive(C, BROWSER, invite=token)) is ErrorCode.BAD_INVITE
    assert hall.space.invitation(hall.utc, token=token) is None
    hall.leave(A)
    hall.arrive(A, BROWSER)
    assert hall.place(A) is S


def test_an_invitation_is_not_used_up_by_who_has_as_good_a_place() -> None:
    hall = Hall(Mode.OPEN)
    hall.host()
    token = invite(hall, uses=1)
    hall.arrive(A, invite=token)
    hall.arrive(HOST, role=Role.STUDIO, invite=token)
    assert hall.place(HOST) is Place.HOST
    hall.arrive(B, BROWSER, invite=token)
    assert hall.space.invitation(hall.utc, token=token) is not None


def test_an_invitation_is_for_a_while_by_the_calendar() -> None:
    hall = Hall(Mode.STAGE)
    hall.host()
    answer = hall.act(HOST, InviteNew, place=S, ttl_s=60)
    assert isinstance(answer, Invite)
    assert hall.space.invitation(hall.utc, code=answer.code) is not None
    assert hall.space.invitation(hall.utc, code="999999") is None
    hall.jump(60)
    assert hall.space.invitation(hall.utc, code=answer.code) is None
    assert refused(hall.arrive(A, invite=answer.token)) is ErrorCode.BAD_INVITE


def test_an_invitation_that_is_taken_back_lets_nobody_in_and_puts_nobody_out() -> None:
    hall = Hall(Mode.STAGE)
    hall.host()
    answer = hall.act(HOST, InviteNew, place=S)
    assert isinstance(answer, Invite)
    other = invite(hall)
    hall.arrive(A, BROWSER, invite=answer.token)
    hall.forget()
    hall.done(HOST, InviteRevoke, token=answer.token)
    (happened,) = hall.all_of(Happened)
    assert happened == Happened(Happening.INVITE_REVOKED, detail=S, by=name_of(HOST))
    assert hall.space.invitation(hall.utc, token=answer.token) is None
    assert hall.space.invitation(hall.utc, code=answer.code) is None
    assert refused(hall.arrive(B, BROWSER, invite=answer.token)) is ErrorCode.BAD_INVITE
    assert hall.place(A) is S
    hall.leave(A)
    hall.arrive(A, BROWSER)
    assert hall.place(A) is S
    assert hall.refused(HOST, InviteRevoke, token=answer.token) is ErrorCode.BAD_INVITE
    hall.arrive(B, BROWSER, invite=other)
    assert hall.place(B) is S


def test_what_is_taken_back_makes_room_and_stays_so_after_a_restart() -> None:
    hall = Hall(fresh(Mode.STAGE), invite_limit=1)
    hall.host()
    token = invite(hall)
    assert hall.refused(HOST, InviteNew) is ErrorCode.TOO_MANY
    hall.done(HOST, InviteRevoke, token=token)
    kept = invite(hall)
    again = hall.restart()
    assert again.space.invitation(hall.utc, token=token) is None
    assert again.space.invitation(hall.utc, token=kept) is not None


def test_invitations_to_co_hosts_are_the_hosts_to_see_and_to_take_back() -> None:
    hall = Hall(Mode.STAGE)
    hall.host()
    hall.come(A)
    hall.done(HOST, MemberPlace, member=A, place=Place.COHOST)
    cohost, speaker = invite(hall, Place.COHOST), invite(hall)

    def seen(actor: Actor) -> list[tuple[str, str]]:
        return [(each.token, each.by) for each in hall.space.invitations(actor, hall.utc)]

    name = name_of(HOST)
    assert seen(Actor(HOST, name)) == seen(ADMIN) == [(cohost, name), (speaker, name)]
    assert seen(Actor(A, "A")) == [(speaker, name)]
    assert hall.refused(A, InviteRevoke, token=cohost) is ErrorCode.ONLY_HOST
    hall.done(A, InviteRevoke, token=speaker)
    hall.done(ADMIN, InviteRevoke, token=cohost)
    assert seen(ADMIN) == []


def test_an_invitation_finds_the_stage_full_and_the_co_hosts_complete() -> None:
    hall = Hall(fresh(Mode.STAGE, stage_limit=2))
    hall.host()
    speaker, cohost = invite(hall, uses=5), invite(hall, Place.COHOST, uses=5)
    hall.arrive(A, BROWSER, invite=cohost)
    hall.arrive(B, BROWSER, invite=speaker)
    assert [hall.place(A), hall.place(B)] == [Place.COHOST, L]
    hall.done(HOST, SpaceEdit, stage_limit=9)
    for member in (C, D):
        hall.arrive(member, BROWSER, invite=cohost)
    assert [hall.place(C), hall.place(D)] == [Place.COHOST, S]
    hall.arrive(B, BROWSER, SMART, invite=speaker)
    assert hall.place(B) is L


def test_who_is_blocked_stays_out_under_any_name_until_unblocked() -> None:
    hall = Hall()
    hall.host()
    hall.come(A)
    hall.done(HOST, MemberRemove, member=A, block=True)
    blocked, bad = hall.arrive(A), hall.arrive(B, invite="token-of-nobody-")
    assert refused(blocked) is ErrorCode.BLOCKED
    assert refused(bad) is ErrorCode.BAD_INVITE
    assert isinstance(blocked, Error)
    assert isinstance(bad, Error)
    assert blocked.detail == bad.detail  # nobody learns why
    assert refused(hall.arrive(A, invite=invite(hall))) is ErrorCode.BLOCKED
    assert refused(hall.arrive(A, hidden=True)) is ErrorCode.BLOCKED
    hall.done(HOST, MemberUnblock, member=A)
    hall.come(A)


def test_a_locked_space_lets_in_who_is_in_its_chairs_and_admins() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B)
    hall.done(HOST, MemberPlace, member=B, place=Place.COHOST)
    hall.done(HOST, SpaceEdit, locked=True)
    token = invite(hall)
    assert refused(hall.arrive(C)) is ErrorCode.LOCKED
    assert refused(hall.arrive(C, hidden=True)) is ErrorCode.LOCKED
    assert refused(hall.arrive(C, invite=token)) is ErrorCode.LOCKED
    hall.lose(A)
    hall.come(A)
    hall.leave(A)
    hall.leave(B)
    hall.come(B)
    assert refused(hall.arrive(A)) is ErrorCode.LOCKED
    assert isinstance(hall.arrive(D, admin=True), Enter)


def test_a_space_may_want_to_know_who_listens() -> None:
    hall = Hall()
    hall.host()
    hall.done(HOST, SpaceEdit, hidden_allowed=False)
    assert refused(hall.arrive(A, hidden=True)) is ErrorCode.HIDDEN_NOT_ALLOWED


@pytest.mark.parametrize("state", [SpaceState.ENDED, SpaceState.CANCELLED, SpaceState.ARCHIVED])
def test_nobody_comes_into_a_space_that_is_over(state: SpaceState) -> None:
    hall = Hall(fresh(state=state))
    assert refused(hall.arrive(A)) is ErrorCode.SPACE_ENDED
    hall.do(Enter(A, "A", BOX, GUEST, S))
    assert not hall.space.members


def test_what_a_member_agreed_to_and_how_it_was_held_is_known_when_it_returns() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B)
    hall.done(HOST, RecordSet, on=True)
    hall.done(A, Agree, recording=1, captions=True)
    hall.done(HOST, FloorHold, member=A, on=True)
    hall.leave(A)
    hall.leave(B)
    hall.come(A, B)
    member = hall.space.members[A]
    assert (member.agreed, member.captioned, member.held) == (1, True, True)
    assert hall.space.members[B].agreed == 0


def test_a_seat_that_is_kept_keeps_its_place() -> None:
    hall = Hall(Mode.STAGE)
    hall.host()
    hall.arrive(A, BROWSER)
    hall.done(HOST, MemberPlace, member=A, place=S)
    hall.done(A, MemberPlace, member=A, place=L)
    hall.lose(A)
    hall.arrive(A, BROWSER)
    assert hall.place(A) is L
    assert hall.space.place_of(A) is L
    assert hall.space.place_of(B) is None


def test_nobody_becomes_host_beside_the_host() -> None:
    hall = Hall()
    hall.host()
    hall.do(Enter(A, "A", BOX, GUEST, Place.HOST))
    assert hall.place(A) is Place.COHOST
    hall.do(Enter(HOST, "H", BOX, GUEST, S))
    assert hall.info.host is None
    hall.do(Enter(B, "B", BOX, SMART, Place.HOST))
    assert hall.place(B) is L


def test_only_so_many_absent_people_are_remembered() -> None:
    hall = Hall(Mode.OPEN, people_limit=2)
    hall.host()
    for number in (1, 2, 3):
        hall.come(mid(number))
        hall.done(ADMIN, MemberPlace, member=mid(number), place=L)
        hall.leave(mid(number))
    assert list(hall.space.kept().people) == [HOST, mid(2), mid(3)]


def test_a_stored_host_finds_another_one() -> None:
    hall = Hall()
    hall.host()
    hall.come(A)
    hall.done(HOST, MemberPlace, member=A, place=Place.COHOST)
    hall.leave(HOST)
    assert hall.info.host == A
    hall.come(HOST)
    assert hall.place(HOST) is Place.COHOST
