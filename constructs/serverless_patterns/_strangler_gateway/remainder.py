"""What an API has beside the routes that have moved, so that every request finds whose it is: the closest listed
route's that stands for it, and legacy's where that has not moved, or there is none.

API Gateway chooses a resource first, part by part, and a method then. Whether it goes back to a wider resource for a
method, or a path, that the closest lacks is not documented. So each resource has all that may come to it: what a wider
route has moved is said again at the closer one, for which it stands in.

A resource has one variable child, and CloudFormation makes a new one before it takes the old one away: which one it is
must never change. So it is made of all that is listed there, also before anything of it moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from .._api_proxy.paths import METHODS, Path

_REST = "{proxy+}"
_MOST = 1_000  # of a gateway's, which is refused long before

_Parts = tuple[str, ...]


class Left(NamedTuple):
    """A route of the API that nobody has listed."""

    text: str
    """As `ANY /profile/{proxy+}`."""

    owner: Path | None
    """The route that has moved, and that it stands in for; `None`: it is legacy's."""

    @property
    def owner_name(self) -> str:
        """Empty: legacy's."""
        return f"{self.owner.method} {self.owner.path}" if self.owner else ""

    @property
    def parts(self) -> _Parts:
        """Of its path."""
        path = self.text.partition(" ")[2]
        return tuple(path[1:].split("/")) if path != "/" else ()


class _Shape(NamedTuple):
    """A resource, whatever it is called."""

    owners: tuple[Path | None, ...]
    """By method, in the order of `METHODS`."""

    literals: tuple[tuple[str, _Shape], ...]
    variable: tuple[str, _Shape] | None
    """`None`: it stands for everything below, too."""


def remainder(moved: Iterable[Path], listed: Iterable[Path] = ()) -> list[Left]:
    """Routes that together with those that have moved take every request.

    Args:
        moved: Routes that have left legacy, or are about to.
        listed: All routes that somebody has thought of, legacy's too.
    """
    moved = frozenset(moved)
    shape = _Listed(moved | frozenset(listed)).shape(moved)
    return sorted(islice(_left(shape, ()), _MOST), key=lambda left: left.text)


def blocked(listed: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Routes that would need a parameter where a greedy one is: the greedy route, and the other."""
    return _Listed(frozenset(listed)).blocked()


def resources(routes: Iterable[Path]) -> set[_Parts]:
    """Every resource of the API that these make, its root left out."""
    return {path.parts[:length] for path in routes for length in range(1, len(path.parts) + 1)}


class _Listed:
    """All routes that are listed, by where they are."""

    def __init__(self, listed: Iterable[Path]) -> None:
        self._at: dict[_Parts, dict[str, Path]] = {}
        self._below: dict[_Parts, set[str]] = {(): set()}
        self._methods: dict[_Parts, set[str]] = {}
        for path in listed:
            self._at.setdefault(path.parts, {})[path.method] = path
            for length in range(len(path.parts) + 1):
                self._below.setdefault(path.parts[:length], set()).update(path.parts[length : length + 1])
                self._methods.setdefault(path.parts[:length], set()).add(path.method)

    def shape(self, moved: frozenset[Path]) -> _Shape:
        """Of the root."""

        def owner(method: str, places: Iterable[_Parts]) -> Path | None:
            for place in places:
                found = self._at.get(place, {})
                path = found.get(method) or found.get("ANY")
                if path is not None:
                    return path if path in moved else None
            return None

        @cache
        def shape(same: tuple[_Parts, ...], wide: tuple[_Parts, ...]) -> _Shape:
            """Of the resource to which these lead, the closest first; `wide`: those that stand for what is below."""
            owners = tuple(owner(method, _closest_first([*same, *wide])) for method in METHODS)
            single, greedy, wide = self._variables(same, wide)
            if single:
                variable = (single[0][-1], shape(single, wide))
            else:
                rest = tuple(owner(method, wide) for method in METHODS)
                variable = ((greedy[0][-1] if greedy else _REST), _Shape(rest, (), None))
            literals: list[tuple[str, _Shape]] = []
            for part, places in self._literals(same):
                one = shape(self._reached([*places, *single], wide), wide)
                if not _is_covered(one, variable[1]):
                    literals.append((part, one))
            return _Shape(owners, tuple(literals), variable)

        return shape(((),), ())

    def blocked(self) -> Iterator[tuple[Path, Path]]:
        """As the function of that name."""
        waiting: list[tuple[_Parts, tuple[_Parts, ...], tuple[_Parts, ...]]] = [((), ((),), ())]
        seen = {*waiting}
        while waiting:
            parts, same, wide = waiting.pop()
            single, greedy, wide = self._variables(same, wide)
            if single and greedy and greedy[0][:-1] == parts:
                yield min(self._at[greedy[0]].values()), min(self._routes_below(single[0]))
            steps = [(part, self._reached([*places, *single], wide)) for part, places in self._literals(same)]
            steps += [(single[0][-1], single)] if single else []
            # A resource that nobody has listed has no parameter of its own: what it is called does not matter.
            found = {
                ((*parts, part) if (*parts, part) in self._below else ("",), places, wide) for part, places in steps
            }
            waiting += found - seen
            seen |= found

    def _literals(self, same: Sequence[_Parts]) -> list[tuple[str, list[_Parts]]]:
        """What may follow, and where it leads to."""
        parts = sorted({part for place in same for part in self._below[place] if not part.startswith("{")})
        return [(part, [(*place, part) for place in same if part in self._below[place]]) for part in parts]

    def _variables(
        self, same: Sequence[_Parts], wide: Sequence[_Parts]
    ) -> tuple[tuple[_Parts, ...], list[_Parts], tuple[_Parts, ...]]:
        """Where their parameters lead to, their greedy ones, and all that stands for what is below; closest first."""
        found = [(*place, part) for place in same for part in sorted(self._below[place]) if part.startswith("{")]
        greedy = [one for one in found if one[-1].endswith("+}")]
        wide = _closest_first([*wide, *greedy])
        return self._reached((one for one in found if one not in greedy), wide), greedy, wide

    def _reached(self, places: Iterable[_Parts], wide: Sequence[_Parts]) -> tuple[_Parts, ...]:
        """Those below which some route is closer than all that stand for everything there."""
        found: list[_Parts] = []
        for place in _closest_first(places):
            closer = [one for one in wide if _closeness(one) < _closeness(place)]
            taken = {method for one in closer for method in self._at.get(one, {})}
            if "ANY" not in taken and self._methods[place] - taken:
                found.append(place)
        return tuple(found)

    def _routes_below(self, place: _Parts) -> Iterator[Path]:
        for parts, by_method in self._at.items():
            if parts[: len(place)] == place:
                yield from by_method.values()


def _is_covered(one: _Shape, variable: _Shape) -> bool:
    """Whether the variable beside it does the same for all of its requests."""
    if variable.variable is not None:
        return one == variable
    return (
        one.owners == variable.owners
        and not one.literals
        and (not one.variable or _is_covered(one.variable[1], variable))
    )


def _left(shape: _Shape, parts: _Parts) -> Iterator[Left]:
    whole = shape.owners[0]
    for method, owner in zip(METHODS, shape.owners, strict=True):
        is_itself = owner is not None and (owner.method, owner.parts) == (method, parts)
        if not is_itself and (method == "ANY" or owner != whole):
            yield Left(f"{method} /{'/'.join(parts)}", owner)
    for part, below in shape.literals:
        yield from _left(below, (*parts, part))
    if shape.variable is not None:
        part, below = shape.variable
        yield from _left(below, (*parts, _free(part, parts)))


def _closest_first(places: Iterable[_Parts]) -> tuple[_Parts, ...]:
    return tuple(sorted({*places}, key=_closeness))


def _closeness(parts: _Parts) -> list[int]:
    return [2 if part.endswith("+}") else part.startswith("{") for part in parts]


def _free(part: str, parts: _Parts) -> str:
    """Each parameter of a path has a name of its own."""
    name, plus = part[1:-1].removesuffix("+"), "+" if part.endswith("+}") else ""
    while f"{{{name}}}" in parts:
        name += "_"
    return f"{{{name}{plus}}}"
