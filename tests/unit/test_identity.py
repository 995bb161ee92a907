"""The key pair: made once, kept private, never replaced silently, whole after a power cut."""

import base64
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from stagebox.identity import FILE_NAME, Identity, IdentityError
from stagebox.statefile import make_state_dir, write_atomic
from stagebox.wire.handshake import member_id


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_made_once_and_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    made = Identity.load_or_create(state)
    assert mode(state) == 0o700
    assert mode(state / FILE_NAME) == 0o600
    assert [path.name for path in state.iterdir()] == [FILE_NAME]
    found = Identity.load_or_create(state)
    assert (found.key, found.id) == (made.key, made.id)
    assert len(made.key) == 44
    assert made.id == member_id(made.key)


def test_the_signature_belongs_to_the_key() -> None:
    identity = Identity.generate()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(identity.key))
    public.verify(identity.sign(b"data"), b"data")
    assert Identity.generate().key != identity.key


@pytest.mark.parametrize("text", [b"", b"not base64!", base64.b64encode(b"short"), b"\xff" * 44])
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / FILE_NAME
    write_atomic(path, text)
    with pytest.raises(IdentityError, match="is damaged: restore it"):
        Identity.load_or_create(tmp_path)
    assert path.read_bytes() == text


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, bits: int) -> None:
    Identity.load_or_create(tmp_path)
    path = tmp_path / FILE_NAME
    before = path.read_bytes()
    path.chmod(bits)
    with pytest.raises(IdentityError, match="chmod 600"):
        Identity.load_or_create(tmp_path)
    assert path.read_bytes() == before


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IdentityError, match="cannot be used"):
        Identity.load_or_create(tmp_path)


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError, match="own and write"):
        Identity.load_or_create(tmp_path / "file" / "state")


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    write_atomic(path, b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_a_power_cut_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".x.new").write_bytes(b"half of something longer")
    write_atomic(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_state_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    make_state_dir(tmp_path)
    assert mode(tmp_path) == 0o750
