"""Each safeguard of a rebuild is taken away once: some schedule must notice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views import standing, verifying
from serverless_patterns_runtime.cqrs_views.generations import Generations
from serverless_patterns_runtime.cqrs_views.progress import Beaten, Counts, ProgressItems
from serverless_patterns_runtime.cqrs_views.rebuilding import Rebuild
from serverless_patterns_runtime.cqrs_views.scanning import Scan
from serverless_patterns_runtime.cqrs_views.standing import Standing
from tests.runtime.cqrs_views.shop import ORDERS

from .choosing import Seeded
from .cqrs_rebuild_history import ADOPTED, Change, Rebuilds, rebuilds
from .cqrs_rebuild_world import RebuildWorld
from .test_cqrs_rebuild import died, rebuilt

Patch = pytest.MonkeyPatch


def changes_go_to_what_is_read_alone(patch: Patch) -> None:
    patch.setattr(Generations, "written", property(lambda it: () if it.live is None else (it.live,)))


def what_is_cancelled_is_flipped(patch: Patch) -> None:
    def flipped(self: Standing, generation: int, execution: str, now: float) -> Standing:  # noqa: ARG001
        return replace(self, live=generation, building=None, phase="done")

    patch.setattr(Standing, "flipped", flipped)


def a_previous_generation_goes_at_once(patch: Patch) -> None:
    patch.setattr(standing, "PREVIOUS_SECONDS", 0)


def a_page_is_counted_before_it_is_written(patch: Patch) -> None:
    """And nobody compares."""
    whole = Rebuild._write

    def write(self: Rebuild, of: Any, page: Any, standing: Any) -> Any:
        before = self.progress.read(of.view, of.generation, of.segment)
        with suppress(Beaten):
            self.progress.write(of.view, of.generation, of.segment, before, before.after("scan", page.resume, Counts()))
        return whole(self, of, page, standing)

    patch.setattr(Rebuild, "_write", write)
    patch.setattr(verifying.Verification, "_counted", lambda *_: Counts())


def a_version_is_given_whatever_is_there(patch: Patch) -> None:
    whole = Scan.stamped

    def stamped(self: Scan, image: Any) -> Any:
        unconditional = Unconditional(self.model.dynamodb)
        return whole(self._replace(model=self.model._replace(dynamodb=unconditional)), image)

    patch.setattr(Scan, "stamped", stamped)


def late_changes_count_as_differences(patch: Patch) -> None:
    patch.setattr(verifying.Verification, "_may_be_late", lambda *_: False)


class Unconditional:
    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb

    def update_item(self, **request: Any) -> Any:
        request.pop("ConditionExpression")
        request["ExpressionAttributeNames"] = {"#about": "_aggregate"}
        return self._dynamodb.update_item(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)


@contextmanager
def without(remove: Callable[[Patch], None]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        remove(patch)
        yield


def noticed(run: Callable[[int], object], seeds: range) -> bool:
    for seed in seeds:
        try:
            run(seed)
        except (AssertionError, KeyError):
            return True
    return False


def anything(seed: int) -> None:
    rebuilt(RebuildWorld(rebuilds(Seeded(seed))))


def adopted(number: int) -> None:
    """Changed at one of the requests; a version must not come again: it is the first one's, or a later one."""
    world = RebuildWorld(Rebuilds(happenings=[(number, Change(ADOPTED, "bob", ("a",)))]))
    seen: dict[str, int] = {}

    def see(table: str, before: Any, after: Any) -> None:  # noqa: ARG001
        if table == "orders" and after is not None and "_aggregate" in after:
            key, version = after["order_id"]["S"], int(after["_aggregate"]["M"]["version"]["N"])
            assert version > seen.get(key, 0), "a version comes again"
            seen[key] = version

    world.service.changes.append(see)
    world.sweep()
    world.passes(30)


def succeeds(seed: int) -> None:
    changes = rebuilds(Seeded(seed), what=("change",), dying=False)  # nothing is projected, until a task waits
    world = RebuildWorld(changes)
    world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    world.passes(60)
    assert world.standing().live == 1, "it has failed for nothing"


def cancelled(seed: int) -> None:
    """Between the last look and the flip."""
    world = RebuildWorld(Rebuilds(seed=seed))
    world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    world.passes(60)

    def cancel() -> None:
        if world.tasks[-1]["task"] == "verify":
            world.after_task = lambda: None
            world.ask(request="cancel", view=ORDERS, by="bob")

    world.after_task = cancel
    world.stepfunctions.service = Deaf(world.machines)
    world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    world.passes(60)
    assert world.standing().live == 1


class Deaf:
    """Stops no execution: one that is to be stopped may have its next task begun already."""

    def __init__(self, machines: Any) -> None:
        self._machines = machines

    def stop_execution(self, **_: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machines, name)


@pytest.mark.parametrize(
    ("remove", "run"),
    [
        (changes_go_to_what_is_read_alone, anything),
        (what_is_cancelled_is_flipped, cancelled),
        (a_previous_generation_goes_at_once, anything),
        (a_page_is_counted_before_it_is_written, died),
        (a_version_is_given_whatever_is_there, adopted),
        (late_changes_count_as_differences, succeeds),
    ],
    ids=lambda part: part.__name__,
)
def test_without_it_some_schedule_goes_wrong(remove: Callable[[Patch], None], run: Callable[[int], object]) -> None:
    with without(remove):
        assert noticed(run, range(40)), remove.__name__


@pytest.mark.parametrize("run", [adopted, cancelled, succeeds])
def test_with_all_of_them_none_does(run: Callable[[int], object]) -> None:
    assert not noticed(run, range(20))


def test_two_invocations_at_one_segment_count_a_page_once(monkeypatch: Patch) -> None:
    """Without the condition on a segment's item they count it twice."""
    assert twice() == 7
    monkeypatch.setattr(ProgressItems, "write", _unconditionally)
    assert twice() > 7


def twice() -> int:
    world = RebuildWorld(Rebuilds(seed=1))
    world.busy = True
    inner = world.rebuild()
    beside: list[bool] = []
    whole = Scan.page

    def page(self: Scan, segment: int, segments: int, resume: str | None) -> Any:
        found = whole(self, segment, segments, resume)
        if not beside and world.tasks:
            beside.append(True)
            event = {**world.tasks[-1]}
            world._rebuild(event)  # another invocation, which does all of it meanwhile
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scan, "page", page)
        world.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
        world.passes(60)
    return inner.progress.read(ORDERS, 1, 0).counts.scanned


def _unconditionally(self: Any, view: str, generation: int, segment: int, before: Any, after: Any) -> Any:
    now = self.read(view, generation, segment)
    counts = now.counts + replace(after.counts, scanned=after.counts.scanned - before.counts.scanned)
    return _WRITE(self, view, generation, segment, now, replace(after, counts=counts))


_WRITE = ProgressItems.write
