"""The managers' chat: what waits for a decision is posted to its webhook."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Question(NamedTuple):
    checkout_id: str
    approval_id: str
    """Whoever has it, and a manager's token, decides."""


class Chat:
    """Listens on loopback until the end of the block."""

    def __init__(self) -> None:
        self._posted: queue.SimpleQueue[Question] = queue.SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _webhook(self._posted))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Chat":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def read(self) -> list[Question]:
        """What is new."""
        return [self._posted.get() for _ in range(self._posted.qsize())]


def _webhook(posted: queue.SimpleQueue[Question]) -> type[BaseHTTPRequestHandler]:
    class Post(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.put(Question(told["checkout_id"], told["approval_id"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    return Post
