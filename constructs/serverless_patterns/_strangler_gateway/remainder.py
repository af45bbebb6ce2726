"""What is left to legacy beside the routes that have left it: other methods of their paths, and everything else.

API Gateway chooses a resource first and a method then. Whether it goes back to a `{proxy+}` further up for a method
that the resource lacks is not documented; so each resource has all that may come to it.

A resource has one variable child, and CloudFormation makes a new one before it takes the old one away: which one it is
must never change. So it is that of whatever route is listed there, also before anything of it moves.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._api_proxy.paths import Path

_REST = "proxy"


def remainder(paths: Iterable[Path], listed: Iterable[Path] = ()) -> list[str]:
    """Routes, as `ANY /profile/{proxy+}`, that together with these take every request.

    Args:
        paths: Of the routes that the API has besides.
        listed: Of all routes that somebody has thought of, legacy's too.
    """
    methods: dict[tuple[str, ...], set[str]] = {(): set()}
    below: dict[tuple[str, ...], set[str]] = {}
    for path in paths:
        for length, part in enumerate(path.parts):
            below.setdefault(path.parts[:length], set()).add(part)
            methods.setdefault(path.parts[: length + 1], set())
        methods[path.parts].add(path.method)
    for path in sorted(listed):
        _reserve(path.parts, methods, below)
    rest: list[tuple[str, ...]] = []
    for parts, taken in methods.items():
        if "ANY" not in taken:
            rest.append(parts)
        variable = any(part.startswith("{") for part in below.get(parts, ()))
        if not variable and not (parts and parts[-1].endswith("+}")):
            rest.append((*parts, f"{{{_free(parts)}+}}"))
    return [f"ANY /{'/'.join(parts)}" for parts in sorted(rest)]


def resources(routes: Iterable[Path]) -> set[tuple[str, ...]]:
    """Every resource of the API that these make, its root left out."""
    return {path.parts[:length] for path in routes for length in range(1, len(path.parts) + 1)}


def takes(wide: Path, path: Path) -> bool:
    """Whether a request of the second finds the first where there is no second."""
    parts = path.parts[: len(wide.parts)] if wide.greedy else path.parts
    if wide.method not in (path.method, "ANY") and path.method != "ANY":
        return False
    return len(parts) == len(wide.parts) and all(
        one == other or one.startswith("{") for one, other in zip(wide.parts, parts, strict=True)
    )


def _reserve(
    parts: tuple[str, ...], methods: dict[tuple[str, ...], set[str]], below: dict[tuple[str, ...], set[str]]
) -> None:
    """Variable children that a path will need where there are resources already."""
    for length, part in enumerate(parts):
        if parts[:length] not in methods:
            return
        children = below.setdefault(parts[:length], set())
        if part.startswith("{") and not any(child.startswith("{") for child in children):
            children.add(part)
            methods[parts[: length + 1]] = set()


def _free(parts: tuple[str, ...]) -> str:
    name = _REST
    while f"{{{name}}}" in parts:
        name += "_"
    return name
