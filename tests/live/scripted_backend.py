"""An HTTP service on loopback that answers what a test told it to, and keeps what it was asked."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

Headers = Sequence[tuple[str, str]]


class Asked(NamedTuple):
    method: str
    target: str
    headers: Headers
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]


@dataclass
class ScriptedBackend:
    url: str = ""
    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    silent: bool = False
    """Answers nothing, until it is told otherwise."""
    asked: list[Asked] = field(default_factory=list)
    speaks: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@contextmanager
def scripted_backend() -> Generator[ScriptedBackend]:
    backend = ScriptedBackend()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(backend)) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        backend.url = f"http://127.0.0.1:{server.server_port}"
        yield backend
        backend.speaks.set()
        server.shutdown()


def _handler(backend: ScriptedBackend) -> type[BaseHTTPRequestHandler]:
    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            backend.asked.append(Asked(self.command, self.path, self.headers.items(), body))
            if backend.silent:
                backend.speaks.wait(30)
            self.send_response(backend.status)
            for name, value in backend.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(backend.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(backend.body)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

        def log_message(self, *_: object) -> None: ...

    return Told
