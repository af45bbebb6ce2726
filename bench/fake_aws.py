"""DynamoDB as seen from a client for which everything succeeds: a loopback HTTP server that counts requests.

It runs in a process of its own, so that its work is not measured with the consumer's.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from types import TracebackType
from typing import Any, Self

__all__ = ["FakeAws"]

COUNTS = "/counts-and-reset"


class FakeAws:
    """Started on entry, stopped on exit."""

    def __init__(self, *, seconds_per_request: float = 0.0) -> None:
        self._command = [sys.executable, "-m", "bench.fake_aws", str(seconds_per_request)]

    def __enter__(self) -> Self:
        # Its standard input is ours to close: the server ends with this process, whatever happens to it.
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def requests(self) -> dict[str, int]:
        """Requests by operation since the last call."""
        with urllib.request.urlopen(self.url + COUNTS) as response:
            return json.load(response)


def answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """What DynamoDB says when every key is new."""
    match operation:
        case "BatchExecuteStatement":
            return {"Responses": [{"TableName": "claims"} for _ in request["Statements"]]}
        case "Query":
            return {"Items": [], "Count": 0}
        case "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems":
            return {}
        case _:
            raise ValueError(f"the fake DynamoDB does not know {operation}")


class _Connection(asyncio.Protocol):
    def __init__(self, counts: Counter[str], seconds_per_request: float) -> None:
        self._counts = counts
        self._seconds = seconds_per_request
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers.get(b"content-length", b"0"))
        if not found or len(rest) < length:
            return
        self._received = rest[length:]
        if head.startswith(b"GET " + COUNTS.encode()):
            self._reply(self._counts)
            self._counts.clear()
            return
        operation = _operation(head)
        self._counts[operation] += 1
        reply = answer(operation, json.loads(rest[:length]))
        asyncio.get_running_loop().call_later(self._seconds, self._reply, reply)

    def _reply(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def _operation(head: bytes) -> str:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name.lower() == b"x-amz-target":
            return value.decode().rpartition(".")[2]
    raise ValueError("a request without X-Amz-Target is not DynamoDB's")


async def _serve(seconds_per_request: float) -> None:
    counts: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(counts, seconds_per_request), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
