"""What a REST API sends to a backend over HTTP, and what of its answer it passes on."""

import http.client
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

# AWS's table of headers, in the "Important notes for REST APIs". What a backend never sees ...
NEVER_SENT = {
    *("content-encoding", "content-length", "content-md5", "expect", "host", "max-forwards", "proxy-authenticate"),
    *("server", "te", "trailer", "transfer-encoding", "upgrade", "via", "www-authenticate"),
    "x-http-method-override",
}
# ... nor a caller, ...
NEVER_ANSWERED = {"expect", "host", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "via"}
# ... and what a caller sees under another name.
REMAPPED = {
    *("authorization", "connection", "content-md5", "date", "max-forwards", "server", "user-agent"),
    "www-authenticate",
}
SIGNED = "AWS4-HMAC-SHA256"
IN_A_PATH = "/:@!$&'()*+,;=~"
IN_A_QUERY = "/:@!$'()*,?~"

Headers = list[tuple[str, str]]


class Asking(NamedTuple):
    """One request to a backend."""

    method: str
    url: str
    headers: Headers
    body: bytes
    timeout: float


class Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes

    @property
    def kind(self) -> str:
        return next((value for name, value in self.headers if name.lower() == "content-type"), "application/json")


class Mapped:
    """What an integration makes of one request: its URL, query and headers, with its `requestParameters`."""

    def __init__(self, integration: dict[str, Any], request: dict[str, Any], path: str) -> None:
        self._uri: str = integration["uri"]
        self._parameters: dict[str, str] = integration.get("requestParameters") or {}
        self._request, self._path = request, path
        self._variables: dict[str, str] = request["stage"].get("variables") or {}

    def url(self) -> str:
        """Its parameters are decoded once, and encoded where they have to be."""
        uri = re.sub(r"\$\{stageVariables\.(\w+)\}", lambda found: self._variables.get(found[1], ""), self._uri)
        for name, value in self._mapped("path").items():
            uri = uri.replace(f"{{{name}}}", quote(value, safe=IN_A_PATH))
        return uri

    def query(self, sent: Mapping[str, list[str]]) -> str:
        """Every value, by names in the order of their first."""
        values = {**sent, **{name: [value] for name, value in self._mapped("querystring").items()}}
        pairs = [(name, value) for name, all_of_it in values.items() for value in all_of_it]
        text = "&".join("=".join(quote(part, safe=IN_A_QUERY) for part in pair) for pair in pairs)
        return f"?{text}" if text else ""

    def headers(self, sent: Headers) -> Headers:
        own = {**self._forwarded(sent), **self._mapped("header")}
        replaced = NEVER_SENT | {name.lower() for name in own}
        kept = [(name, value) for name, value in sent if name.lower() not in replaced and not _is_signed(name, value)]
        return [*kept, *own.items()]

    def _forwarded(self, sent: Headers) -> dict[str, str]:
        hops = [value for name, value in sent if name.lower() == "x-forwarded-for"]
        return {
            "X-Forwarded-For": ", ".join([*hops, "127.0.0.1"]),
            "X-Forwarded-Port": self._request["headers"].get("host", "").partition(":")[2] or "80",
            "X-Forwarded-Proto": "http",
            "x-amzn-apigateway-api-id": self._request["api_id"],
        }

    def _value(self, source: str) -> str | None:
        """Of a mapping expression; None where there is nothing."""
        if len(source) > 1 and source[0] == source[-1] == "'":
            return source[1:-1]
        kind, _, name = source.rpartition(".")
        request = self._request
        match kind:
            case "method.request.path":
                return self._parameter(name)
            case "method.request.querystring":
                return (request["query_params"].get(name) or [None])[-1]
            case "method.request.header":
                return request["headers"].get(name.lower())
            case "stageVariables":
                return self._variables.get(name)
            case "context":
                return self._context().get(name)
            case _:
                return None

    def _context(self) -> Mapping[str, str | None]:
        request = self._request
        return {
            "apiId": request["api_id"],
            "domainName": request["headers"].get("host"),
            "requestId": request["request_id"],
            "stage": request["stage_name"],
        }

    def _parameter(self, name: str) -> str | None:
        """Of a greedy one all that is left of the path, empty segments too; the emulator tidies it."""
        tidied: str | None = self._request["path_params"].get(name)
        resource: list[str] = self._request["resource_path"].strip("/").split("/")
        if resource[-1] != f"{{{name}+}}":
            return tidied
        *_, rest = self._path.removeprefix("/").split("/", len(resource) - 1)
        return rest if "/".join(filter(None, rest.split("/"))) == tidied else tidied

    def _mapped(self, where: str) -> dict[str, str]:
        beginning = f"integration.request.{where}."
        found = {
            name.removeprefix(beginning): self._value(source)
            for name, source in self._parameters.items()
            if name.startswith(beginning)
        }
        return {name: value for name, value in found.items() if value is not None}


def exchange(asking: Asking) -> Answer:
    """Ask, once, and follow nothing. Waits: not for the event loop. Raises OSError or HTTPException."""
    at = urlsplit(asking.url)
    connect = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = connect(at.netloc, timeout=asking.timeout)
    try:
        target = f"{at.path or '/'}?{at.query}" if at.query else at.path or "/"
        connection.putrequest(asking.method, target, skip_accept_encoding=True)
        for name, value in asking.headers:
            connection.putheader(name, value.encode("latin-1", "replace"))
        if asking.body or asking.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(asking.body)))
        connection.endheaders(asking.body or None)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def passed_on(answer: Answer, method: str) -> dict[str, list[str]]:
    """The answer's headers, each with all its values."""
    kept: dict[str, list[str]] = {}
    for name, value in answer.headers:
        known = name.lower()
        if known in NEVER_ANSWERED or (known == "content-length" and method != "HEAD"):
            continue
        shown = f"x-amzn-Remapped-{name}" if known in REMAPPED else name
        kept.setdefault(next((other for other in kept if other.lower() == shown.lower()), shown), []).append(value)
    if not any(name.lower() == "content-type" for name in kept):
        kept["Content-Type"] = [answer.kind]
    return kept


def as_text(content: bytes) -> bytes:
    """What is left of bytes that the gateway takes for text in UTF-8."""
    return content.decode("utf-8", "replace").encode()


def _is_signed(name: str, value: str) -> bool:
    return name.lower() == "authorization" and value.startswith(SIGNED)
