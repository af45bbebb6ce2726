"""What must hold of every fan-in, whatever went wrong. Each raises AssertionError with what it saw."""

import json
from collections.abc import Callable, Sequence

from serverless_patterns_runtime.fan_in import contract

from .fan_in_account import BUCKET, EFFECTS
from .fan_in_world import NAME, START, SWEEP_SECONDS, World, names
from .judging import check

__all__ = ["ALWAYS", "AT_THE_END", "check"]

Invariant = Callable[[World], None]

SKEW_SECONDS = 3.0


def no_head_is_left_open(world: World) -> None:
    left = [key for key, head in world.heads().items() if head[contract.STATE]["S"] == "open"]
    assert not left, f"heads left open: {left}"
    waiting = [key for key, head in world.heads().items() if contract.SHARD in head]
    assert not waiting, f"heads left unannounced: {waiting}"


def effects_happen_once(world: World) -> None:
    twice = [item for item in world.dynamodb.tables[EFFECTS].items.values() if item["times"]["N"] != "1"]
    assert not twice, f"effects of a branch, more than one: {twice}"


def no_completion_happens_twice(world: World) -> None:
    twice = {key: item["times"]["N"] for key, item in world.completed().items() if item["times"]["N"] != "1"}
    assert not twice, f"completions of a message, more than one: {twice}"


def every_head_is_completed(world: World) -> None:
    without = world.heads().keys() - world.completed().keys()
    assert not without, f"never completed: {sorted(without)}"


def completions_tell_what_is(world: World) -> None:
    """All expected branches are there, or missing by name; results are those that the heads and the effects have."""
    for key, completed in world.completed().items():
        head = world.heads()[key]
        results, missing = json.loads(completed["results"]["S"]), set(json.loads(completed["missing"]["S"]))
        assert completed["outcome"]["S"] == ("deadline" if missing else "complete"), f"{key}: outcome"
        assert completed["outcome"]["S"] == head[contract.STATE]["S"], f"{key}: another outcome than its head's"
        assert results.keys() | missing == names(head, contract.EXPECTED), f"{key}: not every branch is accounted for"
        assert not results.keys() & missing, f"{key}: there, and missing too"
        assert results.keys() == names(head, contract.DONE), f"{key}: others than those that were recorded"
        for branch, result in results.items():
            _judge_result(world, key, branch, result)


def _judge_result(world: World, key: str, branch: str, result: dict[str, str]) -> None:
    payload = world.heads()[key][contract.PAYLOAD]["S"]
    where = f"the result of {branch} for {key}"
    assert result["branch"] == branch, f"{where} is another branch's"
    assert result["payload"] == payload, f"{where} is another message's"
    if world.deployed.branches[branch]:
        effect = world.effect(branch, payload)
        assert effect is not None, f"{where} has no effect"
        assert json.loads(effect["result"]["S"]) == result, f"{where} is not that of its effect"
    else:
        assert any(known == result for _, _, _, known in world.ledger.ran), f"{where} was never returned"


def the_message_is_the_one_that_was_published(world: World) -> None:
    for key, completed in world.completed().items():
        bodies = {published.digest: published.body for published in world.ledger.published.values()}
        assert json.loads(completed["message"]["S"]) == bodies[world.heads()[key][contract.PAYLOAD]["S"]]


def a_deadline_is_no_earlier_than_it_is(world: World) -> None:
    for key, (at, outcome) in world.ledger.closed.items():
        sent = [t for p in world.ledger.published.values() if p.key == key for times in p.at.values() for t in times]
        earliest = START + min(sent) + world.deployed.deadline - SKEW_SECONDS
        assert outcome == "complete" or at >= earliest, f"{key} was closed {earliest - at} s early"


def what_is_full_is_complete(world: World) -> None:
    wrong = {key for key in world.ledger.full if world.ledger.closed.get(key, (0, ""))[1] != "complete"}
    assert not wrong, f"all results were there, and yet not complete: {sorted(wrong)}"


def refused_results_are_noted(world: World) -> None:
    """Whose effect is done is in the head: as a result, or as too late, or as not expected."""
    for message in world.ledger.published.values():
        head = world.head(message.key)
        if head is None or head[contract.PAYLOAD]["S"] != message.digest:
            continue
        heard = names(head, contract.DONE) | names(head, contract.LATE)
        done = {branch for branch in message.at if world.effect(branch, message.digest) is not None}
        dead = {branch for branch in done if world.dead[branch].messages}
        assert done - dead <= heard, f"neither recorded nor refused: {sorted(done - heard)} of {message.name}"


def refused_results_are_counted(world: World) -> None:
    """At least as long as nobody dies between the note and the count."""
    if world.faults.spent:
        return
    late = sum(len(names(head, contract.LATE)) for head in world.heads().values())
    counted = world.counted[contract.METRIC_LATE_RESULTS] + world.counted[contract.METRIC_UNEXPECTED_RESULTS]
    assert counted == late, f"{late} results refused, {counted} counted"
    ends = world.counted[contract.METRIC_COMPLETED] + world.counted[contract.METRIC_DEADLINE_MISSED]
    assert ends == len(world.heads()), f"{len(world.heads())} ended, {ends} counted"


def large_results_are_in_the_bucket(world: World) -> None:
    for head in world.heads().values():
        kept = [value["S"] for name, value in head.items() if name.startswith(contract.RESULT_PREFIX)]
        assert all(len(text) <= contract.INLINE_RESULT_BYTES for text in kept), "a large result is in a head"
        for digest in [json.loads(text)["s3"] for text in kept if "s3" in json.loads(text)]:
            assert any(digest in name for name in world.s3.objects[BUCKET]), "a result is nowhere"


def what_was_tried_has_a_head(world: World) -> None:
    """A message that became a dead letter by our own hand has one, if its key is not another message's."""
    for branch in world.deployed.branches:
        for dead in world.dead[branch].messages:
            reason = json.loads(dead.attributes.get("dead-letter", {}).get("StringValue", "{}"))
            if reason and reason["error_type"] not in ("IdempotencyKeyReused", "MalformedPayload"):
                assert world.head(json.loads(dead.body)["id"]) is not None, f"a dead letter without a head: {reason}"


def who_failed_has_a_head(world: World) -> None:
    """Or was killed, and came again. Unless something else went wrong before."""
    if world.faults.spent:
        return
    keys = {message.digest: message.key for message in world.ledger.published.values()}
    failed = {keys[payload] for _, payload in world.ledger.failures if payload in keys}
    for branch in world.deployed.branches:
        again = [dead for dead in world.dead[branch].messages if dead.receive_count > 1]
        failed |= {json.loads(dead.body)["id"] for dead in again if "dead-letter" not in dead.attributes}
    without = {key for key in failed if world.head(key) is None}
    assert not without, f"failed, and no head: {sorted(without)}"


def deadlines_come_in_time(world: World) -> None:
    """From the first failure on, whenever its message is seen again. Unless something else goes wrong."""
    if world.faults.spent:
        return
    for (branch, payload), failed in world.ledger.failed.items():
        for message in [one for one in world.ledger.published.values() if one.digest == payload]:
            head = world.head(message.key)
            if branch not in message.at or head is None or head[contract.PAYLOAD]["S"] != payload:
                continue
            sent = max(START + at for times in message.at.values() for at in times if START + at <= failed)
            latest = max(failed, sent + world.deployed.deadline) + SWEEP_SECONDS + world.deployed.timeout
            late = world.ledger.closed[message.key][0] - latest
            assert late <= 0, f"the deadline of {message.key} came late by {late:.0f} s"


def what_comes_again_ends_in_time(world: World) -> None:
    """Held by a breaker too: from the second time on, or before. A group of a FIFO queue may wait for its first."""
    if world.faults.spent or world.deployed.fifo:
        return
    for (branch, name), again in world.ledger.again.items():
        message = world.ledger.published[name]
        head = world.head(message.key)
        if head is None or head[contract.PAYLOAD]["S"] != message.digest:
            continue
        latest = max(again, START + max(message.at[branch]) + world.deployed.deadline) + SWEEP_SECONDS
        late = world.ledger.closed[message.key][0] - latest - world.deployed.timeout
        assert late <= 0, f"{name} came to {branch} again, and its deadline came late by {late:.0f} s"


def no_message_overtakes_its_group(world: World) -> None:
    assert not world.ledger.overtook, f"ran before one that came before them: {world.ledger.overtook}"


def no_outage_makes_a_dead_letter(world: World) -> None:
    """Of what a breaker guards. Unless something else goes wrong, or a message does."""
    if world.faults.spent:
        return
    for branch in world.deployed.guarded:
        for dead in world.dead[branch].messages:
            does = world.ledger.published[dead.attributes[NAME]["StringValue"]].does.get(branch, "ok")
            told = json.loads(dead.attributes.get("dead-letter", {}).get("StringValue", "{}"))
            exhausted = told.get("error_type") == "AttemptsExhausted"
            assert not exhausted or does not in ("ok", "large"), f"an outage made a dead letter in {branch}: {told}"


def no_end_is_told_in_vain(world: World) -> None:
    """What is announced can be completed."""
    said = [
        dead.attributes.get("dead-letter", {}).get("StringValue", "{}") for dead in world.dead["Completions"].messages
    ]
    vain = {json.loads(text)["error_type"] for text in said if "error_type" in json.loads(text)}
    assert not vain - {"AttemptsExhausted"}, f"an end could not be told: {sorted(vain)}"


ALWAYS: Sequence[Invariant] = (
    no_head_is_left_open,
    effects_happen_once,
    no_completion_happens_twice,
    completions_tell_what_is,
    the_message_is_the_one_that_was_published,
    a_deadline_is_no_earlier_than_it_is,
    what_is_full_is_complete,
    refused_results_are_noted,
    refused_results_are_counted,
    large_results_are_in_the_bucket,
    what_was_tried_has_a_head,
    who_failed_has_a_head,
    deadlines_come_in_time,
    what_comes_again_ends_in_time,
    no_message_overtakes_its_group,
    no_outage_makes_a_dead_letter,
    no_end_is_told_in_vain,
)
"""When nothing is under way any more."""

AT_THE_END: Sequence[Invariant] = (*ALWAYS, every_head_is_completed)
"""And when what has become a dead letter was redriven, without further mishaps."""
