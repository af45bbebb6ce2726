"""`Route`: what a request is, who may send it, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ._interfaces import Authorizer, Function
    from ._protection import Protecting
    from ._targets import Routable
    from .handler import Handler
    from .throttle import Throttle

__all__ = ["Route"]


@dataclass(frozen=True, eq=False)
class Route:
    """Leads one method of one path to a target. A description: `ApiProxy` checks it.

    ```python
    Route("POST /payments", Handler(code, "payments:take", tables={"PAYMENTS": payments}), body=PAYMENT)
    ```

    Args:
        route: `METHOD /path/{parameter}`. The last part may be `{name+}`: everything below. `ANY` is every method.
        target: A `Handler`, a `lambda_.IFunction` (raw events), a `LoadLeveledQueue`, `HttpBackend` or `MockResponse`;
            of a `SagaStateMachine` its `start()`, `status()` or `decision(...)`.
        body: JSON schema (draft 4, as far as the gateway enforces it) of the body; or `bytes`. Default: any JSON.
        query: JSON schema of an object: one property for each parameter of the query string.
        params: JSON schema of an object: parameters of the path, each a `string`. Checked by a `Handler`'s function.
        respond: In front of a queue, fields of the answer: `{"order_id": "$.order_id"}` takes them from the request.
        authorizer: Who may call it. Default: as the API says.
        scopes: Of a Cognito user pool: its access tokens count, with any one of these. Default: its ID tokens.
        public: `True`: anybody.
        throttle: Default: as the API says.
        idempotency: Of `Idempotency-Key`: `required`, `optional` or `off` (one that is sent is ignored). Default, to a
            `Handler`: required for POST and PATCH, off for GET, HEAD and OPTIONS, else optional (`ANY`: for each method
            its own); in front of a queue: required, or off when the queue finds its key in the body.
        message_group: In front of a FIFO queue: where in the body its group is, such as `$.order_id`.
        circuit_breaker: A `CircuitBreaker` for what the target, a `Handler`, calls. While open: 503, or the fallback.
        fallback: `module:function` beside the target's. It takes `(request)` or `(request, invocation)` and answers
            what the breaker refuses; no key remembers its answer.
        api_key_required: Meters clients by their API keys: see `UsagePlan`. That says nothing about who may call.
    """

    route: str
    target: Handler | Function | Routable
    _: KW_ONLY
    body: Mapping[str, Any] | type[bytes] | None = None
    query: Mapping[str, Any] | None = None
    params: Mapping[str, Any] | None = None
    respond: Mapping[str, str] | None = None
    authorizer: Authorizer | None = None
    scopes: Sequence[str] = ()
    public: bool = False
    throttle: Throttle | None = None
    idempotency: Literal["required", "optional", "off"] | None = None
    message_group: str | None = None
    circuit_breaker: Protecting | None = None
    fallback: str | None = None
    api_key_required: bool = False

    def __repr__(self) -> str:
        return f"Route({self.route})"
