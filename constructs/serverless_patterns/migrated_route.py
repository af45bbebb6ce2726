"""`MigratedRoute`: one route on its way from the legacy system to what replaces it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

from aws_cdk import Duration

if TYPE_CHECKING:
    from ._interfaces import Function
    from ._protection import Protecting
    from ._targets import Routable
    from .handler import Handler
    from .throttle import Throttle

__all__ = ["MigratedRoute", "Rollback", "Shadow", "Sticky"]

Stage = Literal["legacy", "migrating", "done"]
STAGES: tuple[Stage, ...] = ("legacy", "migrating", "done")
_WINDOW = Duration.seconds(60)
_TIMEOUT = Duration.seconds(10)


@dataclass(frozen=True, kw_only=True)
class Sticky:
    """What names a caller, so that one caller stays on one side. The first that a request has counts.

    ```python
    Sticky(claim="sub", cookie="session")
    ```

    The gateway's own cookie wins over all of them: whoever has it was placed already. Everybody else is given it, so
    that neither a logout nor another route moves him. One that a claim has made gives way to another claim.

    Args:
        claim: Of the authorizer's: `sub`, `principalId`. The same on all routes.
        header: A header that is the same in all requests of a caller: `X-Device-Id`.
        cookie: A cookie of the legacy system that does not change at a login.
    """

    claim: str | None = None
    header: str | None = None
    cookie: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """Copies of requests that legacy has answered, for the new side: its answers are compared and thrown away.

    ```python
    Shadow(percent=10, compare=["$.name", "$.lines[*].price"])
    ```

    Args:
        percent: Of the requests that legacy answers, above 0 to 100.
        compare: Fields of a JSON answer that must be alike. Default: the status alone.
        declared: `True`: methods that change something are copied too. You say that the new side may do it as well.
    """

    percent: float = 100
    compare: Sequence[str] = ()
    declared: bool = False


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """When a route goes back to legacy by itself.

    ```python
    Rollback(max_error_percent=2, min_requests=50)
    ```

    Args:
        max_error_percent: More than that of the new side's requests failed, by more than chance: above 0 to 100. 4xx is
            no failure.
        min_requests: Fewer within the window say nothing: 1 to 1,000,000.
        window: 10 seconds to 1 hour.
    """

    max_error_percent: float = 2
    min_requests: int = 50
    window: Duration = _WINDOW


_ROLLBACK = Rollback()


@dataclass(frozen=True, eq=False)
class MigratedRoute:
    """One method of one path, and how far it has come. A description: `StranglerGateway` checks it.

    ```python
    MigratedRoute("GET /profile/{id}", Handler(code, "profile:get"), stage="migrating", initial_percent=5)
    ```

    Args:
        route: `METHOD /path/{parameter}`, as in a `Route`.
        target: The new side: a `Handler`, a `lambda_.IFunction` (raw events) or an `HttpBackend`.
        stage: `legacy`: declared, and as if it were not. `migrating`: as the percentage says. `done`: the target's.
        initial_percent: Of callers that the new side gets at first, 0 to 100, two decimals; a command changes it.
        generation: 1 or more. A higher one starts anew: what was set or killed for a lower one is void.
        sticky: Default: the gateway's.
        shadow: Default: none.
        fallback: Whether legacy answers a safe request that the new side fails. Default: yes.
        rollback: Default: over 2 percent errors of at least 50 requests in a minute. `None`: never by itself.
        timeout: Of the new side while it is migrating, 1 second to less than `integration_timeout`.
        body: As in a `Route`; checked by the function, in every stage.
        query: Likewise.
        params: Likewise.
        idempotency: As in a `Route`, but `optional` where that requires a key: legacy's callers send none.
        scopes: As in a `Route`: for the gateway's authorizer.
        throttle: As in a `Route`: for both sides together.
        circuit_breaker: As in a `Route`: for what the target calls. The router has its own for the target.
    """

    route: str
    target: Handler | Function | Routable
    _: KW_ONLY
    stage: Stage
    initial_percent: float = 0
    generation: int = 1
    sticky: Sticky | None = None
    shadow: Shadow | None = None
    fallback: bool | None = None
    rollback: Rollback | None = _ROLLBACK
    timeout: Duration = _TIMEOUT
    body: Mapping[str, Any] | type[bytes] | None = None
    query: Mapping[str, Any] | None = None
    params: Mapping[str, Any] | None = None
    idempotency: Literal["required", "optional", "off"] | None = None
    scopes: Sequence[str] = ()
    throttle: Throttle | None = None
    circuit_breaker: Protecting | None = None

    def __repr__(self) -> str:
        return f"MigratedRoute({self.route}, {self.stage})"
