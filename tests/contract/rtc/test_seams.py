"""The private names this product needs are where it expects them."""

import ast
import dataclasses
import importlib
from importlib.metadata import version
from pathlib import Path
from types import FunctionType

import pytest

import stagebox.rtc
from stagebox.rtc.seams import SEAMS, Form, Seam, SeamError, verify_seams

PACKAGE = Path(next(iter(stagebox.rtc.__path__)))


def owner_of(seam: Seam) -> object:
    module, _, name = seam.owner.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, name) if name else loaded


def name_of(seam: Seam) -> str:
    return f"{seam.owner}.{seam.name}"


def test_the_installed_versions_are_the_pinned_ones() -> None:
    assert (version("aiortc"), version("aioice")) == ("1.16.0", "0.13.0")
    verify_seams()


@pytest.mark.parametrize("seam", SEAMS, ids=name_of)
def test_a_missing_name_is_named(seam: Seam, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = owner_of(seam)
    if seam.form is Form.MEMBER:
        monkeypatch.delattr(owner, seam.name)
    else:
        _forget(owner, seam.name, monkeypatch)
    # This seam alone: a function that is gone takes other seams with it.
    with pytest.raises(SeamError) as caught:
        verify_seams([seam])
    sentence = str(caught.value)
    assert seam.owner in sentence
    assert seam.name in sentence
    assert seam.use in sentence
    assert version(seam.owner.partition(".")[0].partition(":")[0]) in sentence


def _forget(owner: object, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away every function and declaration of a class that makes ``field``."""
    for name, member in list(vars(owner).items()):
        if isinstance(member, FunctionType) and field in member.__code__.co_names:
            monkeypatch.setattr(owner, name, lambda: None)
    declared = {k: v for k, v in vars(owner).get("__annotations__", {}).items() if k != field}
    monkeypatch.setattr(owner, "__annotations__", declared, raising=False)


def test_a_missing_owner_is_named() -> None:
    for owner in ("aioice.ice:Nothing", "aioice.nothing:Connection"):
        with pytest.raises(SeamError, match="no longer exists, nor its x, which is needed to y"):
            verify_seams([Seam(owner, "x", "y")])


def test_changed_arguments_are_named() -> None:
    seam = next(seam for seam in SEAMS if seam.name == "get_host_addresses")
    changed = dataclasses.replace(seam, parameters=("use_ipv4", "use_ipv6", "scope"))
    with pytest.raises(SeamError, match=r"\(use_ipv4, use_ipv6, scope\) to \(use_ipv4, use_ipv6\)"):
        verify_seams([changed])


def test_every_private_name_in_the_package_is_listed() -> None:
    used = {name for path in PACKAGE.glob("*.py") for name in _private_names(path)}
    assert used, "the package uses private names, or this test reads nothing"
    assert used <= {seam.name for seam in SEAMS}


def _private_names(path: Path) -> set[str]:
    """Private attributes of anything but ``self`` and ``cls``."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.endswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    }
