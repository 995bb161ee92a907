"""What a Snapcast server says, read with care."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.speakers.snapcast_terms import LANE_PORT, free_lane, read_line, read_status
from hub.speakers.terms import MAX_SPEAKERS, Cause, SpeakerError

RAW = "tcp://0.0.0.0:4953/?chunk_ms=20&codec=flac&name=Stagebox&sampleformat=48000:16:2"


def status(*streams: tuple[str, str], clients: int = 1) -> bytes:
    every = [
        {"id": f"c{n}", "connected": n % 2 == 0, "config": {"name": "Küche" if n else ""}}
        for n in range(clients)
    ]
    every[0]["host"] = {"name": "raspberrypi", "ip": "::ffff:10.0.0.4"}
    found = [{"id": name, "uri": {"raw": raw}} for name, raw in streams]
    groups = [{"id": "g", "stream_id": "Radio", "clients": every}]
    return msgspec.json.encode({"server": {"groups": groups, "streams": found, "more": [1]}})


def test_clients_have_their_own_name_or_their_computers() -> None:
    server = read_status(status(clients=3))
    assert [each.name for each in server.clients()] == ["raspberrypi", "Küche"]
    assert [each.level for each in server.clients()] == [1.0, 1.0]
    found = server.place_of("c1")
    assert found is not None
    assert (found[0].stream_id, found[1].connected) == ("Radio", False)
    assert server.place_of("nobody") is None


def test_no_more_clients_than_may_be_shown() -> None:
    assert len(read_status(status(clients=250)).clients()) == MAX_SPEAKERS


@pytest.mark.parametrize(
    ("name", "raw", "port"),
    [
        ("Stagebox", RAW, 4953),
        ("Stagebox 2", RAW.replace("4953", "4954"), 4954),
        ("Radio", RAW, None),
        ("Stagebox", RAW.replace("tcp:", "pipe:"), None),
        ("Stagebox", RAW + "&mode=server", 4953),
        ("Stagebox", RAW + "&mode=client", None),
        ("Stagebox", RAW.replace(":16:2", ":16:1"), None),
        ("Stagebox", RAW.replace("4953", "99999"), None),
        ("Stagebox", RAW + "&a" * 100, None),
        ("Stagebox", "", None),
    ],
)
def test_only_sources_that_wait_for_us_are_ours(name: str, raw: str, port: int | None) -> None:
    assert read_status(status((name, raw))).lanes().get(name) == port


def test_a_space_has_one_source_and_another_space_another() -> None:
    lanes = {"Stagebox": 1, "Stagebox 2": 2}
    assert free_lane(lanes, {}, "main") == ("Stagebox", 1)
    assert free_lane(lanes, {"Stagebox": "main"}, "main") == ("Stagebox", 1)
    assert free_lane(lanes, {"Stagebox": "main"}, "side") == ("Stagebox 2", 2)
    with pytest.raises(SpeakerError, match="another port"):
        free_lane({"Stagebox": 1}, {"Stagebox": "main"}, "side")
    with pytest.raises(SpeakerError, match=str(LANE_PORT)) as refused:
        free_lane({}, {}, "main")
    assert refused.value.cause is Cause.NOT_ALLOWED


def test_answers_and_news_are_told_apart() -> None:
    said = read_line(b'{"id":4,"jsonrpc":"2.0","result":{"a":1}}')
    assert (said.id, bytes(said.result), said.error) == (4, b'{"a":1}', None)
    assert read_line(b'{"method":"Server.OnUpdate","params":{}}').method == "Server.OnUpdate"
    fault = read_line(b'{"id":4,"error":{"code":-1,"message":"no","data":[]}}').error
    assert fault is not None
    assert fault.message == "no"


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for read in (read_line, read_status):
        try:
            read(data)
        except SpeakerError as error:
            assert error.cause is Cause.BAD_ANSWER
