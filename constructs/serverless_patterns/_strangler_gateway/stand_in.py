"""A route that has moved, once more: at a closer resource, where API Gateway would not find it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from .._api_proxy.function_target import FunctionTarget, HandlerTarget
from .._running import is_function
from .._targets import Connection, Routable, RouteFacts, RouteTarget, Site, passes_bytes
from ..handler import Handler
from ..http_backend import HttpBackend

_PARAMETER = re.compile(r"\{[^{}]*\}")

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import Duration

    from serverless_patterns_runtime.api_proxy.contract import KeyMode

    from .._api_proxy.paths import Path
    from .._checks import Problems
    from ..migrated_route import MigratedRoute
    from .remainder import Left


@dataclass(frozen=True, eq=False)
class StandIn:
    """The target of a route, as that route has it."""

    target: RouteTarget
    stands_for: str
    """That route: its function is told, and so is the router."""

    takes_the_rest: ClassVar[bool] = True

    @property
    def handler(self) -> Handler | None:
        """The business function of that route."""
        return self.target.handler

    @property
    def passes_bytes(self) -> bool:
        """As there."""
        return passes_bytes(self.target)

    def _route_target(self) -> RouteTarget:
        return self

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """As there."""
        return self.target.key_mode(facts)

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Nothing: it is checked once, there."""

    def connect(self, site: Site) -> Connection:
        """As there."""
        return self.target.connect(replace(site, facts=replace(site.facts, name=self.stands_for)))

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """As there."""
        return self.target.answers(facts)


def stand_in(target: Any, owner: Path, place: tuple[str, ...]) -> StandIn:
    """A target at another place than its own.

    Args:
        target: Of a route, as `Route` takes it.
        owner: That route.
        place: The closer one's parts.
    """
    if isinstance(target, HttpBackend):
        target = replace(target, url=_bound(target.url, owner, place))
    return StandIn(_own(target), f"{owner.method} {owner.path}")


def _own(target: Any) -> RouteTarget:
    if isinstance(target, Handler):
        return HandlerTarget(target)
    if is_function(target):
        return FunctionTarget(target)
    return cast(Routable, target)._route_target()  # pyright: ignore[reportPrivateUsage]  # a protocol among ourselves


def check_stand_ins(problems: Problems, routes: Mapping[str, tuple[MigratedRoute, Path]], left: Iterable[Left]) -> None:
    """Refuse what cannot stand elsewhere: a function that nobody but API Gateway tells what it is asked for.

    Args:
        problems: Takes what is wrong.
        routes: All that are listed, by their texts.
        left: What the API has besides.
    """
    told: set[str] = set()
    for one in left:
        name, owner = one.owner_name, one.owner
        if owner is None or name in told or not is_function(routes[name][0].target):
            continue
        told.add(name)
        starts = {other: path.parts for other, (_, path) in routes.items()}
        closer = sorted(
            other for other, start in starts.items() if one.parts[: len(start)] == start != owner.parts[: len(start)]
        )
        fix = f"API Gateway would ask it for {one.text!r}, which it does not know: put a Handler there"
        must = f"be a Handler or an HttpBackend beside {', '.join(map(repr, closer))}"
        problems.add(f"routes[{name!r}] target", must, "an IFunction", fix)


def _bound(url: str, owner: Path, place: tuple[str, ...]) -> str:
    """With what the closer place knows of the parameters."""
    known: dict[str, str] = {}
    for position, part in enumerate(owner.parts):
        end = None if part.endswith("+}") else position + 1
        known[part] = "/".join(place[position:end]).replace("+}", "}")
    return _PARAMETER.sub(lambda found: known.get(found[0], known.get(f"{found[0][:-1]}+}}", found[0])), url)
