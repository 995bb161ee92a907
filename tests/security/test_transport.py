"""A hub's ports: no TLS before 1.3 where a box is asked for, and room for a crowd that comes."""

import contextlib
import hashlib
import os
import select
import signal
import socket
import ssl
import time
import warnings
from pathlib import Path

import pytest

from hub.trust.certificates import BoxCertificates
from stagebox.wire.sni import ENROL_NAME, server_name
from tests.support.crew import Hub, free_port, running, wait_until

_S = 20.0
# For a state that a machine which others use comes to.
PATIENCE_S = 120.0
OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2)


def shaken(port: int, name: str, version: ssl.TLSVersion) -> tuple[str | None, str]:
    """Return the version that was agreed on, and the certificate's hash; SSLError if refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # Else this end would refuse before it asked.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port), _S) as plain,
        context.wrap_socket(plain, server_hostname=name) as line,
    ):
        shown = line.getpeercert(binary_form=True) or b""
        return line.version(), hashlib.sha256(shown).hexdigest()


@pytest.mark.timeout(400)
def test_case_27_no_box_is_spoken_to_by_an_older_tls(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "hub.toml").write_text(f"[web]\nsecure_port = {port}\n")
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")), enrolled=True)
    with running(hub):
        wait_until(hub.is_up, PATIENCE_S, "the hub answers")
        pin = BoxCertificates(tmp_path / "hub").pins[0]
        for name in (server_name(pin), ENROL_NAME):
            assert shaken(port, name, ssl.TLSVersion.TLSv1_3) == ("TLSv1.3", pin)
            for version in OLD:
                with pytest.raises(ssl.SSLError) as refused:
                    shaken(port, name, version)
                # By the hub, in a word or by hanging up, and not by this end.
                said = str(refused.value)
                assert "ALERT" in said or "EOF" in said or "reset" in said, (name, version, said)
        # A browser of before 2018 is no box, and no box's certificate is shown to it.
        agreed, shown = shaken(port, "localhost", ssl.TLSVersion.TLSv1_2)
        assert (agreed, shown != pin) == ("TLSv1.2", True)


CROWD = 600


@pytest.mark.timeout(400)
def test_case_15_a_crowd_that_comes_while_the_hub_is_busy_finds_room(tmp_path: Path) -> None:
    """Else whoever comes then, and be it a member, asks again after TCP's second or three."""
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    if most < CROWD:
        pytest.skip(f"this kernel keeps {most} connections: sysctl net.core.somaxconn=4096")
    hub = Hub(tmp_path, free_port())
    with running(hub), contextlib.ExitStack() as stack:
        wait_until(hub.is_up, PATIENCE_S, "the hub answers")
        crowd = []
        os.kill(hub.pid, signal.SIGSTOP)
        try:
            for number in range(CROWD):
                each = stack.enter_context(socket.socket())
                each.setblocking(False)
                each.bind((f"127.0.9.{number % 200 + 2}", 0))
                with contextlib.suppress(BlockingIOError):
                    each.connect(("127.0.0.1", hub.port))
                crowd.append(each)
            ends, missing = time.monotonic() + PATIENCE_S, set(crowd)
            while missing and time.monotonic() < ends:
                missing -= set(select.select([], list(missing), [], 1.0)[1])
            assert not missing, f"{len(missing)} of {CROWD} wait outside"
        finally:
            os.kill(hub.pid, signal.SIGCONT)
