"""One request to enter: who is it, if anybody."""

import hashlib
from typing import Any

from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.api_proxy.path_parameters import path_parameters
from serverless_patterns_runtime.api_proxy.record import hashed
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import MalformedPayload, PermanentError, UnusableMessage, UnusableResource
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.lambda_authorizer import policy
from serverless_patterns_runtime.lambda_authorizer.edge import Edge
from serverless_patterns_runtime.lambda_authorizer.remembered import NotOfTheAnswer, RememberedRequest
from serverless_patterns_runtime.request import Caller, Request, Values
from serverless_patterns_runtime.telemetry import describe

__all__ = ["AuthorizerFailed", "Decision", "Unauthorized", "authorize"]


class Unauthorized(Exception):
    """API Gateway answers 401 to an error of exactly this text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class AuthorizerFailed(Exception):
    """API Gateway answers 500. What happened is in the log line; Lambda would write an error's text, tokens too."""

    def __init__(self) -> None:
        super().__init__("the authorizer failed")


def authorize(event: dict[str, Any], context: Any, edge: Edge) -> dict[str, Any]:
    """The whole handler, over any edge. Raises Unauthorized and AuthorizerFailed, which quote nothing of the event."""
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    try:
        return Decision(edge, Envelope(event), context).answer()
    except (Unauthorized, AuthorizerFailed):
        raise
    except Exception as error:
        edge.logger.error("not an event of API Gateway", extra=describe(error, with_message=False))
    raise AuthorizerFailed


class Decision:
    def __init__(self, edge: Edge, envelope: Envelope, context: Any) -> None:
        self._edge = edge
        self._envelope = envelope
        self._context = context
        self._began = edge.clock()

    def answer(self) -> dict[str, Any]:
        """The policy. Raises Unauthorized and AuthorizerFailed, after which the gateway lets nobody in."""
        with self._edge.logger.append_context_keys(correlation_id=self._envelope.correlation_id):
            try:
                caller = self._identified()
                answer = policy.allow(caller, self._envelope.event["methodArn"])
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                return self._refused(error)
            self._record("Allowed", {"caller": hashed(caller)})
            return answer

    def _identified(self) -> Caller:
        """Raises Unauthorized for nobody."""
        credentials = self._envelope.headers.all(self._edge.settings.identity_header)
        if len(credentials) != 1 or not credentials[0].strip():
            raise Unauthorized
        result = self._edge.business_function(self._request(), self._invocation())
        if result is None:
            raise Unauthorized
        if not isinstance(result, Caller):
            name, kind = self._edge.business_function.name, type(result).__name__
            raise UnusableResult(f"{name} returned {kind}: an authorizer returns a Caller, or None")
        return result

    def _request(self) -> Request:
        envelope = self._envelope
        try:
            params = path_parameters(envelope.resource, envelope.event.get("pathParameters"))
        except MalformedPayload:
            raise Unauthorized from None
        kind = RememberedRequest if self._edge.settings.results_remembered else Request
        return kind(
            method=envelope.method,
            route=f"{envelope.method} {envelope.resource}",
            path=envelope.path,
            params=params,
            query=Values(envelope.query),
            headers=envelope.headers,
            cookies=envelope.cookies,
            caller=None,
            body=None,
            correlation_id=envelope.correlation_id,
        )

    def _invocation(self) -> Invocation:
        digest = hashlib.sha256(self._envelope.request_id.encode()).hexdigest()
        return Invocation(
            claim=Claim("", digest, digest),
            correlation_id=self._envelope.correlation_id,
            attempt=1,
            remaining=lambda: self._context.get_remaining_time_in_millis() / 1000,
            logger=self._edge.logger,
            resources=self._edge.resources,
        )

    def _refused(self, error: BaseException) -> dict[str, Any]:
        """A refusal is final; whatever else went wrong says nothing about the caller."""
        match error:
            case Unauthorized():
                self._record("Unauthorized", {})
                raise Unauthorized from None
            case UnusableMessage() | UnusableResource() | UnusableResult() | NotOfTheAnswer():
                self._record("Failed", _reason(error))
            case PermanentError(status=403):
                self._record("Denied", _reason(error))
                return policy.deny(self._envelope.event["methodArn"])
            case PermanentError(status=None | 401):
                self._record("Unauthorized", _reason(error))
                raise Unauthorized from None
            case PermanentError():
                self._record("Failed", _reason(error))
            case _:
                self._record("Failed", describe(error, with_message=self._edge.logger.log_level <= 10))
        raise AuthorizerFailed from None

    def _record(self, outcome: str, fields: dict[str, Any]) -> None:
        duration = round((self._edge.clock() - self._began) * 1000)
        log = self._edge.logger.error if outcome == "Failed" else self._edge.logger.info
        log("caller judged", extra={"outcome": outcome, "duration_ms": duration} | fields)
        self._edge.metrics.add_metric(name=outcome, unit="Count", value=1)
        self._edge.metrics.flush_metrics()


def _reason(error: PermanentError) -> dict[str, Any]:
    return {"reason": error.message, "error_type": type(error).__name__}
