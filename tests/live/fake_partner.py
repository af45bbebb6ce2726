"""A partner's API on loopback, with outages on demand: it counts who asked, and holds answers back when told to."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOLD_SECONDS = 60
"""No longer, whatever a test forgets."""


class Partner:
    """What a test sees of it, and decides."""

    def __init__(self) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self._asked: list[str] = []
        self._down = False
        self._open = threading.Event()
        self._open.set()

    def goes_down(self) -> None:
        """From now on it answers 500."""
        self._down = True

    def comes_back(self) -> None:
        self._down = False

    @contextmanager
    def holding(self) -> Generator[None]:
        """Who asks waits for the end of this."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def forget(self) -> None:
        """Count anew."""
        with self._lock:
            self._asked.clear()

    def times(self, path: str = "") -> int:
        """How often it was asked for a path; by default, for anything."""
        with self._lock:
            return sum(1 for asked in self._asked if asked == path or not path)

    def answer(self, path: str) -> int:
        """What it answers, once it does."""
        with self._lock:
            self._asked.append(path)
        status = 500 if self._down else 200
        self._open.wait(HOLD_SECONDS)
        return status


@contextmanager
def fake_partner() -> Generator[Partner]:
    partner = Partner()

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = partner.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Asked) as server:
        partner.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield partner
        server.shutdown()
