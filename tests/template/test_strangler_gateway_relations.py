"""Whatever routes have moved: every request finds the closest of those that are listed, or legacy."""

import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns import MigratedRoute
from serverless_patterns._api_proxy.overlaps import Guarded, check_overlaps
from serverless_patterns._api_proxy.paths import EVERY_METHOD, METHODS, Path, parsed
from serverless_patterns._checks import Problems
from serverless_patterns._strangler_gateway.legacy_target import LegacyTarget
from serverless_patterns._strangler_gateway.remainder import blocked, remainder, resources
from serverless_patterns._strangler_gateway.router import Router
from serverless_patterns._strangler_gateway.stages import Stages
from serverless_patterns._strangler_gateway.stand_in import StandIn
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
            taken += [] if [*blocked([*taken, path])] else [path]
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


Request = tuple[str, list[str]]


@st.composite
def asked(draw: st.DrawFn) -> tuple[list[Path], list[Path], Request]:
    """Routes that are listed, those of them that have moved, and a request that is often for one of them."""
    listed = as_paths(draw(st.lists(routes(), max_size=6)))
    moved = [path for path in listed if draw(st.booleans())]
    near = draw(st.sampled_from(listed)).parts if listed else ()
    word = st.sampled_from([*WORDS, "c", "5"])
    parts = [draw(word) if part.startswith("{") or draw(st.integers(0, 5)) == 0 else part for part in near]
    return listed, moved, (draw(st.sampled_from(EVERY_METHOD)), [*parts, *draw(st.lists(word, max_size=2))])


def closest(listed: Sequence[Path], method: str, request: Sequence[str]) -> Path | None:
    """Of all that stand for the request."""
    found = [path for path in listed if stands_for(path, method, request)]
    return min(found, key=lambda path: ([exactness(part) for part in path.parts], path.method == "ANY"), default=None)


def exactness(part: str) -> int:
    return 2 if part.endswith("+}") else 1 if part.startswith("{") else 0


@settings(max_examples=1_000)
@given(asked())
def test_every_request_finds_a_route_that_stands_for_it(given: tuple[list[Path], list[Path], Request]) -> None:
    listed, moved, request = given
    left = {parsed(Problems(""), one.text): one.owner for one in remainder(moved, listed)}
    paths = [path for path in left if path is not None]
    assert len(paths) == len(left), "what is left is made of paths that API Gateway takes"
    found = chosen([*moved, *paths], *request)
    assert found is not None
    assert stands_for(found, *request)
    wanted = closest(listed, *request)
    assert (found if found in moved else left[found]) == (wanted if wanted in moved else None)


@given(st.lists(routes(), max_size=5))
def test_what_is_left_stands_beside_what_has_moved(texts: list[str]) -> None:
    moved = as_paths(texts)
    problems = Problems("")
    left = [path for one in remainder(moved) if (path := parsed(problems, one.text))]
    both = [*((path, False) for path in moved), *((path, True) for path in left)]
    check_overlaps(problems, [Guarded(f"{one.method} {one.path}", one, True, True, rest) for one, rest in both])
    problems.raise_any()
    assert {(one.method, one.path) for one in moved}.isdisjoint((one.method, one.path) for one in left)


STAGES: st.SearchStrategy[list[Stage]] = st.lists(
    st.sampled_from(["legacy", "migrating", "done"]), min_size=6, max_size=6
)
TARGET = get()


def paths_of(listed: Sequence[Path], stages: Sequence[Stage]) -> dict[Path, str]:
    """Of the API's routes: the route whose target each leads to; empty: legacy."""
    routes = {
        f"{path.method} {path.path}": (MigratedRoute(f"{path.method} {path.path}", TARGET, stage=stage), path)
        for path, stage in zip(listed, stages, strict=False)
    }
    found: dict[Path, str] = {}
    for route in Stages(routes, legacy(), always_route=False, prefix="", here=False).translated(Router()):
        path = parsed(Problems(""), route.route)
        assert path is not None
        is_legacy = isinstance(route.target, LegacyTarget)
        found[path] = "" if is_legacy else route.target.stands_for if isinstance(route.target, StandIn) else route.route
    return found


def variable_children(paths: Sequence[Path]) -> dict[tuple[str, ...], str]:
    return {parts[:-1]: parts[-1] for parts in resources(paths) if parts[-1].startswith("{")}


@given(st.lists(routes(), max_size=5), STAGES, STAGES)
def test_no_change_of_stages_changes_a_resource_s_variable_child(
    texts: list[str], before: list[Stage], after: list[Stage]
) -> None:
    """API Gateway takes one, and CloudFormation makes the next before it takes the last away."""
    listed = as_paths(texts)
    children = [variable_children([*paths_of(listed, one)]) for one in (before, after)]
    there = {*children[0]} & {*children[1]}
    assert {parts: children[0][parts] for parts in there} == {parts: children[1][parts] for parts in there}


@settings(max_examples=400)
@given(asked(), STAGES)
def test_what_is_listed_goes_where_its_stage_says(
    given: tuple[list[Path], list[Path], Request], stages: list[Stage]
) -> None:
    listed, _, request = given
    paths = paths_of(listed, stages)
    found = chosen([*paths], *request)
    assert found is not None
    assert stands_for(found, *request)
    wanted = closest(listed, *request)
    is_moved = wanted is not None and stages[listed.index(wanted)] != "legacy"
    assert paths[found] == (f"{wanted.method} {wanted.path}" if wanted and is_moved else "")
