"""Gathering: every item that is not processed is closed, all are counted, and the outcome is decided, once.

Whoever comes later, by another way, finds the head and says the same.
"""

from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.claims.claim import Contended, RunningElsewhere
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.closing import closed
from serverless_patterns_runtime.parallel_map.edge import Gathering
from serverless_patterns_runtime.parallel_map.executions import input_of, name_of
from serverless_patterns_runtime.parallel_map.failures import StillGathering, attempt_of, reason_of
from serverless_patterns_runtime.parallel_map.items import Unreadable
from serverless_patterns_runtime.parallel_map.roll import called

__all__ = ["bury", "gather"]

LAST_SECONDS = 10.0
"""Of an invocation: no item is begun in them."""

NOT_PROCESSED = "NotProcessed"
"""Error type of items that no attempt is known of: the execution, or the map, ended before."""

MORE_FAILED = "more items failed than are tolerated: see the dead letters"


def bury(gathering: Gathering, event: contract.BuryEvent) -> None:
    """One item whose attempts are used up, unless it is buried already. Raises as `called` and `closed`."""
    item = gathering.edge.items.item(event["execution"], event["index"], event["item"])
    (entry,) = called(gathering.edge, [item])
    if entry.state != "open":
        return
    error_type, reason = reason_of(event["error"])
    attempts = attempt_of(event["error"]) or event.get("attempts", 1)
    closed(gathering, item, error_type, reason, attempts=attempts)


def gather(gathering: Gathering, event: contract.GatherEvent, remaining: Callable[[], float]) -> contract.Told:
    """What has become of an execution. Raises as `closed`, and StillGathering."""
    edge, name = gathering.edge, name_of(event["arn"])
    found = _head(gathering, name)
    if found is not None:
        return found
    try:
        items = edge.items.all(name, input_of(edge.stepfunctions, event["arn"]))
    except Unreadable as error:
        told = contract.Told(outcome="failed", items=0, processed=0, failed=0, reason=error.message)
        return _decided(gathering, name, event, told)
    refused = edge.items.refused(len(items))
    processed = failed = 0
    at_work: RunningElsewhere | None = None
    for entry in called(edge, items):
        if entry.state == "processed":
            processed += 1
        elif entry.state == "failed":
            failed += 1
        elif remaining() < LAST_SECONDS:
            raise StillGathering(f"{processed + failed:,} of {len(items):,} items are closed")
        else:
            try:
                why = refused or edge.items.beyond(entry.item.index) or _why(event)
                if closed(gathering, entry.item, NOT_PROCESSED, why, attempts=0):
                    failed += 1
                else:
                    processed += 1
            except RunningElsewhere as error:
                at_work = error
    if at_work is not None:
        raise at_work
    share = 100 * failed / len(items) if items else 0
    told = contract.Told(outcome=contract.SUCCEEDED, items=len(items), processed=processed, failed=failed)
    if share > gathering.tolerated_failure_percent:
        told["outcome"], told["reason"] = "failed", refused or MORE_FAILED
    return _decided(gathering, name, event, told)


def _why(event: contract.GatherEvent) -> str:
    error_type, words = reason_of(event.get("error", {}))
    if error_type:
        return f"the map ended with {error_type}: {words}"[: contract.REASON_CHARACTERS]
    if event["status"] in contract.DEAD:
        return f"the execution ended as {event['status']} before the item was processed"
    return "no attempt at the item came to an end"


def _decided(gathering: Gathering, name: str, event: contract.GatherEvent, told: contract.Told) -> contract.Told:
    """Written down, unless it was: then what is written counts."""
    edge = gathering.edge
    if event["status"] in contract.DEAD:
        ended = f"the execution ended as {event['status']}"
        reason = told.get("reason", MORE_FAILED)
        why = ended if reason == MORE_FAILED else reason
        told = {**told, "outcome": contract.DEAD[event["status"]], "reason": why}
    numbers = {field: {"N": str(told[field])} for field in (contract.ITEMS, contract.PROCESSED, contract.FAILED)}
    head: dict[str, Any] = {
        contract.OUTCOME: {"S": told["outcome"]},
        **numbers,
        **({contract.REASON: {"S": told["reason"]}} if "reason" in told else {}),
    }
    if edge.write_once(contract.head_key(edge.claims_namespace, name), head):
        return told
    found = _head(gathering, name)
    if found is None:
        raise Contended("the head is gone")
    return found


def _head(gathering: Gathering, name: str) -> contract.Told | None:
    edge = gathering.edge
    item = edge.item(contract.head_key(edge.claims_namespace, name))
    if item is None:
        return None
    told: contract.Told = {
        "outcome": item[contract.OUTCOME]["S"],
        "items": int(item[contract.ITEMS]["N"]),
        "processed": int(item[contract.PROCESSED]["N"]),
        "failed": int(item[contract.FAILED]["N"]),
    }
    return {**told, "reason": item[contract.REASON]["S"]} if contract.REASON in item else told
