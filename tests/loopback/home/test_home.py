"""Home Assistant's side of a hub, at Debian's Mosquitto."""

import asyncio
import contextlib
import gc
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest

from hub.config import Boxes
from hub.home import link, session
from hub.home.entities import Places
from hub.home.settings import HomeConfig
from hub.spaces.rights import Actor
from stagebox.wire.acts import FloorHold, SpaceEnd, SpaceMade, SpaceNew
from stagebox.wire.enrolment import EnrolledBox
from stagebox.wire.messages import FloorRequest
from stagebox.wire.terms import Role, Via
from tests.loopback.home.kit import hub_at, places_of
from tests.loopback.hub.crew import Guest, Hub, crew, no_errors_logged, until
from tests.support import mosquitto
from tests.support.mosquitto import ADDRESS, Dashboard, Mosquitto, dashboard

pytestmark = pytest.mark.skipif(not mosquitto.is_here(), reason="apt-get install mosquitto")

ADMIN = Actor(None, "Administrator", admin=True)
# A state is right again so soon after a broker has come back.
BACK_S = 2.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as found:
        yield found


@pytest.fixture
async def hub(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[Hub]:
    async with hub_at(broker, tmp_path) as found:
        yield found


@pytest.fixture
async def house(broker: Mosquitto) -> AsyncIterator[Dashboard]:
    async with dashboard(broker) as found:
        yield found


@contextlib.asynccontextmanager
async def take_over(broker: Mosquitto, places: Places) -> AsyncIterator[None]:
    """Come under the hub's own name, by which the broker throws the hub out."""
    async with aiomqtt.Client(ADDRESS, broker.port, identifier=places.node):
        yield


@contextlib.asynccontextmanager
async def alive(guest: Guest) -> AsyncIterator[None]:
    """Let a guest ping, as boxes do all the time."""

    async def ping() -> None:
        while True:
            await asyncio.sleep(0.5)
            await guest.ping()

    pinging = asyncio.create_task(ping())
    try:
        yield
    finally:
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)


async def is_known(hub: Hub, house: Dashboard) -> None:
    """Wait until everything was told."""
    await until(lambda: house.kept.get(places_of(hub).status) == b"online")


async def test_spaces_and_boxes_are_seen(hub: Hub, house: Dashboard) -> None:
    await is_known(hub, house)
    places = places_of(hub)
    names = {(each["device"]["name"], each["name"]) for each in house.entities().values()}
    assert {("Main", "On air"), ("Main", "Hold all"), ("House", "Spaces")} <= names
    assert ('The "talk" {{ show }}', "Talker") in names
    ana, ben = Guest("Ana", number=1), Guest("Ben {{ 1 }}", number=2)
    async with crew(ana, ben):
        await ana.enter(hub, "talk")
        await ben.enter(hub, "main")
        await until(lambda: house.state(places, "box", ana.id).get("space") == "talk")
        box = house.state(places, "box", ana.id)
        assert (box["online"], box["muted"], box["volume"]) == ("ON", "OFF", 100)
        await ana.send(FloorRequest(req="r1", via=Via.HAND))
        await until(lambda: house.state(places, "space", "talk")["hands"] == 1)
        await ben.send(FloorRequest(req="r1", via=Via.TALK))
        await until(lambda: house.state(places, "space", "main")["on_air"] == "ON")
        assert house.state(places, "space", "main")["talker"] == "Ben {{ 1 }}"
    await until(lambda: house.state(places, "box", ana.id)["online"] == "OFF")


async def test_a_space_that_is_over_is_seen_no_more(hub: Hub, house: Dashboard) -> None:
    await is_known(hub, house)
    made = hub.spaces.create(ADMIN, SpaceNew(req="n", name="Evening"))
    assert isinstance(made, SpaceMade)
    places = places_of(hub)
    await until(lambda: bool(house.state(places, "space", made.space)))
    confirm = hub.spaces.act(made.space, ADMIN, SpaceEnd(req="e"))
    hub.spaces.act(made.space, ADMIN, SpaceEnd(req="f", token=confirm.token))  # type: ignore[union-attr]
    await until(lambda: not any(f"space-{made.space}-" in topic for topic in house.kept))
    await until(lambda: not house.state(places, "space", made.space))
    assert house.state(places, "space", "main")


async def test_what_a_hub_left_at_the_broker_is_cleared_when_it_comes_again(
    broker: Mosquitto, house: Dashboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FOUND_S", 0.5)
    async with hub_at(broker, tmp_path) as hub:
        await is_known(hub, house)
        places = places_of(hub)
        left = f"homeassistant/switch/{places.node}/space-old-hold/config"
        other = "homeassistant/switch/somebody/else/config"
        old = places.state("space", "old")
        for topic in (left, other, old):
            await house.command(topic, b"{}", retain=True)
        await until(lambda: {left, other, old} <= house.kept.keys())
        await asyncio.sleep(1.5)  # what comes later than that is somebody else's
        assert left in house.kept
        house.got.clear()
        async with take_over(broker, places):
            pass
        # Whoever is thrown out cannot say goodbye: that is what the broker keeps a will for.
        await until(lambda: (places.status, b"offline") in house.got)
        await is_known(hub, house)
        await until(lambda: not {left, old} & house.kept.keys())
        assert other in house.kept
        assert house.state(places, "space", "main")


async def test_commands_act_as_a_host_does_and_are_in_the_log(hub: Hub, house: Dashboard) -> None:
    await is_known(hub, house)
    places = places_of(hub)
    ana = Guest("Ana", number=1)
    async with crew(ana):
        await ana.enter(hub, "talk")
        await ana.send(FloorRequest(req="r1", via=Via.HAND))
        await until(lambda: house.state(places, "space", "talk").get("hands") == 1)
        await house.command(places.command("space", "talk", "next"), "PRESS")
        await until(lambda: house.state(places, "space", "talk")["hands"] == 0)
        await house.command(places.command("box", ana.id, "volume"), "55")
        await until(lambda: house.state(places, "box", ana.id)["volume"] == 55)
        await house.command(places.command("space", "talk", "hold"), "ON")
        await until(lambda: house.state(places, "space", "talk")["hold"] == "ON")
        space = hub.spaces.get("talk")
        assert space is not None
        assert space.snapshot("", None).floor.held
        await house.command(places.command("space", "talk", "hold"), "OFF")
        await until(lambda: house.state(places, "space", "talk")["hold"] == "OFF")

        async def kinds() -> dict[str, str]:
            return {row.kind: row.by for row in await hub.spaces.audit("talk")}

        async with asyncio.timeout(10):  # the log is written behind everybody's back
            while not {"called", "volume_set", "held", "freed"} <= (await kinds()).keys():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert {(await kinds())[each] for each in ("called", "held")} == {"Home Assistant"}
    assert hub.value("stagebox_mqtt_total", event="obeyed") == 4


async def test_bad_commands_change_nothing_and_are_counted(
    broker: Mosquitto, hub: Hub, house: Dashboard, caplog: pytest.LogCaptureFixture
) -> None:
    await is_known(hub, house)
    places = places_of(hub)
    hold = places.command("space", "main", "hold")

    def faults(fault: str) -> float:
        return hub.value("stagebox_mqtt_total", event=f"order_{fault}")

    with no_errors_logged(caplog):
        await house.command(hold, "ON", retain=True)
        await until(lambda: faults("retained") == 1)
        await house.command(hold, b"\xff" * 1_000)
        await until(lambda: faults("too_long") == 1)
        await house.command(hold, b"x" * 200_000)  # which the broker keeps to itself
        await house.command(hold, b"")
        await until(lambda: faults("bad_value") == 1)
        await house.command(places.command("space", "nowhere", "hold"), "ON")
        await house.command(places.command("space", "main", "next"), "PRESS")
        await house.command(places.command("box", "f" * 32, "volume"), "5")
        await until(lambda: faults("refused") == 3)
        await house.command(f"{places.base}/a/b/c/set", "ON")
        await until(lambda: faults("unknown") == 1)
    assert hub.value("stagebox_mqtt_total", event="obeyed") == 0
    assert house.state(places, "space", "main")["hold"] == "OFF"
    # The command that was retained is not obeyed by a hub that comes later, either.
    assert hub.value("stagebox_mqtt_total", event="lost") == 0


async def test_a_flood_is_not_listened_to_and_state_stays_right(
    hub: Hub,
    house: Dashboard,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(session, "FLOOD_S", 0.5)
    await is_known(hub, house)
    places = places_of(hub)
    hold = places.command("space", "main", "hold")
    lags: list[float] = []

    async def probe() -> None:
        while True:
            at = time.monotonic()
            await asyncio.sleep(0.01)
            lags.append(time.monotonic() - at - 0.01)

    probing = asyncio.create_task(probe())
    for _ in range(5):
        await asyncio.gather(*(house.command(hold, "OFF") for _ in range(400)))
    probing.cancel()
    await until(lambda: hub.value("stagebox_mqtt_total", event="order_flood") > 0)
    await until(lambda: "a flood of MQTT messages" in caplog.text)
    print(f"late by at most {1_000 * max(lags):.0f} ms, sender and hub on one loop")
    ana = Guest("Ana", number=1)
    async with crew(ana):
        await ana.enter(hub, "main")
        await ana.send(FloorRequest(req="r1", via=Via.TALK))
        await until(lambda: house.state(places, "space", "main")["on_air"] == "ON")
        # After a while it obeys again.
        async with asyncio.timeout(15):
            while house.state(places, "space", "main")["hold"] != "ON":
                await house.command(hold, "ON")
                await asyncio.sleep(0.5)
    assert hub.value("stagebox_mqtt_total", event="lost") == 0


async def test_without_leave_nothing_is_obeyed(broker: Mosquitto, tmp_path: Path) -> None:
    home = HomeConfig(broker=ADDRESS, port=broker.port)
    async with hub_at(broker, tmp_path, home) as hub, dashboard(broker) as house:
        await is_known(hub, house)
        places = places_of(hub, commands=False)
        sorts = {topic.split("/")[1] for topic in house.kept if topic.endswith("/config")}
        assert sorts == {"sensor", "binary_sensor"}
        before = hub.value("stagebox_mqtt_total", event="sent")
        await house.command(places.command("space", "main", "hold"), "ON")
        await house.command("homeassistant/status", "online")
        # The birth message is answered, so the command before it has been passed over.
        await until(lambda: hub.value("stagebox_mqtt_total", event="sent") > before)
        assert house.state(places, "space", "main")["hold"] == "OFF"
        assert hub.value("stagebox_mqtt_total", event="order_unknown") == 0


async def test_home_assistant_comes_up_and_is_told_everything(hub: Hub, house: Dashboard) -> None:
    await is_known(hub, house)
    await until(lambda: len(house.got) >= len(house.kept))
    known = dict(house.kept)
    house.got.clear()
    await house.command("homeassistant/status", "online")
    await until(lambda: {topic for topic, _ in house.got} >= known.keys())


async def test_a_broker_that_is_killed_and_comes_back_is_right_within_two_seconds(
    broker: Mosquitto, hub: Hub
) -> None:
    places = places_of(hub)
    ana = Guest("Ana", number=1)
    async with crew(ana), alive(ana):
        await ana.enter(hub, "main")
        async with dashboard(broker) as house:
            await is_known(hub, house)
        broker.kill()
        hub.spaces.rename(ana.id, "Ana B")
        hub.server.house.health.renamed(ana.id, "Ana B")
        await asyncio.sleep(1.0)
        broker.start()
        back = time.monotonic()
        async with dashboard(broker) as house:
            await is_known(hub, house)
            took_s = time.monotonic() - back
            name = house.entities()[f"{places.node}-box-{ana.id}-online"]["device"]["name"]
            assert name == "Ana B"
            assert house.state(places, "box", ana.id)["online"] == "ON"
            assert house.state(places, "space", "main")["people"] == 1
    print(f"right after {took_s:.2f} s")
    assert took_s < BACK_S


async def test_a_hub_that_ends_says_so(broker: Mosquitto, tmp_path: Path) -> None:
    async with dashboard(broker) as house:
        async with hub_at(broker, tmp_path) as hub:
            await is_known(hub, house)
            assert hub.value("stagebox_mqtt_connection", state="up") == 1
        await until(lambda: house.kept.get(places_of(hub).status) == b"offline")


@pytest.mark.skipif("STAGEBOX_LONG" not in os.environ, reason="STAGEBOX_LONG=1 runs it")
async def test_a_broker_that_stands_still_is_left_and_found_again(
    broker: Mosquitto, hub: Hub
) -> None:
    async with dashboard(broker) as house:
        await is_known(hub, house)
    broker.freeze(on=True)
    hub.spaces.act("main", ADMIN, FloorHold(req="h", on=True))
    await until(lambda: hub.value("stagebox_mqtt_total", event="lost") >= 1)
    broker.freeze(on=False)
    async with dashboard(broker) as house:
        await until(lambda: house.state(places_of(hub), "space", "main").get("hold") == "ON")


async def test_a_password_in_a_file_and_tls(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "open sesame 4711"
    file = tmp_path / "password"
    file.write_text(f"{secret}\n")
    with Mosquitto(tmp_path, user="stagebox", password=secret, tls=True) as broker:
        home = HomeConfig(
            broker=ADDRESS,
            port=broker.port,
            user="stagebox",
            password_file=str(file),
            tls=True,
            ca_file=str(broker.ca),
        )
        with caplog.at_level(logging.DEBUG):
            async with hub_at(broker, tmp_path, home) as hub:
                await until(lambda: hub.value("stagebox_mqtt_total", event="sent") > 10)
                assert secret not in hub.metrics.render().decode()
    assert secret not in caplog.text
    assert "connected" in caplog.text


async def test_a_wrong_password_is_said_once_and_not_tried_all_the_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "password"
    file.write_text("wrong 4711")
    with Mosquitto(tmp_path, user="stagebox", password="right") as broker:
        home = HomeConfig(
            broker=ADDRESS, port=broker.port, user="stagebox", password_file=str(file)
        )
        with caplog.at_level(logging.DEBUG):
            async with hub_at(broker, tmp_path, home) as hub:
                await until(lambda: hub.value("stagebox_mqtt_total", event="refused") == 1)
                await asyncio.sleep(1.5)
                assert hub.value("stagebox_mqtt_total", event="refused") == 1
                assert hub.value("stagebox_mqtt_total", event="connected") == 0
    assert caplog.text.count("password_file") == 1
    assert "wrong 4711" not in caplog.text


@pytest.mark.parametrize(
    ("written", "says"), [(None, "cannot be read"), (b"", "must hold"), (b"\xff", "no text")]
)
async def test_a_password_that_is_none_is_told_and_the_hub_runs(
    broker: Mosquitto,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    written: bytes | None,
    says: str,
) -> None:
    file = tmp_path / "password"
    if written is not None:
        file.write_bytes(written)
    home = HomeConfig(broker=ADDRESS, port=broker.port, user="a", password_file=str(file))
    async with hub_at(broker, tmp_path, home) as hub:
        await until(lambda: hub.value("stagebox_mqtt_total", event="refused") == 1)
        ana = Guest("Ana", number=1)
        async with crew(ana):
            await ana.enter(hub, "main")
    assert says in caplog.text


# The library leaves a connection that never was one to Python's own care.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_a_certificate_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, tls=True) as broker:
        home = HomeConfig(broker=ADDRESS, port=broker.port, tls=True)
        async with hub_at(broker, tmp_path, home) as hub:
            await until(lambda: hub.value("stagebox_mqtt_total", event="lost") > 0)
            assert hub.value("stagebox_mqtt_total", event="connected") == 0
    gc.collect()


async def test_what_is_no_broker_costs_nothing_but_tries(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that answers nonsense, for ever."""

    monkeypatch.setattr(link, "ANSWER_S", 0.5)

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x20\xff\xff\xff\x7f" + b"HTTP/1.1 400 no\r\n" * 100)
        await asyncio.sleep(0.2)
        writer.close()

    server = await asyncio.start_server(babble, ADDRESS, 0)
    port = server.sockets[0].getsockname()[1]
    home = HomeConfig(broker=ADDRESS, port=port)
    with Mosquitto(tmp_path) as broker:
        async with server, hub_at(broker, tmp_path, home) as hub:
            with no_errors_logged(caplog):
                await until(lambda: hub.value("stagebox_mqtt_total", event="lost") >= 1)
    assert caplog.text.count("there is no connection") <= 3


async def test_an_enrolled_box_is_known_before_it_comes(broker: Mosquitto, tmp_path: Path) -> None:
    box = EnrolledBox("c" * 32, "A" * 43 + "=", "Kitchen", Role.GUEST)
    async with hub_at(broker, tmp_path, boxes=Boxes.ENROLLED) as hub, dashboard(broker) as house:
        await is_known(hub, house)
        places = places_of(hub)
        await hub.trust.book.activate(box, "test")
        await until(lambda: house.state(places, "box", box.id).get("online") == "OFF")
        assert house.entities()[f"{places.node}-box-{box.id}-online"]["device"]["name"] == "Kitchen"
        await hub.trust.remove(box.id)
        await until(lambda: not any(box.id in topic for topic in house.kept))
