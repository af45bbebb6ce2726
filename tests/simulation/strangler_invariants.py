"""What must hold of every run: nobody is lost, doubled or misplaced, whatever was flipped and whatever went wrong."""

from collections.abc import Callable, Iterator, Sequence

from serverless_patterns_runtime.strangler_gateway.contract import Side
from serverless_patterns_runtime.strangler_gateway.placement import bucket

from ..runtime.strangler_gateway.gateway import CACHE, TABLE
from .faults import CRASHES
from .lambda_model import LARGEST_SKEW_SECONDS
from .schedules import Violation
from .strangler_world import GONE, Invocation, StranglerWorld
from .world import START

__all__ = ["INVARIANTS", "check"]

Invariant = Callable[[StranglerWorld], Iterator[str]]


def everybody_is_answered(world: StranglerWorld) -> Iterator[str]:
    yield from (f"{one.ask} was never answered" for one in world.invocations if not one.status)


def no_failure_is_ours(world: StranglerWorld) -> Iterator[str]:
    """A 5xx comes from a side, from a crash, or from a table without which a key may be sent nowhere."""
    for one in world.invocations:
        if one.status < 500:
            continue
        crashed = bool({*one.mishaps} & {*CRASHES})
        legacy_down = bool({*one.mishaps} & {"legacy unreachable", "legacy answer lost"})
        unsafe = one.ask.key is not None
        pins_down = unsafe and one.status == 503 and not one.sent and bool(one.mishaps)
        new_side_failed = unsafe and (one.line or {}).get("side") == "new"
        if not (crashed or legacy_down or pins_down or new_side_failed):
            yield f"{one.status} is the gateway's own: {one}"


def nothing_is_sent_twice_but_what_says_so(world: StranglerWorld) -> Iterator[str]:
    for one in world.invocations:
        said = bool((one.line or {}).get("FellBack"))
        if len(one.sent) < 2:
            continue
        if one.sent != ["new", "legacy"] or one.ask.key is not None:
            yield f"sent to {one.sent}: {one}"
        elif not said and not {*one.mishaps} & {*CRASHES}:
            yield f"sent twice, and does not say so: {one}"


def a_key_has_its_effect_on_one_side(world: StranglerWorld) -> Iterator[str]:
    yield from (f"{key} was done by {sides}" for key, sides in world.effects.items() if len(sides) > 1)


def everybody_is_where_he_belongs(world: StranglerWorld) -> Iterator[str]:
    """By the percentages of the last seconds; those of a longer time while the table could not be read."""
    for one in world.invocations:
        if one.ask.key is None and one.ask.forced is None and one.sent and one.sent[0] not in allowed(world, one):
            yield f"{one.sent[0]} is where nobody was to go: {one}, of {world.changes[one.ask.route]}"


def allowed(world: StranglerWorld, one: Invocation) -> set[Side]:
    settings = world.code["routes"][one.ask.route]
    since = one.began - CACHE * (1 + world.mishaps) - LARGEST_SKEW_SECONDS
    shares = [(START, settings["initial_percent"])]
    shares += [(change.at, change.standing.share) for change in world.changes[one.ask.route]]
    ends = [at for at, _ in shares[1:]] + [float("inf")]
    held = [share for (at, share), end in zip(shares, ends, strict=True) if end >= since and at <= one.ended]
    step = bucket(world.code["gateway"], one.ask.caller)
    sides: set[Side] = {"new" if step < round(share * 100) else "legacy" for share in held}
    failing = world.mishaps or world.bad(one.began - START)
    return sides | ({"legacy"} if failing else set())


def who_is_forced_is_there(world: StranglerWorld) -> Iterator[str]:
    for one in world.invocations:
        if one.ask.forced and one.sent and one.sent[0] != one.ask.forced and not world.mishaps:
            yield f"was to be on the {one.ask.forced} side: {one}"


def every_change_is_in_the_history(world: StranglerWorld) -> Iterator[str]:
    for route, changes in world.changes.items():
        versions = sorted(int(item["version"]["N"]) for item in world.history(route))
        if versions != [change.standing.version for change in changes] or len(set(versions)) != len(versions):
            yield f"{route}: changes {changes}, history {versions}"


def what_was_said_was_done(world: StranglerWorld) -> Iterator[str]:
    """Every `changed` was a change of its own, and nothing else but rollbacks was one."""
    for route, changes in world.changes.items():
        mine = [change for change in changes if change.standing.by != "rollback"]
        told = [(command, answer) for _, command, answer in world.answers if command.get("route") == route]
        said = [command for command, answer in told if answer.get("changed")]
        lost = world.mishaps  # an answer that was lost: it was changed, and said again it is no change
        if not len(said) <= len(mine) <= len(said) + lost:
            yield f"{route}: {len(said)} were told that they changed it, and {len(mine)} changes were made"


def what_is_listed_is_never_forgotten(world: StranglerWorld) -> Iterator[str]:
    items = world.dynamodb.tables[TABLE].items
    changed = [route for route, changes in world.changes.items() if changes]
    yield from (f"{route} is forgotten" for route in changed if ("routes", route) not in items)


def what_was_removed_is_forgotten_once(world: StranglerWorld) -> Iterator[str]:
    """Where there was a sweep."""
    if not any(command["action"] == "sweep" for _, command, _ in world.answers):
        return
    told = [item["action"]["S"] for item in world.history(GONE)]
    left = [table for table, items in world.dynamodb.tables.items() for key in items.items if GONE in key]
    if told != ["sweep"] or left:
        yield f"the history has {told}, and of {GONE} something is left in {left}"


INVARIANTS: Sequence[Invariant] = (
    everybody_is_answered,
    no_failure_is_ours,
    nothing_is_sent_twice_but_what_says_so,
    a_key_has_its_effect_on_one_side,
    everybody_is_where_he_belongs,
    who_is_forced_is_there,
    every_change_is_in_the_history,
    what_was_said_was_done,
    what_is_listed_is_never_forgotten,
    what_was_removed_is_forgotten_once,
)


def check(world: StranglerWorld) -> None:
    """Raises Violation."""
    for invariant in INVARIANTS:
        for broken in invariant(world):
            raise Violation(f"{invariant.__name__}\n{broken}")
