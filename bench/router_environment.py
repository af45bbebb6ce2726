"""What API Gateway and a `StranglerGateway` give to a router: variables, its file, an event; and a site to forward to.

The site runs in a process of its own, so that its work is not measured with the router's.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.api_environment import request_event
from bench.lambda_environment import AWS
from serverless_patterns_runtime.strangler_gateway.contract import ROUTES_FILE, Env, Migration, RouteSettings

__all__ = ["profile_event", "router_variables", "site", "write_migration"]

ROUTE = "GET /profile/{id}"
COOKIE = "shop-side"

BREAKER = {"failure_threshold": 5, "window_seconds": 60.0, "open_seconds": 30.0, "cache_seconds": 600.0}
PAGE = b"<!doctype html>\n" + b"<p>One of two hundred lines of a profile.</p>\n" * 200
HEAD = [
    b"HTTP/1.1 200 OK",
    b"Date: Sat, 21 Nov 2026 12:00:00 GMT",
    b"Server: monolith",
    b"Content-Type: text/html; charset=utf-8",
    b"Cache-Control: private, max-age=0",
    b"Vary: Accept-Encoding",
    b"Set-Cookie: session=0123456789abcdef; Path=/; HttpOnly",
    b"Set-Cookie: theme=dark; Path=/",
    b"X-Frame-Options: DENY",
    b"X-Content-Type-Options: nosniff",
    b"Connection: keep-alive",
    b"Content-Length: %d" % len(PAGE),
]


def router_variables(folder: Path, site_url: str) -> dict[str, str]:
    """`folder` holds the file of the routes."""
    env = Env(
        LEGACY_URL=site_url,
        CONTROL_TABLE="control",
        BREAKER_TABLE="breakers",
        TARGETS="{}",
        SHADOW_FUNCTION="",
        URL_SUFFIX="amazonaws.com",
    )
    return {**AWS, **env._asdict(), "LAMBDA_TASK_ROOT": os.fspath(folder)}


def write_migration(folder: Path, site_url: str, *, percent: float, loopback: bool = True) -> None:
    """One route, whose new side is a service on the same site."""
    route: RouteSettings = {
        "generation": 1,
        "initial_percent": percent,
        "url": f"{site_url}/new/{{id}}",
        "timeout_seconds": 10.0,
        "sticky": {},
        "fallback": True,
        "rollback": {"max_error_percent": 2, "min_requests": 50, "window_seconds": 60},
        "breaker": BREAKER,  # type: ignore[typeddict-item]
    }
    migration: Migration = {
        "gateway": "Shop",
        "cookie": COOKIE,
        "cache_seconds": 600.0,
        "deadline_seconds": 29.0,
        "max_body_bytes": 4_194_304,
        "legacy_timeout_seconds": 25.0,
        "legacy_headers": {},
        "loopback": loopback,
        "private": False,
        "base_path": "",
        "routes": {ROUTE: route},
    }
    (folder / ROUTES_FILE).write_text(json.dumps(migration))


def profile_event(number: int) -> dict[str, Any]:
    """Of a caller who was placed before."""
    event = request_event(ROUTE, params={"id": str(number)})
    more = {"Cookie": f"session=0123456789abcdef; {COOKIE}={number:032x}"}
    several = {name: [value] for name, value in more.items()}
    event |= {"headers": {**event["headers"], **more}, "multiValueHeaders": {**event["multiValueHeaders"], **several}}
    query = {"tab": "orders", "page": "2"}
    return event | {
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
    }


@contextmanager
def site() -> Generator[str]:
    """Its address: it answers everything with the same page."""
    command = [sys.executable, "-m", "bench.router_environment"]
    # Its standard input is ours to close: the server ends with this process, whatever happens to it.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate()


class _Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        """Requests without a body."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            self._received = self._received.partition(b"\r\n\r\n")[2]
            self._transport.write(b"\r\n".join([*HEAD, b"", PAGE]))


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
