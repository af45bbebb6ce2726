"""Routes that lead to a Lambda function: a `Handler`'s, or somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.api_proxy.contract import KeyMode

from .._checks import Problems, seconds
from .._running import visible_timeout
from .._targets import Connection, RouteFacts, Site, refuse_idempotency, refuse_queue_arguments
from ..handler import Handler

if TYPE_CHECKING:
    from .._interfaces import Function

_TIMEOUT_SECONDS = 25  # leaves four of API Gateway's 29 for a cold start
_CREATES = ("PATCH", "POST")  # what a client must not repeat by itself
_READS = ("GET", "HEAD", "OPTIONS")  # what has no effect that could happen twice
KEY_MODES: tuple[KeyMode, ...] = ("required", "optional", "off")


def handler_timeout(handler: Handler, integration_timeout: Duration) -> Duration:
    """The timeout of a handler's function: its own, else what fits into the integration's."""
    limit = seconds(integration_timeout)
    fits = _TIMEOUT_SECONDS if limit is None else max(1, min(_TIMEOUT_SECONDS, limit))
    return handler.timeout or Duration.seconds(fits)


@dataclass(frozen=True)
class HandlerTarget:
    """A business function behind our runtime."""

    handler: Handler
    passes_bytes: ClassVar[bool] = True

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """Required where a repeat would do the work twice; where it may change something, one that is sent counts."""
        if facts.asked_idempotency is not None:
            return facts.asked_idempotency
        return "required" if facts.method in _CREATES else "off" if facts.method in _READS else "optional"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse a function that runs on when its caller has been told that it failed."""
        refuse_queue_arguments(problems, facts, "a Handler")
        if facts.asked_idempotency is not None:
            fix = "leave it out for what the method asks for"
            problems.one_of(f"{facts.label} idempotency", facts.asked_idempotency, KEY_MODES, fix)
        own = f"{facts.label} target timeout"
        _check_timeout(problems, own, handler_timeout(self.handler, timeout), timeout)

    def connect(self, site: Site) -> Connection:
        """Lambda proxy integration with the handler's function."""
        return Connection(integration(site.functions[self.handler], site))

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """Whatever the function answers."""
        del facts
        return {"2XX": "What the function answers", "default": "A problem (RFC 9457)"}


@dataclass(frozen=True)
class FunctionTarget:
    """Somebody else's function: it gets raw events, and answers as Lambda proxy integrations do."""

    function: Function
    handler = None
    passes_bytes: ClassVar[bool] = True

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """Nobody keeps keys."""
        del facts
        return "off"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse what only our runtime does, and a timeout that can be seen and is too long."""
        refuse_queue_arguments(problems, facts, "an IFunction")
        refuse_idempotency(problems, facts, "an IFunction")
        visible = visible_timeout(self.function)
        if visible is not None:
            _check_timeout(problems, f"{facts.label} target timeout", visible, timeout)

    def connect(self, site: Site) -> Connection:
        """Lambda proxy integration."""
        return Connection(integration(cast(lambda_.IFunction, self.function), site))

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """Whatever the function answers."""
        del facts
        return {"default": "What the function answers"}


def integration(function: lambda_.IFunction, site: Site) -> apigateway.Integration:
    """Lambda proxy integration.

    Not CDK's `LambdaIntegration`: that adds a permission for each method, or looks through the whole API for one.
    """
    return apigateway.AwsIntegration(
        service="lambda",
        proxy=True,
        path=f"2015-03-31/functions/{function.function_arn}/invocations",
        options=apigateway.IntegrationOptions(timeout=site.timeout),
    )


def _check_timeout(problems: Problems, argument: str, timeout: Duration, integration_timeout: Duration) -> None:
    if timeout.is_unresolved() or integration_timeout.is_unresolved():
        return
    length, limit = timeout.to_milliseconds(), integration_timeout.to_milliseconds()
    if length > limit:
        must = f"be at most integration_timeout, {limit / 1000:g} seconds"
        fix = "the caller gets 504 while the function runs on: lower it, raise the other, or let a queue do the work"
        problems.add(argument, must, f"{length / 1000:g} seconds", fix)
