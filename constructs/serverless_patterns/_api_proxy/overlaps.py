"""Routes that are in each other's way: what API Gateway would refuse, or silently decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._checks import Problems
from .paths import Path


class Guarded(NamedTuple):
    """A route, and whether anybody may call it."""

    name: str
    path: Path
    public: bool
    elsewhere: bool
    """Whether it leads to code that reads paths in its own way: in any case of letters, say."""
    rest: bool = False
    """Whether it is for `ANY`, and takes what the other methods of its path leave."""

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"routes[{self.name!r}]"


def check_overlaps(problems: Problems, routes: Sequence[Guarded]) -> None:
    """Refuse two routes for one request, and a public one that others fall through to. Takes time in their number."""
    by_name = sorted(routes)
    _check_methods(problems, by_name)
    _check_siblings(problems, by_name)
    _check_public(problems, by_name)
    _check_spellings(problems, by_name)


def _check_methods(problems: Problems, routes: Sequence[Guarded]) -> None:
    first: dict[tuple[str, str], Guarded] = {}
    for route in routes:
        before = first.setdefault((route.path.path, route.path.method), route)
        if before is not route:
            problems.add(route.label, "be there once", "two of it", "leave one out")
    for (path, method), route in first.items():
        whole = first.get((path, "ANY"), route)
        if method != "ANY" and whole is not route and not whole.rest:
            fix = "name the other methods instead of ANY, or leave this one out"
            problems.add(route.label, f"not stand beside 'ANY {path}'", repr(route.name), fix)


def _check_siblings(problems: Problems, routes: Sequence[Guarded]) -> None:
    """API Gateway takes one parameter below a path, under one name."""
    named: dict[tuple[str, ...], tuple[str, Guarded]] = {}
    told: set[tuple[str, ...]] = set()
    for route in routes:
        parts = route.path.parts
        for length, part in enumerate(parts):
            if not part.startswith("{"):
                continue
            above = parts[:length]
            known, owner = named.setdefault(above, (part, route))
            if part != known and (*above, part) not in told:
                told.add((*above, part))
                fix = "API Gateway takes one name at one place: use the same in both"
                problems.add(route.label, f"call its parameter {known} as {owner.name!r} does", part, fix)


def _check_public(problems: Problems, routes: Sequence[Guarded]) -> None:
    """A method that a path lacks, or a slash behind it, is looked for in the `{proxy+}` above it."""
    open_above = {route.path.parts[:-1]: route for route in routes if route.public and route.path.greedy}
    if not open_above:
        return
    for route in (route for route in routes if not route.public):
        parts = route.path.parts
        for length in range(len(parts) - 1, -1, -1):
            above = open_above.get(parts[:length])
            if above is not None and above.path.parts != parts:
                fix = "guard it too, or move one of them: what the guarded path has no method for would get in there"
                problems.add(above.label, "not be public above guarded routes", f"{route.name!r} below it", fix)
                break


def _check_spellings(problems: Problems, routes: Sequence[Guarded]) -> None:
    """API Gateway knows one spelling of `/files/secret`; `/files/Secret` is a `/files/{name}`."""
    for public in (route for route in routes if route.public and route.elsewhere and route.path.parameters):
        for guarded in (route for route in routes if not route.public):
            if _stands_for(public.path, guarded.path):
                fix = (
                    "guard it too, or move one of them: another spelling of the guarded path, /A for /a, gets in there"
                )
                must = "not be public beside guarded routes, in front of code that may take two spellings for one path"
                problems.add(public.label, must, f"{guarded.name!r} beside it", fix)
                break


def _stands_for(wide: Path, narrow: Path) -> bool:
    """Whether a request for the second could be read as one for the first."""
    if wide.greedy or len(wide.parts) != len(narrow.parts) or wide.parts == narrow.parts:
        return False
    methods = "ANY" in (wide.method, narrow.method) or wide.method == narrow.method
    return methods and all(
        one == other or one.startswith("{") for one, other in zip(wide.parts, narrow.parts, strict=True)
    )
