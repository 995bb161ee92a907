"""What a box says of itself in a file, which release this is, and whose releases are trusted."""

import asyncio
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from stagebox import health
from stagebox.health import Health, keep, read_health
from stagebox.installed import Installed, installed, software
from stagebox.release import Reason, ReleaseError
from stagebox.releasekeys import trusted
from tests.support.releases import Maker

WELL = Health(pid=7, build=105, joined=True, audio=True)


async def test_the_file_follows_the_box_and_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "EVERY_S", 0.01)
    path, looks = tmp_path / "health.json", [WELL]
    keeping = asyncio.create_task(keep(lambda: looks[-1], path))
    for _ in range(2):
        async with asyncio.timeout(20):
            while read_health(path) != looks[-1]:  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.01)
        assert path.stat().st_mode & 0o777 == 0o644
        looks.append(replace(WELL, busy=True))
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_where_nobody_wants_to_know_nothing_is_kept(tmp_path: Path) -> None:
    await keep(lambda: WELL, tmp_path / "missing" / "health.json")
    assert read_health(tmp_path / "missing" / "health.json") is None


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'{"pid": "x"}', b"[" * 5000])
def test_a_file_that_says_nothing_is_no_health(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    path.write_bytes(text)
    assert read_health(path) is None
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert read_health(path) is None


def test_a_checkout_is_no_release_and_says_so(tmp_path: Path) -> None:
    assert installed(tmp_path).build == 0
    assert "+" not in software(installed(tmp_path))
    (tmp_path / "release.json").write_text('{"version": "0.6.0", "build": 412}')
    assert installed(tmp_path) == Installed(version="0.6.0", build=412)
    assert software(installed(tmp_path)) == "stagebox 0.6.0+412"
    (tmp_path / "release.json").write_text("{")
    assert installed(tmp_path).build == 0


def test_any_trusted_key_will_do_and_no_other(tmp_path: Path) -> None:
    ours = Maker(tmp_path / "a", tmp_path / "keys-a")
    theirs = Maker(tmp_path / "b", tmp_path / "keys-b")
    both = trusted([tmp_path / "keys-a", tmp_path / "keys-b", tmp_path / "none"])
    for maker in (ours, theirs):
        assert both(maker.private.sign(b"data"), b"data")
    assert not ours.verify()(theirs.private.sign(b"data"), b"data")
    assert not both(b"short", b"data")


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_a_key_that_is_none_trusts_nobody(text: str, tmp_path: Path) -> None:
    (tmp_path / "release.pem").write_text(text)
    with pytest.raises(ReleaseError) as caught:
        trusted([tmp_path])
    assert caught.value.reason is Reason.NO_KEY
    (tmp_path / "release.pem").unlink()
    with pytest.raises(ReleaseError, match="updates are off"):
        trusted([tmp_path])
