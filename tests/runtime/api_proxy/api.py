"""The function behind a route, over a world that is small, visible and under the test's control."""

import base64
import inspect
import io
import itertools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.api_proxy.contract import RouteSettings
from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.api_proxy.handler import process
from serverless_patterns_runtime.api_proxy.settings import Settings
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.telemetry import Logger

from ..consumer import Clock, Context, RecordedMetrics
from ..rest_api_events import event

_services = itertools.count(1)

SETTINGS = Settings(
    business_function="things:take",
    returns_effects=False,
    tables={},
    claims=None,
    max_body_bytes=1_048_576,
    binary_media_types=(),
    cross_origin=None,
    routes={},
)


def route(**settings: Any) -> RouteSettings:
    return RouteSettings(**({"evidence": "none", "idempotency": "off", "content": "json"} | settings))


@dataclass(frozen=True)
class Answered:
    """What API Gateway was given, checked to be what it takes."""

    result: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_proxy_result(self.result)

    @property
    def status(self) -> int:
        return self.result["statusCode"]

    @property
    def headers(self) -> dict[str, list[str]]:
        """By name in lower case."""
        return {name.lower(): values for name, values in self.result["multiValueHeaders"].items()}

    def header(self, name: str) -> str | None:
        values = self.headers.get(name.lower(), [])
        assert len(values) <= 1, f"{name} came several times"
        return values[0] if values else None

    @property
    def body(self) -> bytes:
        text = self.result["body"]
        return base64.b64decode(text, validate=True) if self.result["isBase64Encoded"] else text.encode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> dict[str, Any]:
        """Without the correlation id, which `header` tells too."""
        assert self.header("Content-Type") == "application/problem+json"
        said = self.json
        assert said.pop("correlation_id") == self.header("X-Correlation-Id")
        assert said["status"] == self.status
        return said


class Api:
    """`send(event)` is one invocation of a warm function. `function` may be replaced by one of as many arguments."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        level: str = "INFO",
        routes: Mapping[str, RouteSettings] | None = None,
        validators: Mapping[str, Callable[[Any], object]] | None = None,
        dynamodb: Any = None,
        **settings: Any,
    ) -> None:
        self.clock, self.metrics, self.function = Clock(), RecordedMetrics(), function
        self.timeout = 25.0
        self._stream = io.StringIO()
        made = SETTINGS._replace(routes=dict(routes or {"POST /things": route()}), **settings)
        self.edge = Edge(
            settings=made,
            business_function=BusinessFunction(
                lambda *arguments: self.function(*arguments),
                made.business_function,
                len(inspect.signature(function).parameters) >= 2,
                made.returns_effects,
            ),
            dynamodb=dynamodb,
            clock=self.clock,
            sleep=self.clock.sleep,
            random=random.Random(7),
            # Powertools keeps one handler, and so one stream, a service name and process.
            logger=Logger(service=f"api-{next(_services)}", level=level, stream=self._stream),
            metrics=self.metrics,
            validators=validators or {},
        )

    def send(self, sent: Any) -> Answered:
        # Through JSON, as Lambda does it: nothing that is not JSON gets in or out.
        heard = json.loads(json.dumps(sent))
        return Answered(json.loads(json.dumps(process(heard, Context(self.clock, self.timeout), self.edge))))

    def post(self, body: Any = None, **options: Any) -> Answered:
        return self.send(event("POST /things", body, **options))

    def get(self, **options: Any) -> Answered:
        return self.send(event("GET /things", **options))

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every line is one JSON object, or this raises."""
        return [json.loads(line) for line in self.log_text.split("\n")[:-1]]

    @property
    def log_text(self) -> str:
        return self._stream.getvalue()


def check_proxy_result(result: Mapping[str, Any]) -> None:
    """What API Gateway turns into an answer, and not into a 502."""
    assert set(result) == {"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}
    assert type(result["statusCode"]) is int
    assert 200 <= result["statusCode"] <= 599
    assert type(result["body"]) is str
    assert type(result["isBase64Encoded"]) is bool
    if result["isBase64Encoded"]:
        base64.b64decode(result["body"], validate=True)
    else:
        result["body"].encode()
    names = [name.lower() for name in result["multiValueHeaders"]]
    assert len(names) == len(set(names))
    for name, values in result["multiValueHeaders"].items():
        assert type(name) is str
        assert name.isascii()
        assert name
        assert values
        for value in values:
            assert type(value) is str
            assert value.isascii()
            assert value.isprintable() or "\t" in value
            assert not set("\r\n\0") & set(value)
    assert len(json.dumps(result)) <= 6 * 1024 * 1024
