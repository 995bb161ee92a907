"""Fetching a release from whoever has the hub's certificate and means harm."""

import hashlib
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from provisioning.update.fetch import HubReleases
from stagebox.health import HubAt
from stagebox.release import MAX_ENVELOPE, Here, Reason, ReleaseError, ReleaseRole
from tests.support.releases import Maker

HERE = Here(role=ReleaseRole.BOX, architecture="arm64", python="3.11")
PIECE = b"\0" * (1 << 16)


class Evil(BaseHTTPRequestHandler):
    """Answers as its server's ``how`` says."""

    def do_GET(self) -> None:
        how = self.server.how  # type: ignore[attr-defined]
        if how == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/")
            self.end_headers()
        elif how == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(PIECE)
            except OSError:
                pass
        elif how == "short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        elif how == "nonsense":
            self.wfile.write(b"\xff\xff no http at all\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    how = ""

    def handle_error(self, *_: object) -> None:
        pass  # a client that does not like what it gets hangs up


def _certificate(folder: Path) -> tuple[Path, str]:
    """Return a file with a certificate that is expired long since, and its pin."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    then = datetime.now(UTC) - timedelta(days=4000)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(then)
        .not_valid_after(then + timedelta(days=1))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "hub.pem"
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path, hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


@pytest.fixture
def evil(tmp_path: Path) -> Iterator[tuple[Server, HubAt]]:
    path, pin = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = Server(("127.0.0.1", 0), Evil)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server, HubAt(host="127.0.0.1", port=server.server_address[1], pin=pin)
    server.shutdown()
    thread.join(20)
    server.server_close()


def test_no_more_is_loaded_than_was_signed(evil: tuple[Server, HubAt], tmp_path: Path) -> None:
    server, at = evil
    server.how = "endless"
    manifest = Maker(tmp_path / "r", tmp_path / "k").manifest(105, b"x" * 100_000)
    with pytest.raises(ReleaseError) as caught:
        HubReleases(at).download(manifest, tmp_path / "archive")
    assert caught.value.reason is Reason.TOO_LARGE
    assert (tmp_path / "archive").stat().st_size <= manifest.size
    found = HubReleases(at).offer(HERE)
    assert found is not None
    assert len(found) == MAX_ENVELOPE + 1  # which no manifest is


def test_an_archive_that_breaks_off_is_loaded_as_far_as_it_goes(
    evil: tuple[Server, HubAt], tmp_path: Path
) -> None:
    server, at = evil
    server.how = "short"
    manifest = Maker(tmp_path / "r", tmp_path / "k").manifest(105, b"x" * 1000)
    HubReleases(at).download(manifest, tmp_path / "archive")  # its size is compared afterwards
    assert (tmp_path / "archive").stat().st_size == 10


@pytest.mark.parametrize("how", ["redirect", "nonsense", "nothing"])
def test_a_hub_that_answers_otherwise_is_not_followed(how: str, evil: tuple[Server, HubAt]) -> None:
    server, at = evil
    server.how = how
    with pytest.raises(ReleaseError) as caught:
        HubReleases(at).offer(HERE)
    assert caught.value.reason is Reason.UNREACHABLE
