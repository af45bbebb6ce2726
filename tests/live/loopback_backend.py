"""An HTTP service on loopback, for routes that lead to one."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backend(BaseHTTPRequestHandler):
    """Answers what it was asked: method, path and body; with a cookie and a header of its own."""

    def do_POST(self) -> None:
        asked = [self.command, self.path, self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()]
        body = json.dumps(asked).encode()
        self.send_response(201)
        for name, value in (("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("X-Backend", "yes")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None: ...


@contextmanager
def loopback_backend() -> Generator[str]:
    """Its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
