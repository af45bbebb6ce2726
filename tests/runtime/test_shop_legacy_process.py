"""The legacy site's process: how it speaks HTTP, what it tells of what it saw, and how it ends."""

import http.client
import os
import signal
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from legacy.process import LegacySite

EVERY_BYTE = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def running() -> Generator[LegacySite]:
    with LegacySite(ledger=True) as there:
        yield there


@pytest.fixture
def connection(running: LegacySite) -> Generator[http.client.HTTPConnection]:
    there = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
    yield there
    there.close()


def test_one_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    for path, length in {"/downloads/every-byte.bin": 10_240, "/old": 0, "/nowhere": None}.items():
        for method in ("GET", "HEAD"):
            connection.request(method, path)
            answer = connection.getresponse()
            sent = answer.read()
            assert len(sent) == (0 if method == "HEAD" else int(answer.headers["Content-Length"]))
            assert length in (None, int(answer.headers["Content-Length"]))
    connection.request("GET", "/downloads/every-byte.bin", headers={"If-None-Match": answer.headers.get("ETag", "x")})
    assert connection.getresponse().read() == EVERY_BYTE


def test_a_report_comes_piece_by_piece(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/reports/slow?seconds=0")
    answer = connection.getresponse()
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.read().count(b"<tr>") == 80
    connection.request("GET", "/catalogue")
    assert connection.getresponse().status == 200, "the connection is good for more"


def test_a_body_of_unknown_length_is_refused(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("PUT", "/profile/1")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    assert connection.getresponse().status == 411


def test_the_ledger_tells_what_arrived_as_it_arrived(
    running: LegacySite, connection: http.client.HTTPConnection
) -> None:
    connection.putrequest("POST", "/basket?a=%2F&a=%C3%AB", skip_accept_encoding=True)
    for name, value in (("X-Tag", "b"), ("X-Tag", "a"), ("Content-Length", "2")):
        connection.putheader(name, value)
    connection.endheaders(b"\x00\xff")
    assert connection.getresponse().status == 401
    *_, last = running.seen()
    assert (last.method, last.target, last.body, last.status) == ("POST", "/basket?a=%2F&a=%C3%AB", "AP8=", 401)
    assert last.all("x-tag") == ["b", "a"]
    assert running.effects() == []


def test_nobody_sees_the_ledger_who_did_not_ask_for_it_at_the_start() -> None:
    with LegacySite() as there, pytest.raises(urllib.error.HTTPError, match="404"):
        there.seen()


def test_it_starts_again_at_its_address_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with LegacySite(ledger=True) as there:
        urllib.request.urlopen(f"{there.url}/catalogue").read()
        there.start_again()
        assert there.seen() == []
        assert len([*tmp_path.iterdir()]) == 1
    with pytest.raises(OSError, match="refused"):
        there.seen()
    assert [*tmp_path.iterdir()] == []


def test_a_detached_one_stays() -> None:
    with LegacySite(ledger=True) as there:
        pid = there.detach()
    assert there.seen() == []
    os.kill(pid, signal.SIGTERM)
