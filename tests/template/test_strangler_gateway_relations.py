"""Whatever routes have moved: every request finds a route, and what has not moved finds legacy."""

import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns import MigratedRoute
from serverless_patterns._api_proxy.overlaps import Guarded, check_overlaps
from serverless_patterns._api_proxy.paths import EVERY_METHOD, METHODS, Path, parsed
from serverless_patterns._checks import Problems
from serverless_patterns._strangler_gateway.legacy_target import LegacyTarget
from serverless_patterns._strangler_gateway.remainder import remainder, resources
from serverless_patterns._strangler_gateway.router import Router
from serverless_patterns._strangler_gateway.stages import Stages
from serverless_patterns.migrated_route import Stage
from tests.template.apis import get
from tests.template.gateways import legacy

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


STAGES: st.SearchStrategy[list[Stage]] = st.lists(
    st.sampled_from(["legacy", "migrating", "done"]), min_size=5, max_size=5
)
TARGET = get()


def paths_of(listed: Sequence[Path], stages: Sequence[Stage]) -> tuple[list[Path], list[Path]]:
    """Of the API's routes: those that lead to the new side or a router, and those that lead to legacy."""
    routes = {
        f"{path.method} {path.path}": (MigratedRoute(f"{path.method} {path.path}", TARGET, stage=stage), path)
        for path, stage in zip(listed, stages, strict=False)
    }
    moved: list[Path] = []
    left: list[Path] = []
    for route in Stages(routes, legacy(), always_route=False, prefix="", here=False).translated(Router()):
        path = parsed(Problems(""), route.route)
        assert path is not None
        (left if isinstance(route.target, LegacyTarget) else moved).append(path)
    return moved, left


def variable_children(paths: Sequence[Path]) -> dict[tuple[str, ...], str]:
    return {parts[:-1]: parts[-1] for parts in resources(paths) if parts[-1].startswith("{")}


@settings(deadline=None)
@given(st.lists(routes(), max_size=5), STAGES, STAGES)
def test_no_change_of_stages_changes_a_resource_s_variable_child(
    texts: list[str], before: list[Stage], after: list[Stage]
) -> None:
    """API Gateway takes one, and CloudFormation makes the next before it takes the last away."""
    listed = as_paths(texts)
    children = [
        variable_children([*moved, *left]) for moved, left in (paths_of(listed, one) for one in (before, after))
    ]
    there = {*children[0]} & {*children[1]}
    assert {parts: children[0][parts] for parts in there} == {parts: children[1][parts] for parts in there}


@st.composite
def told(draw: st.DrawFn) -> tuple[list[Path], list[Stage], tuple[str, list[str]]]:
    """Routes, their stages, and a request for one of them."""
    listed = as_paths(draw(st.lists(routes(), min_size=2, max_size=5)))
    path = draw(st.sampled_from(listed)) if listed else Path("GET", "/", (), ())
    word = st.sampled_from([*WORDS, "c"])
    method = draw(st.sampled_from(EVERY_METHOD)) if path.method == "ANY" else path.method
    parts = [draw(word) if part.startswith("{") else part for part in path.parts]
    return listed, draw(STAGES), (method, [*parts, *(draw(st.lists(word, max_size=2)) if path.greedy else ())])


@settings(deadline=None, max_examples=400)
@given(told())
def test_what_is_listed_goes_where_its_stage_says(given: tuple[list[Path], list[Stage], tuple[str, list[str]]]) -> None:
    listed, stages, request = given
    moved, left = paths_of(listed, stages)
    found = chosen([*moved, *left], *request)
    assert found is not None
    assert stands_for(found, *request)
    said = chosen(listed, *request)
    if said is not None:
        assert (found in moved) == (stages[listed.index(said)] != "legacy")
