import pytest

from device.buttons.lamps import PATTERNS
from device.floor.model import Say
from device.floor.prompts import SECRET, Prompt
from device.network import ASKABLE, LAMPS, PROMPTS, Network
from stagebox.netstate import NetworkState, NetworkStep


def state(step: NetworkStep, number: int = 1, **more: object) -> NetworkState:
    return NetworkState(number=number, step=step, **more)  # type: ignore[arg-type]


def test_each_step_has_a_prompt_and_each_trouble_a_lamp() -> None:
    assert set(PROMPTS) == set(NetworkStep) - {NetworkStep.QUIET}
    assert set(LAMPS.values()) <= set(PATTERNS)


def test_a_step_is_said_once_and_again_when_it_is_told_again() -> None:
    network = Network()
    away = state(NetworkStep.AWAY, detail="home")
    assert network.feed(away) == [Say(Prompt.NET_AWAY, name="home")]
    assert network.feed(away) == []
    assert network.feed(state(NetworkStep.AWAY, 2)) == [Say(Prompt.NET_AWAY)]
    assert network.lamp == "no_network"


@pytest.mark.parametrize("step", [NetworkStep.CABLE, NetworkStep.JOINED, NetworkStep.QUIET])
def test_that_all_is_well_is_no_news_at_the_start(step: NetworkStep) -> None:
    network = Network()
    assert network.feed(state(step)) == []
    assert network.lamp is None
    assert network.feed(None) == []
    assert network.lamp is None


def test_a_network_that_comes_is_news() -> None:
    network = Network()
    network.feed(state(NetworkStep.JOINING))
    assert network.feed(state(NetworkStep.JOINED, 2, detail="home")) == [
        Say(Prompt.NET_JOINED, name="home")
    ]
    assert network.feed(state(NetworkStep.QUIET, 3)) == []


def test_the_hotspot_s_key_is_said_in_groups_and_is_a_secret() -> None:
    network = Network()
    said = network.feed(state(NetworkStep.HOTSPOT, detail="Stagebox-1", secret="123456789012"))
    assert said == [
        Say(Prompt.NET_HOTSPOT, name="Stagebox-1"),
        Say(Prompt.NET_HOTSPOT_KEY, name="1 2 3 4, 5 6 7 8, 9 0 1 2"),
    ]
    assert Prompt.NET_HOTSPOT_KEY in SECRET
    assert network.lamp == "hotspot"
    assert len(network.feed(state(NetworkStep.HOTSPOT, 2))) == 1


def test_a_mistake_in_the_file_is_said_with_its_line() -> None:
    said = Network().feed(state(NetworkStep.BAD_FILE, detail="kee", line=3))
    assert said == [Say(Prompt.NET_BAD_FILE, 3, name="kee")]


def test_when_a_finger_gets_a_network_instead_of_a_hub() -> None:
    network = Network()
    assert not network.wants_set_up
    for step in NetworkStep:
        network.feed(state(step))
        assert network.wants_set_up == (step in ASKABLE)
    assert not ASKABLE & {NetworkStep.JOINED, NetworkStep.CABLE, NetworkStep.JOINING}
