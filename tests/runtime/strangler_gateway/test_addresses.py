"""Where upstreams must not be: this machine, its metadata, nobody's networks; whatever a name's owner answers."""

import socket
import threading
from collections.abc import Callable

import pytest

from serverless_patterns_runtime.strangler_gateway.addresses import allowed, resolved
from serverless_patterns_runtime.strangler_gateway.upstream import HttpUpstream

from .raw_server import RawServer, answers
from .router import Router, get, migration

NEVER = [
    "0.0.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.169.253",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "2002:a9fe:a9fe::1",
    "64:ff9b::a9fe:a9fe",
]
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"]
PRIVATE = ["10.0.0.1", "100.64.0.1", "172.16.5.5", "192.168.1.1", "fd12::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"]


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize(("private", "loopback"), [(False, False), (True, False), (False, True), (True, True)])
def test_never(address: str, private: bool, loopback: bool):
    assert not allowed(address, private=private, loopback=loopback)


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_only_under_the_testing_switch(address: str):
    assert not allowed(address, private=True, loopback=False)
    assert allowed(address, private=False, loopback=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_only_in_a_vpc(address: str):
    assert not allowed(address, private=False, loopback=True)
    assert allowed(address, private=True, loopback=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_always(address: str):
    assert allowed(address, private=False, loopback=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1"])
@pytest.mark.parametrize("host", ["legacy.example", "literal"])
def test_a_name_that_leads_there_is_not_asked(legacy: RawServer, address: str, host: str):
    literal = f"[{address}]" if ":" in address else address
    url = f"https://{literal if host == 'literal' else host}:{legacy.port}"
    router = Router(legacy)
    upstream = HttpUpstream(url, migration(loopback=False), resolve=answered(address))
    router.edge = router.edge._replace(legacy=upstream)
    assert router.send(get("/a")).start == "502"
    assert (legacy.requests, legacy.connections) == ([], 0)


def answered(*addresses: str) -> Callable[[str, int, float], list[str]]:
    return lambda *_: list(addresses)


def test_of_several_addresses_those_that_are_allowed_are_tried(legacy: RawServer):
    router = Router(legacy, resolve=answered("169.254.169.254", "10.0.0.1", "127.0.0.1"))
    assert router.send(get("/a")).body == b"ok"


def test_the_name_is_looked_up_once_and_the_address_that_was_checked_is_asked(legacy: RawServer):
    """A second answer, after the check, would be the forger's."""
    asked: list[str] = []

    def resolve(host: str, *_: object) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    assert Router(legacy, resolve=resolve).send(get("/a")).body == b"ok"
    assert asked == ["127.0.0.1"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_passed_on_and_not_followed(legacy: RawServer, status: int):
    location = b"http://169.254.169.254/latest/meta-data/"
    legacy.says = answers(b"HTTP/1.1 %d Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location))
    answer = Router(legacy).send(get("/a"))
    assert (answer.start, answer.all("Location")) == (str(status), [location.decode()])
    assert len(legacy.requests) == 1


def test_a_name_without_addresses_is_an_error_and_one_that_takes_too_long_too(monkeypatch: pytest.MonkeyPatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait(10)][:0])
    with pytest.raises(TimeoutError):
        resolved("slow.example", 443, 0.05)
    over.set()

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror):
        resolved("unknown.example", 443, 1.0)


def test_no_proxy_of_the_environment_is_asked(legacy: RawServer, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert Router(legacy).send(get("/a")).body == b"ok"
