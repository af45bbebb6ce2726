"""The site over HTTP/1.1 on loopback: connections are kept, reports come in chunks.

`GET /__ledger` tells what was seen, and what was put in baskets; only where somebody asked for it at the start.
"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from legacy.answer import Answer, Asked, data
from legacy.ledger import Ledger
from legacy.site import Site

LEDGER = "/__ledger"
POWERED_BY = "OldShop/9"
IDLE_SECONDS = 20
_NO_BODY = (204, 304)


class Server(ThreadingHTTPServer):
    """On 127.0.0.1; port 0 is a free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site: Site, ledger: Ledger | None = None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _handler(site, ledger))


def _handler(site: Site, ledger: Ledger | None) -> type[BaseHTTPRequestHandler]:
    class Visit(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = POWERED_BY, ""
        disable_nagle_algorithm = True
        timeout = IDLE_SECONDS

        def do_GET(self) -> None:
            try:
                asked = self._asked()
                self._send(self._answer(asked) if asked else Answer(411))
            except ConnectionError:  # nobody waits any more
                self.close_connection = True

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

        def _asked(self) -> Asked | None:
            """None for a body of a length that is not told in advance."""
            length = self.headers.get("Content-Length", "0")
            if "Transfer-Encoding" in self.headers or not length.isdigit():
                self.close_connection = True
                return None
            return Asked(self.command, self.path, self.headers.items(), self.rfile.read(int(length)))

        def _answer(self, asked: Asked) -> Answer:
            if ledger and asked.target == LEDGER:
                return data({"seen": ledger.told(), "effects": site.effects()})
            answer = site.answer(asked)
            if ledger:
                ledger.note(asked, answer.status)
            return answer

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("X-Powered-By", POWERED_BY)
            for name, value in answer.headers:
                self.send_header(name, value)
            if answer.pieces is not None and self.command != "HEAD":
                self._send_pieces(answer)
                return
            if answer.pieces is None and answer.status not in _NO_BODY:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def _send_pieces(self, answer: Answer) -> None:
            """In chunks; to HTTP/1.0, which has none, until the connection ends."""
            chunked = self.request_version == "HTTP/1.1"
            self.send_header("Transfer-Encoding", "chunked") if chunked else self.send_header("Connection", "close")
            self.end_headers()
            for piece in answer.pieces or ():
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None: ...

    return Visit
