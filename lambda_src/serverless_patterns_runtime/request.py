"""A request behind an API, as a business function sees it, and who made it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

__all__ = ["Caller", "Request", "Values"]


class Values(Mapping[str, Any]):
    """Names that may come more than once, as in headers and query strings: `[name]` is the last value, `all` are all.

    A query parameter whose schema is an array is a list, however often it came.
    """

    def __init__(
        self, values: Mapping[str, Iterable[Any]], *, ignore_case: bool = False, lists: Collection[str] = ()
    ) -> None:
        self._ignore_case = ignore_case
        self._lists = frozenset(lists)
        self._values: dict[str, tuple[Any, ...]] = {}
        for name, given in values.items():
            known = name.lower() if ignore_case else name
            if all_of_it := (*self._values[known], *given) if known in self._values else tuple(given):
                self._values[known] = all_of_it

    def __getitem__(self, name: str) -> Any:
        values = self._values[self._key(name)]
        return list(values) if name in self._lists else values[-1]

    def all(self, name: str) -> tuple[Any, ...]:
        """In the order in which they came; empty where there is none."""
        return self._values.get(self._key(name), ())

    def __iter__(self) -> Iterator[str]:
        """Names of headers in lower case."""
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Values):
            return (self._values, self._lists) == (other._values, other._lists)
        return dict(self) == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Without the values, among which are tokens."""
        return f"Values({', '.join(self._values)})"

    def _key(self, name: str) -> str:
        return name.lower() if self._ignore_case else name


def _no_claims() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the gateway's authorizer established it. The name alone is in its `repr`."""

    id: str
    """Of the same caller always the same: a Cognito `sub`, the ARN of an IAM identity, an authorizer's principal."""

    kind: Literal["iam", "cognito", "lambda"] = "lambda"

    claims: Mapping[str, Any] = field(default_factory=_no_claims, repr=False)
    """What else the authorizer says. What went through API Gateway is text, whatever it was before."""

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError("a caller's id is a text, and not empty: it separates one caller's keys from another's")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, already let through by the route's authorizer and checked against the route's schemas.

    Its `repr`, and so a log line, holds nothing of what was sent.
    """

    method: str
    """In capitals."""

    route: str
    """As `ApiProxy` has it: `GET /orders/{order_id}`."""

    path: str = field(repr=False)
    """As it was asked for, still percent-encoded: without the stage, and with the base path of a `Domain`."""

    params: Mapping[str, str] = field(repr=False)
    """What the braces of the route stand for, decoded."""

    query: Values = field(repr=False)
    """Decoded. With a schema on the route numbers, booleans and lists are such, else every value is text."""

    headers: Values = field(repr=False)
    """By name in any case."""

    cookies: Mapping[str, str] = field(repr=False)

    caller: Caller | None = field(repr=False)
    """None on a public route."""

    body: Any = field(repr=False)
    """The JSON value, bytes on a route for bytes; None when there is no body."""

    correlation_id: str
    """Of the caller, if it sent one that is safe to log, else the gateway's own id of this request."""

    @classmethod
    def fake(
        cls,
        route: str = "GET /",
        *,
        params: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        cookies: Mapping[str, str] | None = None,
        caller: Caller | None = Caller("caller-1"),
        body: Any = None,
        method: str | None = None,
        path: str | None = None,
        correlation_id: str = "correlation-1",
    ) -> "Request":
        """A request for a unit test: `Request.fake("GET /orders/{order_id}", params={"order_id": "7"})`.

        In `query` a list is a parameter whose schema is an array; a tuple, in `headers` too, a name that came several
        times. Claims of the caller become the text that the gateway makes of them: `["a"]` is `'["a"]'`. Raises as an
        authorizer would for claims that cannot be carried.
        """
        method_of_route, _, resource = route.partition(" ")
        given = params or {}
        for name, value in given.items():
            resource = resource.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
        return cls(
            method=method or method_of_route,
            route=route,
            path=path or resource,
            params=given,
            query=Values(
                _several(query or {}), lists=[name for name, value in (query or {}).items() if isinstance(value, list)]
            ),
            headers=Values(_several(headers or {}), ignore_case=True),
            cookies=cookies or {},
            caller=None if caller is None else _through_the_gateway(caller),
            body=body,
            correlation_id=correlation_id,
        )


def _through_the_gateway(caller: Caller) -> Caller:
    from serverless_patterns_runtime.caller_claims import claims_as_text  # not at the top: unit tests alone need it

    if caller.kind == "lambda":
        return replace(caller, claims=claims_as_text(caller.claims))
    if caller.kind == "cognito" and not all(isinstance(value, str) for value in caller.claims.values()):
        raise ValueError("claims of a Cognito token reach a function as text: write them as text")
    return caller


def _several(values: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    return {
        name: value if isinstance(value, list | tuple) else [value]  # pyright: ignore[reportUnknownVariableType]
        for name, value in values.items()
    }
