"""HTTPS of the hub's own: what it is good for, and that it is as guarded as the plain one."""

import asyncio
import datetime as dt
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from hub.config import HubConfig, WebConfig
from hub.control import secure
from hub.control.secure import Secure
from hub.web import certificate
from hub.web.certificate import CertificateError, Certificates
from tests.loopback.hub.crew import Guest, Hub, crew, until
from tests.loopback.web.kit import Browser, a_hub
from tests.support.crew import free_port


async def trusted(hub: Hub) -> ssl.SSLContext:
    """Do as a phone that installs the authority: trust it, and nothing else."""
    async with aiohttp.ClientSession() as http, http.get(hub.url("/hub.crt")) as answer:
        assert answer.content_type == "application/x-x509-ca-cert"
        installed = x509.load_der_x509_certificate(await answer.read())
    pem = installed.public_bytes(serialization.Encoding.PEM).decode()
    return ssl.create_default_context(cadata=pem)


async def test_who_trusts_the_authority_sees_a_good_page(tmp_path: Path) -> None:
    port = free_port()
    async with a_hub(tmp_path, secure_port=port) as hub, Browser(hub) as browser:
        context = await trusted(hub)
        for host in ("127.0.0.1", "localhost", "[::1]"):
            url = f"https://{host}:{port}/api/v1/hub"
            async with browser.http.get(url, ssl=context) as answer:
                assert (await answer.json())["secure_port"] == port
        named = {"json": {"name": "Anna"}, "ssl": context}
        async with browser.http.put(f"https://127.0.0.1:{port}/api/v1/me", **named) as answer:
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-stagebox_visitor=")
        assert "Secure" in cookie
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await browser.http.get(f"https://127.0.0.1:{port}/")


async def test_a_login_in_the_clear_is_none_over_https(tmp_path: Path) -> None:
    port = free_port()
    async with a_hub(tmp_path, secure_port=port) as hub, Browser(hub) as browser:
        await browser.administer()
        anna = await browser.name("Anna")
        context, cookies = await trusted(hub), {"Cookie": browser.cookies}
        url = f"https://127.0.0.1:{port}/api/v1/me"
        async with (
            aiohttp.ClientSession() as http,
            http.get(url, ssl=context, headers=cookies) as answer,
        ):
            me = await answer.json()
        assert me["admin"] is False
        assert me["id"] == anna["id"]  # a guest who comes over for the microphone stays who it is


async def test_a_member_talks_over_tls_with_whoever_is_there(tmp_path: Path) -> None:
    port = free_port()
    anna = Guest("Anna", number=1)
    async with a_hub(tmp_path, secure_port=port) as hub, crew(anna):
        await anna.enter(hub)
        connector = aiohttp.TCPConnector(ssl=await trusted(hub))
        async with aiohttp.ClientSession(connector=connector) as http:
            url = f"wss://127.0.0.1:{port}/member/v1"
            async with http.ws_connect(url, headers={"Origin": f"https://127.0.0.1:{port}"}) as ws:
                assert '"t":"challenge"' in await ws.receive_str()
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(url, headers={"Origin": hub.url("")})


async def test_strangers_are_counted_before_they_shake_hands_and_cut_in_time(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with a_hub(tmp_path, secure_port=port, sockets_per_address=3, request_s=0.5) as hub:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await until(lambda: hub.server.strangers == 3)
        refused, closing = await asyncio.open_connection("127.0.0.1", port)
        assert await refused.read() == b""
        closing.close()
        assert hub.value("stagebox_refused_connections_total", reason="address_cap") == 1
        for reader, writer in silent:
            assert await reader.read() == b""
            writer.close()
        await until(lambda: hub.server.strangers == 0)
        cut = hub.value("stagebox_refused_connections_total", reason="request_deadline")
        assert cut == 3


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff", b"\x00" * 64]
)
async def test_what_is_no_tls_is_closed_and_nobody_is_left(
    tmp_path: Path, first: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with a_hub(tmp_path, secure_port=port, request_s=2) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        writer.write_eof()
        await reader.read()
        writer.close()
        await until(lambda: hub.server.strangers == 0)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_taken_port_leaves_the_hub_without_https_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        async with a_hub(tmp_path, secure_port=port) as hub, Browser(hub) as browser:
            assert (await browser.ask("GET", "/hub")).json["secure_port"] == 0
            async with browser.http.get(hub.url("/hub.crt")) as answer:
                assert answer.status == 404
    assert "No HTTPS" in caplog.text


def test_the_authority_stays_and_its_certificate_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Certificates(tmp_path, "Hub")
    assert first.refresh(["kitchen.local", "192.168.1.5"])
    assert not first.refresh(["kitchen.local"])
    again = Certificates(tmp_path, "Another name")
    assert not again.refresh(["kitchen.local", "192.168.1.5"])
    assert again.der == first.der
    # Another address, and a clock that is nearly at the end.
    assert again.refresh(["kitchen.local", "10.0.0.9"])
    later = certificate.utc_now() + dt.timedelta(days=750)
    monkeypatch.setattr(certificate, "utc_now", lambda: later)
    assert again.refresh(["kitchen.local", "10.0.0.9"])
    assert again.der == first.der
    for name in ("authority.key", "https.key"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_the_authority_signs_for_nobody_outside(tmp_path: Path) -> None:
    hub = Certificates(tmp_path, "Hub")
    hub.refresh(["kitchen.local"])
    hub.refresh(["kitchen.local", "bank.example", "8.8.8.8", "192.168.1.9"])
    signed = x509.load_pem_x509_certificate((tmp_path / "https.crt").read_bytes())
    assert certificate._names_in(signed) == {"kitchen.local", "192.168.1.9"}
    authority = x509.load_der_x509_certificate(hub.der)
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    lasts = signed.not_valid_after_utc - signed.not_valid_before_utc
    assert lasts <= dt.timedelta(days=825)


def test_a_damaged_file_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "authority.crt").write_text("nonsense")
    (tmp_path / "authority.key").write_text("nonsense")
    with pytest.raises(CertificateError, match=str(tmp_path)):
        Certificates(tmp_path, "Hub").refresh(["kitchen.local"])


async def test_a_new_address_is_noticed_while_the_hub_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure, "RENEW_S", 0.01)
    port = free_port()
    opened = Secure.open(
        HubConfig(bind=("127.0.0.1",), web=WebConfig(secure_port=port)),
        tmp_path,
        frozenset({"localhost"}),
        None,
    )
    assert opened is not None
    monkeypatch.setattr(secure, "_addresses", lambda: frozenset({"10.9.8.7"}))
    task = asyncio.create_task(opened.renew())
    signed = tmp_path / "https.crt"

    def has_it() -> bool:
        found = x509.load_pem_x509_certificate(signed.read_bytes())
        return "10.9.8.7" in certificate._names_in(found)

    await until(has_it)
    task.cancel()
    for each in opened.sockets:
        each.close()


async def test_https_can_be_turned_off(tmp_path: Path) -> None:
    async with a_hub(tmp_path, secure_port=0) as hub, Browser(hub) as browser:
        assert (await browser.ask("GET", "/hub")).json["secure_port"] == 0
        assert not (tmp_path / "https.crt").exists()
