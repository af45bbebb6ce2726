"""Whatever routes have moved: every request finds a route, and what has not moved finds legacy."""

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns._api_proxy.overlaps import Guarded, check_overlaps
from serverless_patterns._api_proxy.paths import EVERY_METHOD, METHODS, Path, parsed
from serverless_patterns._checks import Problems
from serverless_patterns._strangler_gateway.remainder import remainder, resources

WORDS = ("a", "b", "proxy")
PARTS = st.sampled_from([*WORDS, "{id}", "{proxy}"])
LAST = st.sampled_from([*WORDS, "{id}", "{proxy}", "{proxy+}", "{rest+}"])


@st.composite
def routes(draw: st.DrawFn) -> str:
    parts = draw(st.lists(PARTS, max_size=2)) + draw(st.lists(LAST, max_size=1))
    return f"{draw(st.sampled_from(METHODS))} /{'/'.join(parts)}"


def as_paths(texts: Sequence[str]) -> list[Path]:
    """Those that API Gateway takes, together: the first of two that are in each other's way."""
    taken: list[Path] = []
    for text in texts:
        problems = Problems("")
        path = parsed(problems, text)
        if path is not None:
            found = [Guarded(f"{one.method} {one.path}", one, True, True) for one in (*taken, path)]
            check_overlaps(problems, found)
        if path is not None and not problems.have(
            *(f"routes[{f'{one.method} {one.path}'!r}]" for one in (*taken, path))
        ):
            taken.append(path)
    return taken


def chosen(all_of_them: Sequence[Path], method: str, request: Sequence[str]) -> Path | None:
    """As API Gateway does, without ever going back: the most exact part first, then the method, then `ANY`."""
    below: dict[tuple[str, ...], set[str]] = {}
    for parts in resources(all_of_them):
        below.setdefault(parts[:-1], set()).add(parts[-1])
    at: tuple[str, ...] = ()
    for part in request:
        there = below.get(at, set())
        step = part if part in there else next((one for one in there if one.startswith("{")), None)
        if step is None:
            return None
        at = (*at, step)
        if step.endswith("+}"):
            break
    by_method = {one.method: one for one in all_of_them if one.parts == at}
    return by_method.get(method) or by_method.get("ANY")


def stands_for(path: Path, method: str, request: Sequence[str]) -> bool:
    parts = [".+" if part.endswith("+}") else "[^/]+" if part.startswith("{") else part for part in path.parts]
    expression = "/".join(parts)
    return path.method in (method, "ANY") and bool(re.fullmatch(expression, "/".join(request)))


REQUESTS = st.tuples(st.sampled_from(EVERY_METHOD), st.lists(st.sampled_from([*WORDS, "c", "5"]), max_size=5))


@given(st.lists(routes(), max_size=5), REQUESTS)
def test_every_request_finds_a_route_that_stands_for_it(texts: list[str], request: tuple[str, list[str]]) -> None:
    listed = as_paths(texts)
    moved = listed[: len(listed) // 2 + 1]
    rest = [parsed(Problems(""), text) for text in remainder(moved, listed)]
    left = [path for path in rest if path is not None]
    assert len(left) == len(rest), "what is left is made of paths that API Gateway takes"
    found = chosen([*moved, *left], *request)
    assert found is not None
    assert stands_for(found, *request)


@given(st.lists(routes(), max_size=5))
def test_what_is_left_stands_beside_what_has_moved(texts: list[str]) -> None:
    moved = as_paths(texts)
    problems = Problems("")
    left = [path for text in remainder(moved) if (path := parsed(problems, text))]
    both = [*((path, False) for path in moved), *((path, True) for path in left)]
    check_overlaps(problems, [Guarded(f"{one.method} {one.path}", one, True, True, rest) for one, rest in both])
    problems.raise_any()
    assert {(one.method, one.path) for one in moved}.isdisjoint((one.method, one.path) for one in left)
