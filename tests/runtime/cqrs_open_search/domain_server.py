"""A model of a domain behind HTTP, on loopback: it checks every request's signature."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from .domain_model import DomainModel

__all__ = ["CREDENTIALS", "REGION", "DomainServer", "serving"]

CREDENTIALS = ReadOnlyCredentials("AKIDEXAMPLE", "not-a-secret", "token")
REGION = "eu-central-1"


class DomainServer:
    def __init__(self, endpoint: str, model: DomainModel) -> None:
        self.endpoint, self.model = endpoint, model
        self.answers_lost = 0
        """So many next requests are done, and their connections are closed without an answer."""


@contextmanager
def serving() -> Iterator[DomainServer]:
    model = DomainModel()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not _is_signed(self, body):
                self._say(403, '{"error": {"type": "security_exception"}}')
                return
            said = model.answer(self.command, self.path, body.decode())
            if server.answers_lost:
                server.answers_lost -= 1
                self.close_connection = True
                return
            self._say(*said)

        do_POST = do_PUT = do_DELETE = do_GET

        def _say(self, status: int, text: str) -> None:
            content = text.encode()
            head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content)

        def log_message(self, *_: Any) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = DomainServer(f"http://127.0.0.1:{http.server_address[1]}", model)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _is_signed(asked: BaseHTTPRequestHandler, body: bytes) -> bool:
    """Whether the signature is of this method, path, body, and of these headers."""
    authorization = asked.headers.get("Authorization", "")
    if f"/{REGION}/es/aws4_request" not in authorization or asked.headers.get("X-Amz-Security-Token") != "token":
        return False
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: asked.headers[name] for name in names}
    request = AWSRequest(asked.command, f"http://{asked.headers['Host']}{asked.path}", headers, body)
    request.context["timestamp"] = asked.headers["X-Amz-Date"]
    auth = SigV4Auth(CREDENTIALS, "es", REGION)
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return authorization.endswith(f"Signature={signature}")
