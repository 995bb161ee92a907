"""A box and a hub that come to know each other, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from device.floor.prompts import Prompt
from device.link.signalling import LinkState
from device.trust import errand
from device.trust.kept import FILE_NAME, Kept
from device.trust.record import Phase, agreed
from stagebox.wire.enrolment import EnrolledBox
from stagebox.wire.enrolment_effects import EnrolledHub
from stagebox.wire.terms import Role
from tests.loopback.device.trusting import TrustingBox
from tests.loopback.hub.crew import Hub
from tests.loopback.trust.kit import enrolling_hub, here, keeper
from tests.loopback.web.kit import HOUSE, Browser, a_hub


def url_of(hub: Hub) -> str:
    return f"wss://127.0.0.1:{hub.server.secure_port}"


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(errand, "RETRY_S", 0.1)
    async with enrolling_hub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
async def browser(hub: Hub) -> AsyncIterator[Browser]:
    async with keeper(hub) as administrator:
        yield administrator


async def enrolled(box: TrustingBox, browser: Browser) -> None:
    """Add the box, as its person and the administrator do together."""
    assert (await browser.ask("POST", "/enrolment")).status == 200
    box.office.begin()
    await here(browser)
    answer = await browser.ask("POST", "/enrolment/code", {"code": box.codes[-1]})
    assert answer.status == 200, answer
    await box.says(Prompt.ENROLLED)


async def test_a_code_joins_a_box_to_its_hub_for_good(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub))
    async with box.running():
        assert "enrol it" in await box.link(LinkState.NOT_ENROLLED)
        await enrolled(box, browser)
        assert await box.link(LinkState.UP) == hub.config.name
    assert box.prompts == [Prompt.ENROL_CODE, Prompt.ENROLLED]
    assert box.told[-1].name == hub.config.name
    assert box.lamp == [True, False]
    assert hub.trust.certificates is not None
    assert (box.record.phase, box.record.pin) == (Phase.ACTIVE, hub.trust.certificates.pins[0])
    assert box.record.hub_key == hub.identity.key
    # And it needs no finger ever after.
    again = TrustingBox(tmp_path / "box", url_of(hub))
    async with again.running():
        await again.link(LinkState.UP)
    assert again.links[0][0] is LinkState.CONNECTING
    assert again.told == []


async def test_a_wrong_code_is_told_and_may_be_typed_again(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub))
    async with box.running():
        await browser.ask("POST", "/enrolment")
        box.office.begin()
        await here(browser)
        wrong = f"{(int(box.codes[0]) + 1) % 10**6:06}"
        assert (
            await browser.ask("POST", "/enrolment/code", {"code": wrong})
        ).code == "wrong_box_code"
        await box.says(Prompt.ENROL_WRONG)
        assert box.kept.record is None
        await here(browser)
        answer = await browser.ask("POST", "/enrolment/code", {"code": box.codes[0]})
        assert answer.status == 200
        await box.link(LinkState.UP)
    assert len(box.codes) == 1
    assert box.prompts == [
        *(Prompt.ENROL_CODE, Prompt.ENROL_WRONG, Prompt.ENROL_CODE),
        Prompt.ENROLLED,
    ]


async def test_without_a_window_a_box_is_told_to_open_one(
    hub: Hub, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand, "HINT_S", 0.5)
    box = TrustingBox(tmp_path / "box", url_of(hub))
    async with box.running():
        box.office.begin()
        await box.says(Prompt.ENROL_NO_WINDOW)
        await browser.ask("POST", "/enrolment")
        await here(browser)


async def test_without_a_hub_a_box_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errand, "HINT_S", 0.5)
    box = TrustingBox(tmp_path / "box", "wss://127.0.0.1:9")
    async with box.running():
        box.office.begin()
        await box.says(Prompt.ENROL_NO_HUB)


async def test_a_box_that_was_removed_says_so_and_keeps_its_keys(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub))
    async with box.running():
        await enrolled(box, browser)
        await box.link(LinkState.UP)
        assert (await browser.ask("DELETE", f"/boxes/{box.identity.id}")).status == 204
        await box.link(LinkState.NOT_KNOWN)
        assert box.record.phase is Phase.ACTIVE
        # A new code lets it in again.
        await enrolled(box, browser)
        await box.link(LinkState.UP)


async def test_a_hub_that_lost_its_identity_is_a_stranger(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub))
    async with box.running():
        await enrolled(box, browser)
        await box.link(LinkState.UP)
    port = hub.server.secure_port
    await hub.server.aclose()
    async with a_hub(tmp_path / "other", HOUSE, secure_port=port, boxes="enrolled") as other:
        assert other.server.secure_port == port
        again = TrustingBox(tmp_path / "box", url_of(other))
        async with again.running():
            assert "not the hub" in await again.link(LinkState.STRANGE_HUB)
            await asyncio.sleep(0.5)
            assert all(state is not LinkState.UP for state, _ in again.links)
        assert other.value("stagebox_sessions_opened_total") == 0


async def test_a_box_that_knows_a_certificate_waits_to_be_let_in(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    assert hub.trust.certificates is not None
    box = TrustingBox(tmp_path / "box", url_of(hub), hub_pin=hub.trust.certificates.pins[0])
    async with box.running():
        await box.link(LinkState.WAITING)
        seen = (await browser.ask("GET", "/enrolment")).json
        assert [each["id"] for each in seen["waiting"]] == [box.identity.id]
        route = f"/boxes/{box.identity.id}/admission"
        answer = await browser.ask("POST", route, {"accept": True})
        assert answer.status == 204, answer
        await box.link(LinkState.UP)
    assert (box.record.phase, box.record.hub_key) == (Phase.ACTIVE, hub.identity.key)


async def test_a_pinned_certificate_of_somebody_else_is_told_nothing(
    hub: Hub, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub), hub_pin="0" * 64)
    async with box.running():
        await box.link(LinkState.STRANGE_HUB)
    assert box.kept.record is None


@pytest.mark.parametrize("at_the_hub", [True, False])
async def test_half_an_enrolment_becomes_whole_or_is_told_so(
    hub: Hub, tmp_path: Path, at_the_hub: bool
) -> None:
    assert hub.trust.certificates is not None
    box = TrustingBox(tmp_path / "box", url_of(hub))
    mine = EnrolledBox(box.identity.id, box.identity.key, "Kitchen", Role.GUEST)
    if at_the_hub:
        await hub.trust.book.pend(mine)
    known = EnrolledHub(
        hub.identity.id, hub.identity.key, hub.config.name, hub.trust.certificates.pins
    )
    box.kept.put(agreed(known, "wss://127.0.0.1:1/member/v1"))
    async with box.running():
        await box.link(LinkState.UP if at_the_hub else LinkState.WAITING)
    assert box.record.phase is (Phase.ACTIVE if at_the_hub else Phase.PENDING)
    assert (len(hub.trust.book.enrolled()) == 1) is at_the_hub


async def test_a_certificate_is_changed_under_a_box(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub))
    async with box.running():
        await enrolled(box, browser)
        await box.link(LinkState.UP)
        before = box.record.pin
        answer = await browser.ask("POST", "/box-certificate/next")
        assert answer.status < 300, answer
        await box.until(lambda: box.record.next_pin is not None, "told of the next one")
        following = box.record.next_pin
        ups = [state for state, _ in box.links].count(LinkState.UP)
        box.line.reopen()
        await box.until(lambda: [state for state, _ in box.links].count(LinkState.UP) > ups, "back")
        assert (await browser.ask("POST", "/box-certificate/finish")).status == 200
        assert (box.record.pin, box.record.next_pin) == (following, None)
        assert following != before


async def test_a_disk_that_takes_nothing_is_told(
    hub: Hub, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_kept: Kept, _record: object) -> None:
        raise OSError(28, "No space left on device")

    box = TrustingBox(tmp_path / "box", url_of(hub))
    monkeypatch.setattr(Kept, "put", full)
    async with box.running():
        await browser.ask("POST", "/enrolment")
        box.office.begin()
        await here(browser)
        await browser.ask("POST", "/enrolment/code", {"code": box.codes[-1]})
        await box.says(Prompt.ENROL_NOT_KEPT)
    assert not (tmp_path / "box" / FILE_NAME).exists()


async def test_a_damaged_record_is_told_and_mended_by_a_new_code(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / FILE_NAME).write_bytes(b'{"phase":"acti')
    box = TrustingBox(tmp_path / "box", url_of(hub))
    assert box.kept.trouble is not None
    assert "enrol it again" in box.kept.trouble
    async with box.running():
        await box.link(LinkState.NOT_ENROLLED)
        await enrolled(box, browser)
        await box.link(LinkState.UP)
    assert Kept(tmp_path / "box").trouble is None


def test_half_an_enrolment_that_nobody_finished_is_dropped(tmp_path: Path) -> None:
    hub = EnrolledHub("a" * 32, "VVebVXiW0M4XZMR/7WRPmzX1i61iBnSvI/NW2A7QxQM=", "Hall", ("1" * 64,))
    kept = Kept(tmp_path)
    kept.put(replace(agreed(hub, "wss://10.0.0.1:7443/x"), spent_s=86_000.0))
    kept.age()
    assert Kept(tmp_path).record is None
    assert list(tmp_path.iterdir()) == []
