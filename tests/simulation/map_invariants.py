"""What must hold of every execution of a map, whatever went wrong."""

from collections import Counter
from typing import Any

from serverless_patterns_runtime.parallel_map import contract

from .map_definition import NAMESPACE
from .map_world import NAME, MapWorld

__all__ = ["check_map"]

COMPLETION_KEY = f"{NAMESPACE}#{NAME}"


def key_of(world: MapWorld, index: int) -> str:
    item = world.items[index]
    return str(item["id"]) if world.plan.keyed else str(index)


def check_map(world: MapWorld) -> None:
    run = world.main
    assert run.ended is not None, "the execution has not ended"
    for completion in world.completions:
        assert completion.ended is not None, "a completion has not ended"
        assert completion.ended.status == "SUCCEEDED", f"a completion ended as {completion.ended}"
    _the_end_is_told_once(world)
    _every_item_is_processed_or_a_dead_letter(world)
    _what_is_told_is_true(world)
    _the_execution_ends_as_it_was_told(world)
    _nothing_comes_after_a_dead_letter(world)
    _no_more_is_begun_than_may_be(world)
    _healthy_items_are_processed(world)


def _the_end_is_told_once(world: MapWorld) -> None:
    times = world.done[COMPLETION_KEY]
    if world.plan.effects:
        assert times == 1, f"the end was told {times} times"
    else:
        assert times >= 1, "the end was told 0 times"
    outcomes = {(told.outcome, told.items, told.processed, len(told.failed)) for told in world.told}
    assert len(outcomes) == 1, f"two ends were told: {outcomes}"


def _every_item_is_processed_or_a_dead_letter(world: MapWorld) -> None:
    gathered = world.told[-1]
    failed = {item.index: item for item in gathered.failed}
    dead = Counter(why["idempotency_key"] for _, why in world.letters.sent)
    by_key = [(key_of(world, index), item) for index, item in enumerate(world.items)]
    for item, why in world.letters.sent:
        assert (why["idempotency_key"], item) in by_key, "a dead letter is none of the items"
    for index, item in enumerate(world.items):
        key = f"{NAMESPACE}#{NAME}#{key_of(world, index)}"
        effects, text = world.done[key], key_of(world, index)
        if index in failed:
            assert dead[text] >= 1, f"item {index} was told as failed, and is no dead letter"
            assert failed[index].item == item, "a failed item is told as another"
            assert failed[index].reason, "an item failed without a reason"
            if world.plan.effects and _alone(world, index):
                assert effects == 0, f"item {index} is a dead letter, and had its effect"
        else:
            assert effects >= 1, f"item {index} was told as processed, and had no effect"
            if _alone(world, index):
                assert dead[text] == 0, f"item {index} was told as processed, and is a dead letter"
        if world.plan.effects:
            assert effects <= 1, f"item {index} had its effect {effects} times"


def _alone(world: MapWorld, index: int) -> bool:
    """Whether no other item has its key."""
    return [key_of(world, at) for at in range(len(world.items))].count(key_of(world, index)) == 1


def _what_is_told_is_true(world: MapWorld) -> None:
    for gathered in world.told:
        assert gathered.items == len(world.items), f"{gathered.items} items were told, of {len(world.items)}"
        assert gathered.processed + len(gathered.failed) == gathered.items, "told items do not add up"
        assert gathered.key == NAME
        for key, result in gathered.results.items():
            kept = world.results.get(f"{NAMESPACE}#{NAME}#{key}")
            assert result == kept, f"the result of {key} is told as another"


def _the_execution_ends_as_it_was_told(world: MapWorld) -> None:
    gathered, ended = world.told[-1], world.main.ended
    assert ended is not None
    share: Any = 100 * len(gathered.failed) / max(gathered.items, 1)
    if gathered.outcome in ("succeeded", "failed") and ended.status in ("SUCCEEDED", "FAILED"):
        wanted = "failed" if share > world.plan.tolerated else "succeeded"
        assert gathered.outcome == wanted, f"{share} % failed, and it was told as {gathered.outcome}"
    if ended.status == "SUCCEEDED":
        assert gathered.outcome == contract.SUCCEEDED, "an execution succeeded that was told to fail"
    if ended.error == contract.ITEMS_FAILED:
        assert gathered.outcome != contract.SUCCEEDED, "an execution failed that was told to succeed"


def _nothing_comes_after_a_dead_letter(world: MapWorld) -> None:
    for index in range(len(world.items)):
        key = key_of(world, index)
        done, letter = world.done_at.get(f"{NAMESPACE}#{NAME}#{key}"), world.letters.first.get(key)
        if _alone(world, index) and done is not None and letter is not None:
            assert done <= letter, f"item {index} had its effect after its dead letter was sent"


def _no_more_is_begun_than_may_be(world: MapWorld) -> None:
    most = world.plan.max_items
    if len(world.items) <= most:
        return
    for index in range(most if world.plan.in_s3 else 0, len(world.items)):
        if _alone(world, index):
            key = f"{NAMESPACE}#{NAME}#{key_of(world, index)}"
            assert world.attempts[key] == 0, f"item {index} was begun, and {most} may be"


def _healthy_items_are_processed(world: MapWorld) -> None:
    """Where nothing else goes wrong."""
    if world.death.at or world.faults.spent:
        return
    ended = world.main.ended
    assert ended is not None
    assert ended.status == "SUCCEEDED" or ended.error == contract.ITEMS_FAILED, f"nothing was wrong, and it {ended}"
    if len(world.items) > world.plan.max_items:
        return
    ill = {item.index: item for item in world.told[-1].failed}
    mended = ("ok", "fails once", "hangs once") if world.plan.retries > 1 else ("ok",)
    for index, item in enumerate(world.items):
        if item["does"] in mended and _alone(world, index):
            assert index not in ill, f"item {index} is healthy, and a dead letter"
        if item["does"] in ("is refused", "fails", "hangs") and _alone(world, index):
            _its_attempts_are_told(world, index)
        if item["does"] == "is refused" and _alone(world, index):
            assert ill[index].reason == "no page", f"item {index} is a dead letter for another reason"


def _its_attempts_are_told(world: MapWorld, index: int) -> None:
    key = key_of(world, index)
    begun = world.attempts[f"{NAMESPACE}#{NAME}#{key}"]
    (told,) = {why["receive_count"] for _, why in world.letters.sent if why["idempotency_key"] == key}
    assert told == begun, f"item {index} was tried {begun} times, and its dead letter says {told}"
