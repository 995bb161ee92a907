"""The guide says what the box says."""

from pathlib import Path

import pytest

from device.network import LAMPS, PROMPTS
from provisioning.bootfile import BootFileError, parse
from stagebox.netstate import NetworkStep
from stagebox.phrases import spoken

GUIDE = (Path(__file__).parents[3] / "docs/guide/setup.md").read_text(encoding="utf-8")
TABLE = GUIDE.partition("<!-- said -->")[2].partition("<!-- end -->")[0]


@pytest.mark.parametrize("step", sorted(set(LAMPS) - {NetworkStep.HOTSPOT}))
def test_each_trouble_is_in_the_table_in_the_box_s_own_words(step: NetworkStep) -> None:
    assert f'| "{spoken(f"say.{PROMPTS[step]}", number=2)}" |' in TABLE


@pytest.mark.parametrize("step", [NetworkStep.JOINED, NetworkStep.CABLE, NetworkStep.SCANNING])
def test_what_goes_well_is_told_as_it_sounds(step: NetworkStep) -> None:
    assert spoken(f"say.{PROMPTS[step]}") in GUIDE


def test_the_example_is_a_boot_file() -> None:
    lines = [line.strip() for line in GUIDE.splitlines() if line.startswith("        ")]
    file = parse("\n".join(lines).encode())
    assert file.wifi is not None
    assert file.country == "DE"


def test_every_key_is_in_the_table() -> None:
    for key in (
        "country",
        "ssid",
        "key",
        "hidden",
        "name",
        "language",
        "hub",
        "hub_pin",
        "ssh_key",
    ):
        assert f"| `{key}` |" in GUIDE
    with pytest.raises(BootFileError):
        parse(b'other = "x"')
