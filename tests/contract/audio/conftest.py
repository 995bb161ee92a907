"""A sound server for the tests of this folder, and the environment to use it here."""

from collections.abc import Iterator

import pytest

from tests.support.pulse import PulseServer, missing, pulse_server


@pytest.fixture(scope="session")
def server() -> Iterator[PulseServer]:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())}")
    pytest.importorskip("pyaudio")
    with pulse_server() as running:
        running.add_card("loop", loop=True)
        yield running


@pytest.fixture
def cards(server: PulseServer, monkeypatch: pytest.MonkeyPatch) -> PulseServer:
    """The server's cards in this process."""
    for name in ("PULSE_SERVER", "PULSE_COOKIE", "ALSA_CONFIG_PATH", "JACK_NO_START_SERVER"):
        monkeypatch.setenv(name, server.env[name])
    return server
