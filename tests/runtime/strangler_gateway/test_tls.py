"""Upstreams are asked over TLS that is checked: the certificate's signer, its name, and once for many requests."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from serverless_patterns_runtime.strangler_gateway import connection as connections
from serverless_patterns_runtime.strangler_gateway.upstream import HttpUpstream

from ..jwt_authorizer.test_fetching import certificate
from .raw_server import RawServer, raw_server
from .router import Router, get, migration


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    file, context = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    connections._tls.cache_clear()
    yield context
    connections._tls.cache_clear()


def over_tls(legacy: RawServer, name: str) -> Router:
    router = Router(legacy)
    upstream = HttpUpstream(f"https://{name}:{legacy.port}", migration())
    router.edge = router.edge._replace(legacy=upstream)
    return router


def test_a_certificate_of_that_name_and_a_signer_who_is_trusted(trusted: ssl.SSLContext):
    with raw_server(trusted) as legacy:
        router = over_tls(legacy, "localhost")
        for _ in range(3):
            assert router.send(get("/a", method=b"POST", body=b"x" * 100_000)).body == b"ok"
        assert legacy.connections == 1


def test_a_certificate_of_another_name(trusted: ssl.SSLContext):
    with raw_server(trusted) as legacy:
        answer = over_tls(legacy, "127.0.0.1").send(get("/a"))
        assert answer.start == "502"
        assert "reached" in json.loads(answer.body)["detail"]
        assert legacy.requests == []


def test_a_signer_whom_nobody_trusts(trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    connections._tls.cache_clear()
    with raw_server(trusted) as legacy:
        assert over_tls(legacy, "localhost").send(get("/a")).start == "502"
        assert legacy.requests == []


def test_a_connection_that_was_closed_is_not_used_again(trusted: ssl.SSLContext):
    with raw_server(trusted) as legacy:
        router = over_tls(legacy, "localhost")
        router.send(get("/a"))
        legacy.drop_connections()
        assert router.send(get("/a", method=b"POST")).body == b"ok"


def test_what_does_not_speak_tls_is_left_at_the_deadline(legacy: RawServer):
    router = over_tls(legacy, "localhost")
    assert router.send(get("/a"), timeout=1.0).start in ("502", "504")
    assert legacy.requests == []
