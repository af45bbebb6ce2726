"""What must hold of every history of an API, whatever went wrong. Each raises AssertionError with what it saw."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from serverless_patterns_runtime.api_proxy.answer import Answer

from .api_ledger import FAILURES, FALLBACK
from .api_world import ApiWorld, Handled
from .judging import check
from .world import CLAIMS

__all__ = ["INVARIANTS", "ApiInvariant", "check", "watch"]

ApiInvariant = Callable[[ApiWorld], None]

SKEW_ALLOWANCE_SECONDS = 5
"""Clock skew, rounding to seconds, and the runtime's own margin."""

ABSORBED = {"slow", "answer lost, repeated", "in progress"}
"""Faults that the SDK or the runtime get over by themselves."""

SAID_TO_BE_TEMPORARY = {"conflict", "throttled"}
"""Faults of which DynamoDB itself says that a later try may succeed."""

LATEST_SECONDS = 25.0
"""For this long after a fault a request may still be carried out."""


# Effects and answers.


def an_effect_happens_once(world: ApiWorld) -> None:
    """Inside our transaction: once per caller, route and key; without a key once per request."""
    twice = {operation: times for operation, times in world.books.committed.items() if times != 1}
    assert not twice, f"effects per operation: {twice}"


def who_is_told_that_it_is_done_is_told_the_truth(world: ApiWorld) -> None:
    done = world.books.committed if world.deployment.effects else world.books.external
    for operation in world.books.answers():
        assert done[operation] > 0, f"{operation} was answered, and nothing happened"


def everybody_is_told_the_same(world: ApiWorld) -> None:
    """Byte for byte, heard or not."""
    for operation, replies in world.books.answers().items():
        answers = {str(reply.lasting) for reply in replies}
        assert len(answers) == 1, f"{operation} has {len(answers)} answers: {sorted(answers)}"


def only_one_answer_claims_to_be_the_first(world: ApiWorld) -> None:
    for operation, replies in world.books.answers().items():
        firsts = [reply for reply in replies if not reply.replayed]
        assert len(firsts) <= 1, f"{operation} has {len(firsts)} answers that are no replay"


def a_key_stands_for_one_body(world: ApiWorld) -> None:
    """Also where an attempt took effect and died: what it did, it did under this key."""
    for operation, bodies in world.books.external_bodies.items():
        assert len(bodies) == 1, f"{operation} took effect for {len(bodies)} bodies"
    for operation, replies in world.books.answers().items():
        bodies = {reply.ask.body for reply in replies}
        assert len(bodies) == 1, f"{operation} was done for {len(bodies)} bodies"


def every_client_is_told_what_became_of_its_request(world: ApiWorld) -> None:
    """One that could be done is done; another body under its key is refused; no answer of ours is in the way."""
    answers = world.books.answers()
    for client in world.clients:
        ask = client.ask
        rivals = {other.ask.body for other in world.clients if other.ask.operation == ask.operation} - {ask.body}
        for _, reply in client.told:
            if reply.of_fallback:
                assert world.deployment.fallback, f"{ask.name} was told what no function said"
                continue
            if ask.key is None:
                allowed = {201} if ask.healthy else {402}
            else:
                done = {other.ask.body for other in answers.get(ask.operation, [])}
                allowed = set[int]()
                if ask.healthy and (not rivals or ask.body in done or not done):
                    allowed.add(201)
                if not ask.healthy:
                    allowed.add(402 if ask.does == "is refused" else 409)
                if rivals:
                    allowed.add(422)
            assert reply.status in allowed, f"{ask.name} ({ask.does}) was told {reply.status} {reply.body}"


def nobody_waits_for_longer_than_a_lease_and_a_little(world: ApiWorld) -> None:
    """Once faults have stopped: for a lease that was left behind, for an attempt of another, for its own pauses."""
    for client in world.clients:
        others = [other.ask for other in world.clients if other.ask.operation == client.ask.operation]
        failures = sum(FAILURES.get(ask.does, 0) for ask in {ask.does: ask for ask in others}.values())
        lease = world.deployment.timeout + SKEW_ALLOWANCE_SECONDS
        most = LATEST_SECONDS + (2 + failures) * (lease + 6.0) + 40.0
        for since, reply in client.told:
            waited = reply.at - max(since, world.books.last_mishap)
            assert waited <= most, f"{client.ask.name} was answered after {waited:.1f} s, {most:.1f} s are enough"


def a_client_alone_never_waits_for_a_lease(world: ApiWorld) -> None:
    """Its own attempts, when they fail, give theirs back."""
    if world.faults.spent or world.deployment.integration_timeout < world.deployment.timeout:
        return
    if world.guard is not None:
        return  # who is refused waits as well, and is told so in the same words
    for client in world.clients:
        alone = sum(other.ask.operation == client.ask.operation for other in world.clients) == 1
        if alone and not client.ask.does.startswith("hangs"):
            held = [
                reply for reply in world.books.replies if reply.ask is client.ask and "Retry-After" in reply.headers
            ]
            assert not held, f"{client.ask.name} ({client.ask.does}) stood in its own way: {held[0].body}"


# Runs.


def a_key_runs_once_at_a_time(world: ApiWorld) -> None:
    if world.deployment.effects:
        return
    for operation, runs in _runs(world).items():
        for before, after in pairwise(runs):
            assert before.over <= after.start, f"{operation} ran twice at once, from {before.start} and {after.start}"


def what_is_recorded_never_runs_again(world: ApiWorld) -> None:
    if world.deployment.effects:
        return
    for operation, runs in _runs(world).items():
        for before in runs[:-1]:
            unknown = before.owner not in world.books.recorded
            assert before.failed or unknown, f"{operation} ran again after it was done"


def who_follows_an_attempt_of_unknown_fate_knows_it(world: ApiWorld) -> None:
    if world.deployment.effects:
        return
    for operation, runs in _runs(world).items():
        unknown = 0
        for run in runs:
            assert run.attempt > unknown, f"{operation}: attempt {run.attempt}, and {unknown} of unknown fate before it"
            unknown += not run.refused
        assert world.faults.spent or unknown or runs[0].attempt == 1


def a_run_without_a_failure_or_a_fault_is_the_only_one(world: ApiWorld) -> None:
    """No effects: nothing but its own failures and mishaps makes a key run again."""
    if world.deployment.effects:
        return
    for operation, runs in _runs(world).items():
        failures = sum(run.failed for run in runs)
        hangs = sum(json.loads(body)["does"].startswith("hangs") for body in {run.body for run in runs})
        most = 1 + failures + hangs + world.faults.spent
        assert len(runs) <= most, f"{operation} ran {len(runs)} times, {most} are enough"


def a_key_is_one_key_for_what_lies_behind(world: ApiWorld) -> None:
    """And never another's: two callers, or two routes, with the same key are strangers."""
    known: dict[str, str] = {}
    for run in world.books.runs:
        if run.operation.startswith("without a key"):
            continue
        key = known.setdefault(run.operation, run.idempotency_key)
        assert key == run.idempotency_key, f"{run.operation} went by two keys"
    assert len(set(known.values())) == len(known), f"operations share a key: {known}"


def _runs(world: ApiWorld) -> Mapping[str, Sequence[Any]]:
    operations = dict.fromkeys(run.operation for run in world.books.runs if "without a key" not in run.operation)
    return {name: sorted(world.books.runs_of(name), key=lambda run: run.start) for name in operations}


INVARIANTS: Sequence[ApiInvariant] = (
    an_effect_happens_once,
    who_is_told_that_it_is_done_is_told_the_truth,
    everybody_is_told_the_same,
    only_one_answer_claims_to_be_the_first,
    a_key_stands_for_one_body,
    every_client_is_told_what_became_of_its_request,
    nobody_waits_for_longer_than_a_lease_and_a_little,
    a_client_alone_never_waits_for_a_lease,
    a_key_runs_once_at_a_time,
    what_is_recorded_never_runs_again,
    who_follows_an_attempt_of_unknown_fate_knows_it,
    a_run_without_a_failure_or_a_fault_is_the_only_one,
    a_key_is_one_key_for_what_lies_behind,
)


# What must hold at every moment.


def watch(world: ApiWorld) -> None:
    longest = world.deployment.timeout + SKEW_ALLOWANCE_SECONDS

    def see(table: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        if table != CLAIMS:
            return
        now = world.schedule.now
        if before is not None and "free_at" not in before:
            raise AssertionError(f"a claim without a deadline was taken away: {before}")
        if after is not None and not after["done"]["BOOL"]:
            left = int(after["free_at"]["N"]) - now
            assert left <= longest, f"a lease for {left} s"
        if before is not None and before["done"]["BOOL"]:
            expired = int(before["free_at"]["N"]) <= now + SKEW_ALLOWANCE_SECONDS
            same = after is not None and all(
                after.get(name) == before.get(name) for name in ("owner", "done", "answer")
            )
            assert expired or same, f"a completed claim was taken away: {before} to {after}"

    def judge(handled: Handled) -> None:
        status, mishaps = handled.result["statusCode"], set(handled.mishaps) - ABSORBED
        wanted = json.loads(handled.ask["body"])
        failed = handled.failed or wanted["does"] == "is too large"
        assert status != 500 or failed or mishaps - SAID_TO_BE_TEMPORARY, f"a 500 without a reason, after {mishaps}"
        if "Idempotency-Key" not in handled.ask["multiValueHeaders"] or FALLBACK in handled.result["multiValueHeaders"]:
            return
        if status < 300:
            assert _says(handled.after, handled.result), f"a {status} that is not in the table: {handled.result}"
        if handled.before is None or not _is_done(world, handled.before):
            return
        done_for = _body_of(world, handled.before)
        expected = (
            {422} if done_for != json.dumps(wanted) else {201, 409} if wanted["does"] == "is too large" else {201}
        )
        if mishaps:
            expected |= {500, 503}
        assert status in expected, f"the work was done, for {done_for}, and {wanted} was told {status}"

    world.dynamodb.changes.append(see)
    world.on_handled.append(judge)


def _body_of(world: ApiWorld, claim: Mapping[str, Any]) -> str:
    """Of the run that has made it."""
    names = (claim["claim"]["S"], claim["payload"]["S"])
    return next(run.body for run in world.books.runs if (run.claim, run.payload) == names)


def _is_done(world: ApiWorld, claim: Mapping[str, Any]) -> bool:
    if not claim["done"]["BOOL"]:
        return False
    return int(claim["expires_at"]["N"]) > world.schedule.now + SKEW_ALLOWANCE_SECONDS


def _says(claim: Mapping[str, Any] | None, result: Mapping[str, Any]) -> bool:
    """Whether the table holds this very answer."""
    if claim is None or not claim["done"]["BOOL"] or "answer" not in claim:
        return False
    kept = Answer.from_json(claim["answer"]["S"])
    headers = {name: list(values) for name, values in kept.headers.items()}
    given = {name: values for name, values in result["multiValueHeaders"].items() if name in headers}
    return (kept.status, kept.body, headers) == (result["statusCode"], result["body"], given)
