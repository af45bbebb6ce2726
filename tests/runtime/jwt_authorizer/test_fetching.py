"""How keys are fetched: over TLS that is checked, from the address that was said, in bounded time and size."""

import contextlib
import datetime
import http.server
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from serverless_patterns_runtime.jwt_authorizer import fetching
from serverless_patterns_runtime.jwt_authorizer.fetching import Unreadable, key_source

from .issuer import jwks, rsa_key

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def says(text: str | bytes, status: int = 200, **headers: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        body = text.encode() if isinstance(text, str) else text
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


class Site:
    """An issuer's site on this machine: what it answers by path, and which paths it was asked for."""

    def __init__(self, port: int, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.over = threading.Event()


@contextmanager
def site(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            made.answers.get(self.path, says("", 404))(self)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is what we test
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made = Site(server.server_port, "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def issuer() -> Iterator[Site]:
    with site() as made:
        yield made


def get(issuer: Site, address: str | None = None, *, loopback: bool = True) -> str:
    return key_source(issuer.url, address, plain_loopback=loopback)()


def discovery(site: Site, **changed: Any) -> Answer:
    return says(json.dumps({"issuer": site.url, "jwks_uri": f"{site.url}/keys"} | changed))


WELL_KNOWN = "/.well-known/openid-configuration"


def test_an_address_is_asked_as_it_is(issuer: Site):
    issuer.answers["/keys?tenant=1"] = says(jwks())
    assert get(issuer, f"{issuer.url}/keys?tenant=1") == jwks()
    assert issuer.asked == ["/keys?tenant=1"]


def test_without_an_address_the_issuer_says_where_its_keys_are(issuer: Site):
    issuer.answers = {WELL_KNOWN: discovery(issuer), "/keys": says(jwks())}
    assert get(issuer) == jwks()
    assert issuer.asked == [WELL_KNOWN, "/keys"]


def test_an_issuer_with_a_path_and_a_slash_is_asked_below_it(issuer: Site):
    tenant = f"{issuer.url}/tenant/"
    issuer.answers = {f"/tenant{WELL_KNOWN}": discovery(issuer, issuer=tenant), "/keys": says(jwks())}
    assert key_source(tenant, None, plain_loopback=True)() == jwks()


WRONG_DOCUMENTS: list[Any] = [
    {"issuer": "https://forger.example"},
    {"issuer": None},
    {"jwks_uri": None},
    {"jwks_uri": 7},
    {"jwks_uri": ""},
    {"jwks_uri": "file:///etc/passwd"},
    {"jwks_uri": "ftp://127.0.0.1/keys"},
    {"jwks_uri": "http://issuer.example/keys"},
    {"jwks_uri": "//127.0.0.1/keys"},
    {"jwks_uri": "https://user:password@issuer.example/keys"},
    {"jwks_uri": "https://[::1/keys"},
    {"jwks_uri": "https://issuer.example:99999/keys"},
]


@pytest.mark.parametrize("changed", WRONG_DOCUMENTS, ids=repr)
def test_a_document_of_another_issuer_or_without_a_good_address_is_not_followed(issuer: Site, changed: Any):
    issuer.answers = {WELL_KNOWN: discovery(issuer, **changed), "/keys": says(jwks())}
    with pytest.raises(Unreadable):
        get(issuer)
    assert issuer.asked == [WELL_KNOWN]


@pytest.mark.parametrize("text", ["", "[]", "7", "null", "{}", "<html>", '{"issuer":1,"issuer":2}'])
def test_what_is_no_document_is_not_followed(issuer: Site, text: str):
    issuer.answers = {WELL_KNOWN: says(text), "/keys": says(jwks())}
    with pytest.raises(Unreadable):
        get(issuer)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308, 400, 404, 500, 503])
def test_any_status_but_200_is_no_answer_and_no_redirect_is_followed(issuer: Site, status: int):
    issuer.answers = {"/keys": says(jwks(), status, Location=f"{issuer.url}/other"), "/other": says(jwks())}
    with pytest.raises(Unreadable, match=f"answered {status}"):
        get(issuer, f"{issuer.url}/keys")
    assert issuer.asked == ["/keys"]


def test_more_than_a_key_set_can_be_is_not_read(issuer: Site):
    issuer.answers["/keys"] = says(jwks() + " " * (262_144 - len(jwks())))
    assert get(issuer, f"{issuer.url}/keys").strip() == jwks()
    issuer.answers["/keys"] = says(" " * 262_145)
    with pytest.raises(Unreadable, match="more than 262,144 bytes"):
        get(issuer, f"{issuer.url}/keys")


def drips(request: http.server.BaseHTTPRequestHandler, over: threading.Event) -> None:
    request.send_response(200)
    request.end_headers()
    while not over.wait(0.05):
        request.wfile.write(b" ")


def drips_its_head(request: http.server.BaseHTTPRequestHandler, over: threading.Event) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.05):
        request.wfile.write(b"a")


def hangs(_: http.server.BaseHTTPRequestHandler, over: threading.Event) -> None:
    over.wait(30)


@pytest.mark.parametrize("slowness", [drips, drips_its_head, hangs])
def test_a_slow_issuer_is_not_waited_for(issuer: Site, slowness: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "_SECONDS", 0.5)
    issuer.answers["/keys"] = lambda request: slowness(request, issuer.over)
    began = time.monotonic()
    with pytest.raises(Unreadable, match="TimeoutError"):
        get(issuer, f"{issuer.url}/keys")
    assert time.monotonic() - began < 2


def test_a_handshake_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "_SECONDS", 0.5)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                client.sendall(b"\x16\x03\x03\x3f\xff")  # a record of TLS, of 16 KB
                while not over.wait(0.05):
                    client.sendall(b"a")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Unreadable, match="TimeoutError"):
            key_source("https://127.0.0.1", f"https://127.0.0.1:{server.getsockname()[1]}/keys", plain_loopback=True)()
        assert time.monotonic() - began < 2
        over.set()
        thread.join()


def test_discovery_and_keys_share_one_bound(issuer: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetching, "_SECONDS", 0.5)

    def slow(request: http.server.BaseHTTPRequestHandler) -> None:
        issuer.over.wait(0.4)
        discovery(issuer)(request)

    issuer.answers = {WELL_KNOWN: slow, "/keys": lambda request: hangs(request, issuer.over)}
    began = time.monotonic()
    with pytest.raises(Unreadable):
        get(issuer)
    assert time.monotonic() - began < 0.85


def test_a_broken_answer_is_no_answer(issuer: Site):
    issuer.answers["/keys"] = says(b"\xff\xfe")
    with pytest.raises(Unreadable, match="UnicodeDecodeError"):
        get(issuer, f"{issuer.url}/keys")
    issuer.answers["/keys"] = lambda request: request.wfile.write(b"SSH-2.0\r\n\r\n") and None
    with pytest.raises(Unreadable, match="BadStatusLine"):
        get(issuer, f"{issuer.url}/keys")


def test_a_site_that_is_not_there_is_no_answer():
    with site() as gone:
        pass
    with pytest.raises(Unreadable, match="ConnectionRefusedError"):
        get(gone, f"{gone.url}/keys")


@pytest.mark.parametrize("control", ["\r\nX: y", " ", "\x00", "\u00e9"])
def test_an_address_cannot_smuggle_a_header(issuer: Site, control: str):
    issuer.answers["/keys"] = says(jwks())
    with pytest.raises(Unreadable):
        get(issuer, f"{issuer.url}/keys/{control}x")


def test_without_tls_only_this_machine_is_asked_and_only_on_the_embedded_cloud(issuer: Site):
    issuer.answers["/keys"] = says(jwks())
    assert get(issuer, f"{issuer.url}/keys") == jwks()
    with pytest.raises(Unreadable, match=r"^127\.0\.0\.1 would be asked for keys without TLS$"):
        get(issuer, f"{issuer.url}/keys", loopback=False)
    for address in ("http://issuer.example/keys", "http://127.0.0.1.issuer.example/", "http://10.0.0.1/keys"):
        with pytest.raises(Unreadable, match="without TLS"):
            get(issuer, address)
    assert len(issuer.asked) == 1


@pytest.mark.parametrize("who", ["user:password@", "user@", ":password@", "@"])
def test_an_address_with_a_password_is_not_asked_and_not_told(issuer: Site, who: str):
    issuer.answers["/keys"] = says(jwks())
    with pytest.raises(Unreadable, match=r"^an address of keys has no host, or a password$"):
        get(issuer, f"{issuer.url.replace('//', f'//{who}')}/keys")
    assert issuer.asked == []


def test_no_proxy_of_the_environment_is_asked(issuer: Site, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    issuer.answers["/keys"] = says(jwks())
    assert get(issuer, f"{issuer.url}/keys") == jwks()


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Signed by itself, for a name or an address of this machine."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    made = (
        x509.CertificateBuilder(subject, subject, rsa_key("tls").public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(rsa_key("tls"), hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + rsa_key("tls").private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context


def test_tls_is_checked_the_certificate_s_signer_and_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    trusted, context = certificate(tmp_path, "localhost")
    with site(context) as issuer:
        issuer.answers["/keys"] = says(jwks())
        named = f"{issuer.url.replace('127.0.0.1', 'localhost')}/keys"
        with pytest.raises(Unreadable, match="SSLCertVerificationError"):
            get(issuer, named, loopback=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert get(issuer, named, loopback=False) == jwks()
        with pytest.raises(Unreadable, match="SSLCertVerificationError"):
            get(issuer, f"{issuer.url}/keys", loopback=False)
