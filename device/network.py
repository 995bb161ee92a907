"""What a box says and shows of its network's set-up, which another program sees to. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device.floor.model import Say
from device.floor.prompts import Prompt
from stagebox.netstate import NetworkState, NetworkStep, groups

PROMPTS: Final[Mapping[NetworkStep, Prompt]] = MappingProxyType(
    {step: Prompt(f"net_{step.value}") for step in NetworkStep if step is not NetworkStep.QUIET}
)
# What the lamp shows in place of "no hub": it waits for a phone, or somebody has to mend it.
LAMPS: Final[Mapping[NetworkStep, str]] = MappingProxyType(
    {
        NetworkStep.HOTSPOT: "hotspot",
        NetworkStep.WRONG_KEY: "no_network",
        NetworkStep.NO_ADDRESS: "no_network",
        NetworkStep.NOT_FOUND: "no_network",
        NetworkStep.NO_ROUTE: "no_network",
        NetworkStep.JOIN_FAILED: "no_network",
        NetworkStep.AWAY: "no_network",
        NetworkStep.BAD_FILE: "no_network",
        NetworkStep.NO_COUNTRY: "no_network",
        NetworkStep.HOTSPOT_OVER: "no_network",
        NetworkStep.HOTSPOT_FAILED: "no_network",
        NetworkStep.NO_RADIO: "no_network",
        NetworkStep.NO_MANAGER: "no_network",
    }
)
# Then a finger that asks for a hub is given a network first.
ASKABLE: Final = frozenset(LAMPS) - {NetworkStep.NO_RADIO, NetworkStep.NO_MANAGER} | {
    NetworkStep.QUIET
}


class Network:
    """Where the network stands, as it was told last."""

    def __init__(self) -> None:
        self._told: NetworkState | None = None

    def feed(self, state: NetworkState | None) -> list[Say]:
        """Take what the file says now, None without one; return what is new to be said."""
        if state == self._told:
            return []
        was, self._told = self._told, state
        # The box may start long after its network: that it is there is no news then.
        is_old = was is None and state is not None and state.step in _FINE
        return [] if state is None or is_old else _said(state)

    @property
    def lamp(self) -> str | None:
        """The name of the lamp's pattern; None: the network is no trouble."""
        return None if self._told is None else LAMPS.get(self._told.step)

    @property
    def wants_set_up(self) -> bool:
        """Whether there is no network, and somebody could set one up."""
        return self._told is not None and self._told.step in ASKABLE


_FINE: Final = frozenset({NetworkStep.CABLE, NetworkStep.JOINED, NetworkStep.QUIET})


def _said(state: NetworkState) -> list[Say]:
    prompt = PROMPTS.get(state.step)
    if prompt is None:
        return []
    number = state.line if state.step is NetworkStep.BAD_FILE else None
    said = [Say(prompt, number, name=state.detail or None)]
    if state.step is NetworkStep.HOTSPOT and state.secret:
        said.append(Say(Prompt.NET_HOTSPOT_KEY, name=groups(state.secret)))
    return said
