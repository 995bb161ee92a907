"""What a box says of itself to whoever looks after its machine."""

from device.link.candidates import Candidate, Source
from device.view.status import Status
from device.wellbeing import health, hub_at
from stagebox.health import HubAt

HUB = Candidate("wss://192.168.1.10:7443/api/v1/member", Source.LAST, pin="ab" * 32)


def test_a_box_that_is_well() -> None:
    status = Status("Kitchen", link="up")
    told = health(status, HUB, pid=7, build=105, audio=True)
    assert (told.pid, told.build, told.joined, told.audio, told.busy) == (7, 105, True, True, False)
    assert told.hub == HubAt(host="192.168.1.10", port=7443, pin="ab" * 32)
    status.talkers = ("Ada",)
    assert health(status, HUB, pid=7, build=105, audio=False).busy


def test_a_box_without_its_hub_is_not_joined() -> None:
    for status, candidate in ((Status("x", link="down"), HUB), (Status("x", link="up"), None)):
        told = health(status, candidate, pid=7, build=105, audio=True)
        assert not told.joined
        assert told.hub is None


def test_where_a_hub_was_reached() -> None:
    plain = hub_at(Candidate("ws://[::1]:7300/x", Source.LAST))
    assert plain == HubAt(host="::1", port=7300)
    usual = hub_at(Candidate("wss://hub.local/x", Source.LAST))
    assert usual is not None
    assert usual.port == 443
    assert hub_at(Candidate("nowhere", Source.LAST)) is None
