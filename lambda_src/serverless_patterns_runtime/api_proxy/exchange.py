"""One request and its answer."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from serverless_patterns_runtime.api_proxy import contract, cross_origin, record
from serverless_patterns_runtime.api_proxy.acceptance import check_acceptable
from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.api_proxy.body import body
from serverless_patterns_runtime.api_proxy.caller import caller
from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.api_proxy.key import claim_of
from serverless_patterns_runtime.api_proxy.path_parameters import path_parameters, read_as
from serverless_patterns_runtime.api_proxy.problems import problem_of
from serverless_patterns_runtime.api_proxy.query import query
from serverless_patterns_runtime.api_proxy.validation import check
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import CircuitOpen, PermanentError
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Caller, Request

if TYPE_CHECKING:
    from serverless_patterns_runtime.api_proxy.once import Execution
    from serverless_patterns_runtime.circuit_breaker.permit import Breaker, Permit

__all__ = ["Exchange"]


class NoSuchRoute(PermanentError):
    """The gateway sends what this version of the function does not know: one of the two is being deployed."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("there is no such route", status=404)


class Exchange:
    def __init__(self, edge: Edge, envelope: Envelope, context: Any) -> None:
        self._edge = edge
        self._envelope = envelope
        self._context = context
        self._began = edge.clock()
        self._caller: Caller | None = None
        taken = edge.settings.routes.get(self._name_of_route())
        self._hidden = None if taken is None else taken.get("stands_for")
        self._route_name = self._hidden or self._name_of_route()

    def answer(self) -> dict[str, Any]:
        """What API Gateway is given. Whatever the function raises becomes an answer, SystemExit too."""
        correlation_id = self._envelope.correlation_id
        error: BaseException | None = None
        with self._edge.logger.append_context_keys(correlation_id=correlation_id, route=self._route_name):
            try:
                executed = self._for_this_caller(self._executed())
                check_acceptable(executed.answer, self._envelope, self._edge.settings.binary_media_types)
            except KeyboardInterrupt:
                raise
            except BaseException as raised:
                error = raised
                answer = problem_of(error, correlation_id=correlation_id, now=self._edge.clock())
                executed = Executed(answer, replayed=False)
            record.write(self._edge, executed, error, caller=self._caller, began=self._began)
        if error is not None:
            # One that a module keeps, and raises again and again, would keep every frame it ever passed, bodies too.
            error.__traceback__ = None
        origins = self._envelope.headers.all("Origin")
        opened = cross_origin.opened(executed.answer, self._edge.settings.cross_origin, origins)
        return opened.proxy_result(self._added(executed))

    def _name_of_route(self) -> str:
        """By what the gateway has chosen and authorised, never by the path: a second opinion could be another one."""
        routes, envelope = self._edge.settings.routes, self._envelope
        name = f"{envelope.method} {envelope.resource}"
        return name if name in routes else f"ANY {envelope.resource}"

    def _executed(self) -> Executed[Answer]:
        route = self._edge.settings.routes.get(self._route_name)
        if route is None:
            raise NoSuchRoute
        self._caller = caller(route["evidence"], self._envelope.context)
        request = self._request(route)
        settings = self._edge.settings.claims
        mode = contract.key_mode(route, request.method)
        claim = claim_of(request, mode, settings.namespace if settings else "")
        if "circuit_breaker" not in route:
            return self._run(request, claim, None)
        breaker = self._edge.breakers[route["circuit_breaker"]]
        try:
            permit = breaker.permit(self._remaining)
        except CircuitOpen as refusal:
            return self._refused(request, claim, breaker, refusal)
        with permit:
            return self._run(request, claim, permit)

    def _run(self, request: Request, claim: Claim | None, permit: "Permit | None") -> Executed[Answer]:
        def call(claim: Claim, attempt: int) -> Any:
            function = self._edge.business_function
            if permit is None:
                return self._call(function, request, claim, attempt)
            return permit.run(lambda: self._call(function, request, claim, attempt))

        if self._edge.settings.claims is None:
            return _executed(call(claim or _claim_of_none(self._envelope.request_id), 1))
        return self._execution().run(claim, self._envelope.request_id, call)

    def _refused(
        self, request: Request, claim: Claim | None, breaker: "Breaker", refusal: CircuitOpen
    ) -> Executed[Answer]:
        """Nothing is claimed. What was answered before is answered again: that needs no downstream."""
        if claim is not None and self._edge.settings.claims and (known := self._execution().known(claim)):
            return known
        breaker.refused(1)
        fallback = self._edge.fallbacks.get(self._route_name)
        if fallback is None:
            raise refusal
        claim = claim or _claim_of_none(self._envelope.request_id)
        return Executed(Answer.of(self._call(fallback, request, claim, 1)), replayed=False, fallback=True)

    def _execution(self) -> "Execution":
        from serverless_patterns_runtime.api_proxy.once import Execution  # needs botocore; the edge has imported it

        return Execution(self._edge, self._remaining)

    def _for_this_caller(self, executed: Executed[Answer]) -> Executed[Answer]:
        """On a public route all are one caller: whoever knows a key gets its answer, but nobody else's session."""
        if not executed.replayed or self._caller is not None:
            return executed
        headers = {name: values for name, values in executed.answer.headers.items() if name.lower() != "set-cookie"}
        return executed._replace(answer=executed.answer._replace(headers=headers))

    def _request(self, route: contract.RouteSettings) -> Request:
        envelope, settings = self._envelope, self._edge.settings
        validator = self._validator(route.get("body"))
        payload = body(envelope, route, settings.max_body_bytes, validator, settings.binary_media_types)
        params = self._params()
        if (validate := self._validator(route.get("params"))) is not None:
            check("path", params, validate)
        return Request(
            method=envelope.method,
            route=self._route_name,
            path=envelope.path,
            params=params,
            query=query(envelope.query, route.get("query_types", {}), self._validator(route.get("query"))),
            headers=envelope.headers,
            cookies=envelope.cookies,
            caller=self._caller,
            body=payload,
            correlation_id=envelope.correlation_id,
        )

    def _params(self) -> Mapping[str, str]:
        resource, given = self._envelope.resource, self._envelope.event.get("pathParameters")
        if self._hidden is None:
            return path_parameters(resource, given)
        own = self._hidden.partition(" ")[2]
        return path_parameters(own, read_as(own, resource, given))

    def _validator(self, name: str | None) -> Any:
        return None if name is None else self._edge.validators[name]

    def _call(self, function: BusinessFunction, request: Request, claim: Claim, attempt: int) -> Any:
        invocation = Invocation(
            claim=claim,
            correlation_id=request.correlation_id,
            attempt=attempt,
            remaining=self._remaining,
            logger=self._edge.logger,
            resources=self._edge.resources,
        )
        return function(request, invocation)

    def _remaining(self) -> float:
        return self._context.get_remaining_time_in_millis() / 1000

    def _added(self, executed: Executed[Answer]) -> list[tuple[str, str]]:
        added = [(contract.CORRELATION_ID_HEADER, self._envelope.correlation_id)]
        if executed.replayed:
            added.append((contract.REPLAYED_HEADER, "true"))
        said = {name.lower() for name in executed.answer.headers}
        if "cache-control" not in said:
            added.append(("Cache-Control", "no-store"))
        if executed.answer.status == 401 and self._challenge is not None and "www-authenticate" not in said:
            added.append((contract.CHALLENGE_HEADER, self._challenge))
        return added

    @property
    def _challenge(self) -> str | None:
        route = self._edge.settings.routes.get(self._route_name)
        return None if route is None else route.get("challenge")


def _executed(result: Any) -> Executed[Answer]:
    """Of a business function of ours that keeps its own keys: it may say that its answer was given before."""
    if isinstance(result, Executed):
        given = cast("Executed[Any]", result)
        return Executed(Answer.of(given.answer), replayed=given.replayed)
    return Executed(Answer.of(result), replayed=False)


def _claim_of_none(request_id: str) -> Claim:
    """Names a request that claims nothing, for what the function calls."""
    digest = hashlib.sha256(request_id.encode()).hexdigest()
    return Claim("", digest, digest)
