"""Parameters of routes at one place of the path: API Gateway takes one there, under one name, whatever the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .remainder import blocked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._api_proxy.paths import Path
    from .._checks import Problems


def check_places(problems: Problems, paths: Iterable[Path]) -> None:
    """Refuse two parameters at one place, in words about the routes that the user wrote.

    Args:
        problems: Takes what is wrong.
        paths: Of all routes, legacy's too: a place keeps its parameter when a route moves.
    """
    paths = sorted(paths, key=_name)
    named: dict[tuple[str, ...], tuple[str, Path]] = {}
    clash = False
    for path in paths:
        for length, part in enumerate(path.parts):
            if not part.startswith("{"):
                continue
            known, owner = named.setdefault(path.parts[:length], (part, path))
            if part != known:
                fix = _fix(length, (known, owner), (part, path))
                problems.add(f"routes[{_name(path)!r}]", f"have {known} there, as {_name(owner)!r} has", part, fix)
                clash = True
                break
    for greedy, other in blocked([] if clash else paths):
        fix = f"API Gateway takes one parameter at one place: write 'ANY {greedy.path}', which stands for all of it"
        must = f"leave nothing there to {_name(other)!r}"
        problems.add(f"routes[{_name(greedy)!r}]", must, f"{greedy.method} alone", fix)


def _fix(length: int, one: tuple[str, Path], other: tuple[str, Path]) -> str:
    (part, _), (wide_part, wide) = sorted((one, other), key=lambda it: it[0].endswith("+}"))
    if part.endswith("+}") or not wide_part.endswith("+}"):
        return "API Gateway takes one name at one place: use the same in both"
    below = "/".join(("", *wide.parts[:length], part, wide_part))
    return f"API Gateway takes one parameter at one place: write '{wide.method} {below}' for what is below"


def _name(path: Path) -> str:
    return f"{path.method} {path.path}"
