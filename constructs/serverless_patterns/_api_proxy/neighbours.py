"""Methods that an API has besides ours: what API Gateway would refuse at deployment is refused at synth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from aws_cdk import aws_apigateway as apigateway
from constructs import IConstruct

from .._checks import Problems

if TYPE_CHECKING:
    from .routes import Planned


class Neighbour(NamedTuple):
    """A method that the API has already."""

    method: str
    parts: tuple[str, ...]
    public: bool
    whose: str
    reusable: bool
    """Whether a path of ours may go on below it: the resource can be seen."""

    @property
    def name(self) -> str:
        """As a route is written."""
        return f"{self.method} /{'/'.join(self.parts)}"


# By identity of the app, which is kept, and by API: see _namespaces.
_ATTACHED: dict[int, tuple[IConstruct, dict[str, list[Neighbour]]]] = {}


def neighbours(scope: IConstruct, api: str, seen: apigateway.RestApi | None) -> list[Neighbour]:
    """Everything in the app that the API has: its owner's methods, and those of other constructs that attach to it."""
    methods = [] if seen is None else seen.methods
    whose = "" if seen is None else seen.node.path
    return [*(_neighbour(method, whose) for method in methods), *_attached(scope, api)]


def remember(scope: IConstruct, api: str, routes: Sequence[Planned]) -> None:
    """Let other constructs of the app know of the routes."""
    _attached(scope, api).extend(
        Neighbour(one.path.method, one.path.parts, one.guard.evidence == "none", scope.node.path, False)
        for one in routes
    )


def check_beside(problems: Problems, theirs: Iterable[Neighbour], ours: Sequence[Planned], *, cors: bool) -> None:
    """Refuse a route that the API has, a name that it does not take, and what would open a guarded path of it."""
    for their in sorted(theirs):
        for one in ours:
            _check(problems, their, one, cors=cors)


def _check(problems: Problems, their: Neighbour, one: Planned, *, cors: bool) -> None:
    label, has = one.facts.label, f"{their.name!r}, which {their.whose} has"
    parts, method = one.path.parts, one.path.method
    if parts == their.parts:
        if method == their.method or "ANY" in (method, their.method):
            problems.add(label, "be new to rest_api", has, "leave one of them out, or name another path")
            return
        if cors and their.method == "OPTIONS":
            problems.add("cors", "be left out where rest_api answers preflights", has, "take that method out there")
    for ours, theirs in zip(parts, their.parts, strict=False):
        if ours != theirs:
            if ours.startswith("{") and theirs.startswith("{"):
                fix = "API Gateway takes one name at one place: use the same in both"
                problems.add(label, f"call its parameter {theirs} as {their.name!r} of {their.whose} does", ours, fix)
            break
    if not their.reusable and parts and parts[:1] == their.parts[:1]:
        fix = "API Gateway takes a path once: put both routes into one ApiProxy, or begin with another part"
        problems.add(label, f"not begin with /{parts[0]}", has, fix)
    above = parts[:-1]
    if one.path.greedy and one.guard.evidence == "none" and not their.public and their.parts[: len(above)] == above:
        fix = "guard it, or move it: what the guarded path has no method for would get in there"
        problems.add(label, "not be public above guarded routes", has, fix)


def _neighbour(method: apigateway.Method, whose: str) -> Neighbour:
    path = method.resource.path
    public = cast(apigateway.CfnMethod, method.node.default_child).authorization_type == "NONE"
    return Neighbour(method.http_method, tuple(path[1:].split("/")) if path != "/" else (), public, whose, True)


def _attached(scope: IConstruct, api: str) -> list[Neighbour]:
    app = scope.node.root
    return _ATTACHED.setdefault(id(app), (app, {}))[1].setdefault(api, [])
