"""The address of a speech-to-text service."""

import pytest

from hub.captions.service import Service


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("tcp://whisper.local:10300", "whisper.local", 10300),
        ("tcp://192.168.1.5:10300", "192.168.1.5", 10300),
        ("tcp://[fe80::1]:10300", "fe80::1", 10300),
    ],
)
def test_addresses(address: str, host: str, port: int) -> None:
    service = Service.of(address, "en", "tiny")
    assert service == Service(host, port, "en", "tiny")
    assert str(service).startswith("tcp://")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "whisper.local:10300",
        "tcp://whisper.local",
        "tcp://:10300",
        "tcp://host:port",
        "tcp://host:99999",
        "http://host:80",
        "unix:///run/x",
        "tcp://host:1/path",
        "tcp://host:1?q",
        "tcp://host:1#f",
        "tcp://user:secret@host:1",
        "tcp://[::1",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="use tcp://host:port"):
        Service.of(address)
