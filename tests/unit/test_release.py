"""Manifests: what is believed, and what a machine may take."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stagebox.release import (
    FORMAT,
    MAX_ENVELOPE,
    MAX_FAILURES,
    Architecture,
    Here,
    Manifest,
    Reason,
    ReleaseError,
    ReleaseRole,
    check,
    seal,
    unseal,
)

MANIFEST = Manifest(
    format="stagebox-release/1",
    version="0.6.0",
    build=105,
    role=ReleaseRole.BOX,
    architecture=Architecture.ARM64,
    python="3.11",
    made="2026-11-21",
    size=1000,
    sha256="ab" * 32,
    unpacked=4000,
)
TEXT = msgspec.json.encode(MANIFEST)
GOOD = b"g" * 64
HERE = Here(role=ReleaseRole.BOX, architecture="arm64", python="3.11", build=100)


def verify(signature: bytes, data: bytes) -> bool:
    return signature == GOOD and data == TEXT


def refused(envelope: bytes) -> Reason:
    with pytest.raises(ReleaseError) as caught:
        unseal(envelope, verify)
    return caught.value.reason


def test_what_is_sealed_is_unsealed() -> None:
    assert unseal(seal(TEXT, GOOD), verify) == MANIFEST
    assert MANIFEST.stem == "stagebox-box-arm64-py3.11-105"


def test_nothing_is_read_before_the_signature_holds() -> None:
    assert refused(seal(TEXT, b"x" * 64)) is Reason.BAD_SIGNATURE
    assert refused(seal(TEXT + b" ", GOOD)) is Reason.BAD_SIGNATURE
    assert refused(seal(b"{not json", GOOD)) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        TEXT,
        b"stagebox-release/2 eA==\n" + TEXT,
        b"stagebox-release/1 ***\n" + TEXT,
        b"x" * (MAX_ENVELOPE + 1),
    ],
    ids=["empty", "no envelope", "other format", "no base64", "long"],
)
def test_what_is_no_envelope_is_malformed(envelope: bytes) -> None:
    assert refused(envelope) is Reason.MALFORMED


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{",
        b"\xff",
        TEXT.replace(b'"size":1000', b'"size":10737418240'),
        TEXT.replace(b'"sha256":"ab', b'"sha256":"zz'),
        TEXT.replace(b'"build":105', b'"build":0'),
        TEXT.replace(b'"version":"0.6.0"', b'"version":"../x"'),
        TEXT.replace(b'"made"', b'"more":1,"made"'),
        TEXT.replace(FORMAT.encode(), b"stagebox-release/9"),
        b"[" * 10_000,
    ],
)
def test_a_signed_manifest_that_is_none_is_malformed(text: bytes) -> None:
    with pytest.raises(ReleaseError) as caught:
        unseal(seal(text, GOOD), lambda _signature, _data: True)
    assert caught.value.reason is Reason.MALFORMED


@given(st.binary(max_size=400))
def test_no_bytes_are_believed_unsigned(envelope: bytes) -> None:
    assert refused(envelope) in {Reason.MALFORMED, Reason.BAD_SIGNATURE}


def test_a_newer_release_is_taken() -> None:
    check(MANIFEST, HERE)
    check(MANIFEST, replace(HERE, build=0))
    check(MANIFEST, replace(HERE, failed={105: MAX_FAILURES - 1}))


@pytest.mark.parametrize(
    ("here", "reason"),
    [
        (replace(HERE, role=ReleaseRole.HUB), Reason.WRONG_ROLE),
        (replace(HERE, architecture="amd64"), Reason.WRONG_MACHINE),
        (replace(HERE, python="3.13"), Reason.WRONG_MACHINE),
        (replace(HERE, build=105), Reason.OLDER),
        (replace(HERE, build=106), Reason.OLDER),
        (replace(HERE, failed={105: MAX_FAILURES}), Reason.FAILED_BEFORE),
    ],
)
def test_what_does_not_fit_is_refused(here: Here, reason: Reason) -> None:
    with pytest.raises(ReleaseError) as caught:
        check(MANIFEST, here)
    assert caught.value.reason is reason
    assert str(caught.value) == caught.value.detail


def test_some_go_only_after_others() -> None:
    with pytest.raises(ReleaseError) as caught:
        check(replace(MANIFEST, after=101), HERE)
    assert caught.value.reason is Reason.TOO_FAR
    check(replace(MANIFEST, after=100), HERE)


def test_an_older_one_only_where_it_is_signed_that_it_may() -> None:
    back = replace(MANIFEST, back_from=(107, 108))
    check(back, replace(HERE, build=107))
    with pytest.raises(ReleaseError):
        check(back, replace(HERE, build=109))


def test_a_person_may_try_again_what_failed() -> None:
    check(MANIFEST, replace(HERE, failed={105: 9}), insist=True)
