"""A Lambda authorizer over a world that is small, visible and under the test's control."""

import copy
import inspect
import io
import itertools
import json
from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.lambda_authorizer.edge import Edge
from serverless_patterns_runtime.lambda_authorizer.handler import authorize
from serverless_patterns_runtime.lambda_authorizer.settings import Settings
from serverless_patterns_runtime.resources import GivenResources
from serverless_patterns_runtime.telemetry import Logger

from ..consumer import Clock, Context, RecordedMetrics
from ..rest_api_events import golden

_services = itertools.count(1)


def asked(**headers: Any) -> dict[str, Any]:
    """The golden event, with these headers and no other; `_` stands for a hyphen."""
    sent = copy.deepcopy(golden("rest_api_authorizer"))
    lists = {
        name.replace("_", "-"): [value] if isinstance(value, str) else value
        for name, value in headers.items()
        if value is not None
    }
    sent |= {"multiValueHeaders": lists, "headers": {name: values[-1] for name, values in lists.items() if values}}
    return sent


class Authorizer:
    def __init__(
        self,
        function: Callable[..., Any],
        *,
        header: str = "Authorization",
        level: str = "INFO",
        remembered: bool = False,
        **secrets: str,
    ) -> None:
        self.clock, self.metrics, self.function = Clock(), RecordedMetrics(), function
        self._stream = io.StringIO()
        self.edge = Edge(
            settings=Settings(
                business_function="auth:identify",
                tables={},
                identity_header=header,
                results_remembered=remembered,
            ),
            business_function=BusinessFunction(
                lambda *arguments: self.function(*arguments),
                "auth:identify",
                len(inspect.signature(function).parameters) >= 2,
                returns_effects=False,
            ),
            clock=self.clock,
            logger=Logger(service=f"authorizer-{next(_services)}", level=level, stream=self._stream),
            metrics=self.metrics,
            resources=GivenResources({}, secrets, {}),
        )

    def ask(self, sent: Any = None) -> Any:
        heard = json.loads(json.dumps(golden("rest_api_authorizer") if sent is None else sent))
        return json.loads(json.dumps(authorize(heard, Context(self.clock, 5.0), self.edge)))

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_text.split("\n")[:-1]]

    @property
    def log_text(self) -> str:
        return self._stream.getvalue()
