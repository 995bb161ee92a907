"""Attacks and faults while a box and a hub come to know each other, and on what leads to it."""

import asyncio
import contextlib
import itertools
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from zeroconf import DNSPointer, IPVersion
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf
from zeroconf.const import _CLASS_IN, _FLAGS_QR_RESPONSE, _TYPE_PTR

from device.floor.prompts import Prompt
from device.link.candidates import SeenHub
from device.link.hubs import KnownHubs
from device.link.signalling import LinkState
from device.trust import errand
from device.trust.kept import Kept
from device.trust.record import Phase
from hub.store.database import Store
from hub.trust.certificates import BoxCertificates
from stagebox import statefile
from stagebox.identity import Identity
from stagebox.wire.sni import ENROL_NAME
from stagebox.wire.terms import SERVICE_TYPE
from tests.loopback.device.test_enrolling import enrolled, url_of
from tests.loopback.device.trusting import TrustingBox
from tests.loopback.hub import crew
from tests.loopback.hub.crew import Hub
from tests.loopback.trust.kit import enrolling_hub, here, keeper
from tests.loopback.web.kit import HOUSE, Browser, a_hub
from tests.security.figures import counts, figure

QUICK_S = 3.0
FIXED_S = 5.0


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(errand, "RETRY_S", 0.05)
    async with enrolling_hub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
async def browser(hub: Hub) -> AsyncIterator[Browser]:
    async with keeper(hub) as administrator:
        yield administrator


def announced(box: TrustingBox, monkeypatch: pytest.MonkeyPatch, *seen: SeenHub) -> None:
    """Have the network announce these hubs to the box."""
    monkeypatch.setattr(KnownHubs, "seen", property(lambda self: seen if self is box.hubs else ()))


class Crowd:
    """Somebody else's TLS on every address of this machine: counts who comes and says nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._context = BoxCertificates(folder).context_for(ENROL_NAME)
        self.came: list[str] = []
        self.port = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Crowd"]:
        server = await asyncio.start_server(self._serve, "0.0.0.0", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.append(writer.get_extra_info("sockname")[0])
        with contextlib.suppress(OSError, ssl.SSLError):
            await reader.read(65_536)
            writer.close()


# --- 26 -------------------------------------------------------------------------------------


async def test_case_26_a_thousand_wrong_codes_make_five_runs(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub))
    tried = 0
    async with box.running():
        await browser.ask("POST", "/enrolment")
        box.office.begin()
        wrong = (f"{n:06}" for n in itertools.count() if f"{n:06}" != box.codes[0])
        statuses = []
        for code in itertools.islice(wrong, 1_000):
            if tried < errand.MAX_TARGETS and Prompt.ENROL_SPENT not in box.prompts:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2):
                        await here(browser)
            answer = await browser.ask("POST", "/enrolment/code", {"code": code})
            statuses.append(answer.code)
            tried += answer.code == "wrong_box_code"
        await box.says(Prompt.ENROL_SPENT)
    reached = box.prompts.count(Prompt.ENROL_WRONG) + 1
    assert (reached, tried) == (5, 5)
    assert set(statuses[5:]) == {"not_open"}
    assert box.kept.record is None
    assert hub.trust.book.enrolled() == ()
    figure(26, f"{len(statuses)} codes typed, {reached} runs, then closed; 0 successes")


# --- 29 -------------------------------------------------------------------------------------


class PowerCutError(BaseException):
    """The plug is pulled: nothing after this happens."""


def cut_box(monkeypatch: pytest.MonkeyPatch, point: int) -> Callable[[], bool]:
    """Pull the box's plug at one of the eight steps of its two writes; tell if it was pulled."""
    steps, pulled = itertools.count(), []

    def step() -> None:
        if next(steps) == point:
            pulled.append(point)
            raise PowerCutError

    real_replace, real_sync, real_open = Path.replace, statefile._sync_directory, statefile.os.open

    def open_(path: Any, flags: int, *more: Any, **rest: Any) -> int:  # noqa: ANN401
        if str(path).endswith("enrolment.json.new"):
            step()
        return real_open(path, flags, *more, **rest)

    def replace(self: Path, target: Any) -> Path:  # noqa: ANN401
        if Path(target).name != "enrolment.json":
            return real_replace(self, target)
        step()
        done = real_replace(self, target)
        step()
        return done

    def sync(path: Path) -> None:
        real_sync(path)
        if path.name == "box":
            step()

    monkeypatch.setattr(statefile.os, "open", open_)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(statefile, "_sync_directory", sync)
    return lambda: bool(pulled)


def cut_hub(monkeypatch: pytest.MonkeyPatch, point: int) -> Callable[[], bool]:
    """Pull the hub's plug before or after one of its writes of boxes; tell if it was pulled."""
    steps, pulled = itertools.count(), []
    real = Store.execute

    async def execute(self: Store, sql: str, values: Any = ()) -> int:  # noqa: ANN401
        is_box = sql.startswith("INSERT OR REPLACE INTO boxes")
        if is_box and next(steps) == point:
            pulled.append(point)
            raise PowerCutError
        done = await real(self, sql, values)
        if is_box and next(steps) == point:
            pulled.append(point)
            raise PowerCutError
        return done

    monkeypatch.setattr(Store, "execute", execute)
    return lambda: bool(pulled)


async def an_evening(hub: Hub, box: TrustingBox, pulled: Callable[[], bool]) -> None:
    """Enrol the box until the plug is pulled, or all is done."""
    async with keeper(hub) as browser, box.running():
        await browser.ask("POST", "/enrolment")
        box.office.begin()
        await here(browser)
        typing = asyncio.create_task(
            browser.ask("POST", "/enrolment/code", {"code": box.codes[-1]})
        )
        await box.until(
            lambda: pulled() or (box.links and box.links[-1][0] is LinkState.UP), "an end"
        )
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)


CUTS = [*(("box", point) for point in range(8)), *(("hub", point) for point in range(4))]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_case_29_power_cuts_leave_a_box_in_or_out_and_never_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errand, "RETRY_S", 0.05)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    whole, anew, missed = 0, 0, 0
    for (side, point), turn in itertools.product(CUTS, range(counts(20, 1))):
        folder = tmp_path / f"{side}-{point}-{turn}"
        identity = Identity.load_or_create(folder / "hub")
        monkeypatch.setattr(crew.Identity, "generate", staticmethod(lambda me=identity: me))
        async with enrolling_hub(folder / "hub") as hub:
            port = hub.server.secure_port
            box = TrustingBox(folder / "box", url_of(hub))
            with monkeypatch.context() as hooks:
                pulled = (cut_box if side == "box" else cut_hub)(hooks, point)
                await an_evening(hub, box, pulled)
                missed += not pulled()
        async with a_hub(folder / "hub", HOUSE, secure_port=port, boxes="enrolled") as hub:
            again = TrustingBox(folder / "box", url_of(hub))
            assert again.kept.trouble is None, "torn"
            async with again.running(), keeper(hub) as browser:
                await again.comes_to(*ENDS)
                if again.links[-1][0] is LinkState.UP:
                    whole += 1
                else:
                    await enrolled(again, browser)
                    await again.link(LinkState.UP)
                    anew += 1
            assert again.record.phase is Phase.ACTIVE
    assert missed == 0
    assert whole + anew == len(CUTS) * counts(20, 1)
    figure(
        29,
        f"{len(CUTS)} write points x {counts(20, 1)}: {whole} went on by themselves,"
        f" {anew} were enrolled anew, 0 stuck, 0 torn",
    )


ENDS = {LinkState.UP, LinkState.NOT_KNOWN, LinkState.WAITING, LinkState.NOT_ENROLLED}


# --- 30, 31 ---------------------------------------------------------------------------------


async def test_case_30_of_a_hundred_false_hubs_eight_are_tried(
    hub: Hub, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Crowd(tmp_path / "crowd").listening() as crowd:
        false = [
            SeenHub(f"Hub {n}", (f"127.0.1.{n}",), 7300, f"{n:032x}", secure_port=crowd.port)
            for n in range(100)
        ]
        false = [SeenHub(**{f: getattr(each, f) for f in FIELDS}, enrols=True) for each in false]
        box = TrustingBox(tmp_path / "box", url_of(hub))
        announced(box, monkeypatch, *false)
        async with box.running():
            await enrolled(box, browser)
            await box.link(LinkState.UP)
    assert 0 < len(set(crowd.came)) <= errand.MAX_TARGETS - 1
    assert box.record.hub_id == hub.identity.id
    figure(30, f"{len(set(crowd.came))} of 100 false hubs were tried; the true one was found")


FIELDS = ("name", "addresses", "port", "id", "secure_port")


async def test_case_31_without_a_finger_or_without_a_window_nobody_is_enrolled(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub))
    async with box.running():
        await browser.ask("POST", "/enrolment")
        await asyncio.sleep(0.5)
        answer = await browser.ask("POST", "/enrolment/code", {"code": "000000"})
        assert answer.code == "no_box_answers"
        await browser.ask("DELETE", "/enrolment")
        box.office.begin()
        answer = await browser.ask("POST", "/enrolment/code", {"code": box.codes[0]})
        assert answer.code == "not_open"
    assert (box.kept.record, hub.trust.book.enrolled()) == (None, ())


# --- 33, 34, 36: discovery ------------------------------------------------------------------


async def test_case_33_a_hub_that_is_announced_elsewhere_is_refused_by_its_certificate(
    hub: Hub, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = TrustingBox(tmp_path / "box", url_of(hub))
    async with first.running():
        await enrolled(first, browser)
    async with Crowd(tmp_path / "crowd").listening() as crowd:
        own = hub.identity.id
        spoof = SeenHub(hub.config.name, ("127.0.0.66",), 7300, own, secure_port=crowd.port)
        true = SeenHub(
            hub.config.name, ("127.0.0.1",), 7300, own, secure_port=hub.server.secure_port
        )
        # As after a move: the address of last time leads nowhere, the false one comes first.
        record = first.record
        (tmp_path / "box" / "last_hub.json").unlink(missing_ok=True)
        Kept(tmp_path / "box").put(type(record)(**{**_fields(record), "url": None}))
        box = TrustingBox(tmp_path / "box")
        announced(box, monkeypatch, spoof, true)
        begin = time.monotonic()
        async with box.running():
            await box.link(LinkState.UP)
            took = time.monotonic() - begin
        assert crowd.came == ["127.0.0.66"] or not crowd.came  # it breaks the handshake off
        assert [state for state, _ in box.links] == [LinkState.CONNECTING, LinkState.UP]
    assert took < QUICK_S
    figure(33, f"refused by its certificate; at the true one after {took:.2f} s")


def _fields(record: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: getattr(record, name) for name in record.__struct_fields__}


async def test_case_34_goodbyes_in_the_hubs_name_end_no_session(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    box = TrustingBox(tmp_path / "box", url_of(hub), browses=True)
    liar = AsyncZeroconf(ip_version=IPVersion.V4Only)
    name = f"Hall.{SERVICE_TYPE}"
    info = AsyncServiceInfo(
        SERVICE_TYPE,
        name,
        addresses=[socket.inet_aton("127.0.0.1")],
        port=7300,
        properties={"id": hub.identity.id, "tls": str(hub.server.secure_port)},
        server="hall-hub.local.",
    )
    async with box.running():
        await enrolled(box, browser)
        await box.link(LinkState.UP)
        await (await liar.async_register_service(info))
        await box.until(lambda: box.hubs.seen, "the announcement was heard")
        for _ in range(100):
            out = DNSOutgoing(_FLAGS_QR_RESPONSE)
            out.add_answer_at_time(DNSPointer(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN, 0, name), 0)
            liar.zeroconf.send(out)
            await asyncio.sleep(0.005)
        await (await liar.async_unregister_service(info))
        await box.until(lambda: not box.hubs.seen, "the goodbyes were heard")
        await asyncio.sleep(1)
        assert box.links[-1][0] is LinkState.UP
        assert [state for state, _ in box.links].count(LinkState.UP) == 1
    await liar.async_close()
    figure(34, "100 goodbyes were heard; the session stayed")


async def test_case_36_without_multicast_the_written_address_is_enough(
    hub: Hub, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(**_arguments: object) -> AsyncZeroconf:
        raise OSError(19, "No such device")

    monkeypatch.setattr("stagebox.mdns.AsyncZeroconf", none)
    first = TrustingBox(tmp_path / "box", url_of(hub), browses=True)
    async with first.running():
        await enrolled(first, browser)
    (tmp_path / "box" / "last_hub.json").unlink(missing_ok=True)
    box = TrustingBox(tmp_path / "box", url_of(hub), browses=True)
    begin = time.monotonic()
    async with box.running():
        await box.link(LinkState.UP)
    took = time.monotonic() - begin
    assert took < FIXED_S
    figure(36, f"connected after {took:.2f} s")


# --- 57 -------------------------------------------------------------------------------------


async def test_case_57_a_hub_that_moved_is_found_and_one_that_lost_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = Identity.load_or_create(tmp_path / "hub")
    real = Identity.generate
    monkeypatch.setattr(crew.Identity, "generate", staticmethod(lambda: identity))
    async with enrolling_hub(tmp_path / "hub") as hub, keeper(hub) as browser:
        box = TrustingBox(tmp_path / "box", url_of(hub))
        async with box.running():
            await enrolled(box, browser)
            await box.link(LinkState.UP)
            assert (await browser.ask("POST", "/box-certificate/next")).status == 200
            await box.until(lambda: box.record.next_pin is not None, "told of the next one")
        following = box.record.next_pin
    async with enrolling_hub(tmp_path / "hub") as hub:
        moved = SeenHub(
            "Hall", ("127.0.0.1",), 7300, identity.id, secure_port=hub.server.secure_port
        )
        box = TrustingBox(tmp_path / "box")
        announced(box, monkeypatch, moved)
        begin = time.monotonic()
        async with box.running():
            await box.link(LinkState.UP)
            took = time.monotonic() - begin
            await asyncio.sleep(0.2)  # what the hub says of its certificates now
        assert (box.record.pin, box.record.next_pin) == (following, None)
        port = hub.server.secure_port
    monkeypatch.setattr(crew.Identity, "generate", staticmethod(real))
    async with a_hub(tmp_path / "lost", HOUSE, secure_port=port, boxes="enrolled") as hub:
        box = TrustingBox(tmp_path / "box", url_of(hub))
        async with box.running():
            await box.link(LinkState.STRANGE_HUB)
        assert hub.value("stagebox_sessions_opened_total") == 0
    figure(
        57,
        f"found at its new address after {took:.2f} s, with its next certificate; a hub"
        " without its identity is refused, and the box says so",
    )
