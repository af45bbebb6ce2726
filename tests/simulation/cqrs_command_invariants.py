"""What must hold of every history of commands, whatever went wrong. Each raises AssertionError with what it saw.

The table's own changes, in their order, are the one order in which the commands have happened; so a history is
linearizable if every change is what its command decides on the state before it, every answer is that of its change, and
every refusal and every read is true of some moment while it was asked for.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from serverless_patterns_runtime import Command, PermanentError
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate

from .cqrs_command_world import Ask, Change, CommandWorld, Reply, claim_of, decide, version_of
from .judging import check as check_all

__all__ = ["INVARIANTS", "check"]

Invariant = Callable[[CommandWorld], None]


def check(world: CommandWorld) -> None:
    check_all(world, INVARIANTS)


def versions_only_grow(world: CommandWorld) -> None:
    for key, changes in by_key(world).items():
        versions = [change.after.version for change in changes if change.after and change.after.version]
        assert all(older < newer for older, newer in pairwise(versions)), f"versions of {key} do not grow: {versions}"  # type: ignore[operator]
        for change in changes:
            if change.before and change.after and change.before.version:
                assert change.after.version == change.before.version + 1, f"a version of {key} is left out"  # type: ignore[operator]


def every_change_is_what_its_command_decides(world: CommandWorld) -> None:
    """On the state before it: else another's change was overwritten."""
    for change in commanded(world):
        ask = asked_by(world, change)
        assert ask is not None, f"a change of {change.key} is no command's"
        wanted = outcome(ask, None, change.before)
        assert not isinstance(wanted, PermanentError), f"{ask.by} was not allowed, and was done"
        state, _ = wanted
        found = None if change.after is None or change.after.state is None else dict(change.after.state)
        assert found == state, f"a change was overwritten: {ask.by} made {found}, not {state}"


def no_command_happens_twice(world: CommandWorld) -> None:
    done = Counter(change.claim or _last(change) for change in commanded(world))
    twice = {command: times for command, times in done.items() if times > 1}
    assert not twice, f"done more than once: {twice}"


def every_answer_is_that_of_its_change(world: CommandWorld) -> None:
    for reply in answered(world):
        change = change_of(world, reply.ask)
        assert change is not None, f"{reply.ask.by} was told that it is done, and nothing happened"
        assert change.after is not None
        assert reply.answer["version"] == change.after.version, f"{reply.ask.by} was told another version"
        assert asked_by(world, change) == reply.ask, f"{reply.ask.by} was told what another command has done"
        wanted = outcome(reply.ask, None, change.before)
        assert not isinstance(wanted, PermanentError)
        assert reply.answer["result"] == wanted[1], f"{reply.ask.by} was told another result"
        assert change.at <= reply.at, f"{reply.ask.by} was told before it happened"
        expected = reply.expected
        assert expected is None or version_of(change.before) == expected, f"{reply.ask.by} changed another version"


def every_refusal_is_true(world: CommandWorld) -> None:
    """At some moment while it was asked for; and nothing of what is refused has happened."""
    for reply in world.books.replies:
        if "status" not in reply.answer:
            continue
        by, change = reply.ask.by, change_of(world, reply.ask)
        if reply.answer["status"] == 422:
            other = change is not None and asked_by(world, change) != reply.ask
            assert other, f"{by} was told that its id is another's, and it is not"
            continue
        mine = change is not None and asked_by(world, change) == reply.ask
        assert not mine or change.at > reply.since, f"{by} was refused, and it had happened"  # type: ignore[union-attr]
        # The same request, sent twice: one may be refused while the other has not happened yet.
        states = states_between(world, reply.ask.key, reply.since, reply.at, before=change if mine else None)
        refused = [isinstance(outcome(reply.ask, reply.expected, state), PermanentError) for state in states]
        assert any(refused), f"{by} was refused for what never was: {reply.answer}"


def nothing_happens_after_a_refusal(world: CommandWorld) -> None:
    """Unless it was sent again: the client asks once more, or another one has the same id."""
    for reply in world.books.replies:
        change = change_of(world, reply.ask)
        alone = sum((one.ask.id or one.ask.by) == (reply.ask.id or reply.ask.by) for one in world.clients) == 1
        if "status" in reply.answer and alone and not reply.ask.again and not world.faults.spent:
            assert change is None, f"{reply.ask.by} was refused, and happened"


def everybody_is_told_the_same(world: CommandWorld) -> None:
    told: dict[str, dict[str, Any]] = {}
    for reply in answered(world):
        answer = {name: value for name, value in reply.answer.items() if name != "replayed"}
        assert told.setdefault(claim_of(reply.ask), answer) == answer, f"{reply.ask.by} was told two things"
        assert answer["token"] == f"{answer['version']}@{answer['key']}"


def a_replay_says_so(world: CommandWorld) -> None:
    """Of all who are told, one at most has done it."""
    first = Counter(claim_of(reply.ask) for reply in answered(world) if "replayed" not in reply.answer)
    several = [command for command, times in first.items() if times > 1]
    assert not several, f"a replay does not say so: {several}"


def what_is_done_at_once_is_no_replay(world: CommandWorld) -> None:
    ids = Counter(claim_of(client.ask) for client in world.clients)
    for reply in answered(world):
        if reply.alone and ids[claim_of(reply.ask)] == 1:
            assert "replayed" not in reply.answer, f"{reply.ask.by} was told that it was done before, and it was not"


def nobody_fails_without_a_mishap(world: CommandWorld) -> None:
    failed = [client.ask.by for client in world.clients if client.failures]
    assert world.faults.spent or not failed, f"nothing went wrong, and these failed: {failed}"


def every_read_is_true(world: CommandWorld) -> None:
    for seen in world.books.seen:
        states = states_between(world, seen.key, seen.since, seen.at)
        assert seen.found in states, f"a read of {seen.key} saw what never was"


def nothing_is_lost(world: CommandWorld) -> None:
    """What was told to be done is in the state, unless it was deleted since."""
    for key, changes in by_key(world).items():
        counted: list[str] = []
        for change in changes:
            if change.after is None or change.after.state is None:
                counted = []
            elif change.raw:
                counted = list(change.after.state["by"])
            elif (ask := asked_by(world, change)) is not None:
                counted.append(ask.by)
        state = world.state_of(key)
        found = [] if state is None or state.state is None else state.state["by"]
        assert found == counted, f"{key} has {found}, and these were counted: {counted}"


def nothing_is_asked_that_is_not_permitted(world: CommandWorld) -> None:
    """What the construct lets a command function do; the puts of a transaction are PutItem."""
    asked = {operation for _, operation in world.network.calls}
    assert asked <= {"BatchGetItem", "TransactWriteItems"}, f"no function of commands may ask for {sorted(asked)}"


INVARIANTS: Sequence[Invariant] = (
    versions_only_grow,
    every_change_is_what_its_command_decides,
    no_command_happens_twice,
    every_answer_is_that_of_its_change,
    every_refusal_is_true,
    nothing_happens_after_a_refusal,
    everybody_is_told_the_same,
    a_replay_says_so,
    what_is_done_at_once_is_no_replay,
    nobody_fails_without_a_mishap,
    every_read_is_true,
    nothing_is_lost,
    nothing_is_asked_that_is_not_permitted,
)


# What the books say.


def by_key(world: CommandWorld) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in world.books.changes:
        found.setdefault(change.key, []).append(change)
    return found


def commanded(world: CommandWorld) -> list[Change]:
    """By commands alone."""
    return [change for change in world.books.changes if not change.raw]


def answered(world: CommandWorld) -> list[Reply]:
    return [reply for reply in world.books.replies if "version" in reply.answer]


def asked_by(world: CommandWorld, change: Change) -> Ask | None:
    """Of two that share an id, the one whose name is in the state; a deleted one has no state to say it."""
    by = _last(change) or change.by
    return next((client.ask for client in world.clients if client.ask.by == by and client.ask.name != "read"), None)


def change_of(world: CommandWorld, ask: Ask) -> Change | None:
    """Made under the id of this command."""
    mine = claim_of(ask)
    for change in commanded(world):
        made_by = asked_by(world, change)
        if change.claim == mine or (change.claim is None and made_by is not None and claim_of(made_by) == mine):
            return change
    return None


def _last(change: Change) -> str | None:
    return None if change.after is None or change.after.state is None else change.after.state["by"][-1]


def outcome(
    ask: Ask, expected: int | None, before: Aggregate | None
) -> tuple[dict[str, Any] | None, Any] | PermanentError:
    """State and result that the command makes of this, or its refusal."""
    if expected is not None and version_of(before) != expected:
        return PermanentError("another version", status=409)
    state = None if before is None else before.state
    try:
        decision = decide(state, Command.fake(ask.name, {"by": ask.by}, key=ask.key))
    except PermanentError as refusal:
        return refusal
    made = None if decision.state is None else {**decision.state, "counter": ask.key}
    return made, decision.result


def states_between(
    world: CommandWorld, key: str, since: float, at: float, before: Change | None = None
) -> list[Aggregate | None]:
    """Every state that there was at any moment of this time, and before this change."""
    found: list[Aggregate | None] = [None]
    for change in by_key(world).get(key, []):
        if change is before:
            break
        if change.at <= since:
            found = [change.after]
        elif change.at <= at:
            found.append(change.after)
    return found
