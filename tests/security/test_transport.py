"""What a hub's TLS port refuses: everything before TLS 1.3 where a box is asked for."""

import hashlib
import socket
import ssl
import warnings
from pathlib import Path

import pytest

from hub.trust.certificates import BoxCertificates
from stagebox.wire.sni import ENROL_NAME, server_name
from tests.support.crew import Hub, free_port, running

_S = 20.0
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


@pytest.mark.timeout(120)
def test_case_27_no_box_is_spoken_to_by_an_older_tls(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "hub.toml").write_text(f"[web]\nsecure_port = {port}\n")
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")), enrolled=True)
    with running(hub):
        hub.wait_up()
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
