"""Steps of a saga that act out a fault: the execution's input says which, at which step, and what a compensation does.

What happens is written to a ledger, an execution's entries below each other: `net <step>` is what was done and not
undone, `run ...` each run of a function, `first ...` and `twin` are between the functions and the test.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

import botocore.exceptions
import botocore.session

from serverless_patterns_runtime import Effects, Invocation, PermanentError, StepInput, Update

TWIN = "twin"
LAST_SECONDS = 1.0


def act(step: StepInput, invocation: Invocation) -> Effects:
    """Its effect is in our transaction. What a function can do wrong after that is left for its last log line."""
    name, fault, is_twin = _begin("action", step, invocation)
    if fault == "raises before":
        raise RuntimeError("before the effect")
    if fault == "times out":
        _at_the_last_moment(invocation, lambda: _die(invocation, lambda: time.sleep(3600)))
    if fault == "crashes":
        _at_the_last_moment(invocation, lambda: _die(invocation, lambda: os._exit(1)))
    if fault == "twice":
        _meet(invocation, is_twin)
    if fault == "late":
        _meet(invocation, is_twin)
        if not is_twin:
            _fail(step)
        _waited(invocation, lambda: _is_settled(step, invocation))  # if it never is, this comes all the same
    _refuse(step, name)
    receipt = {"receipt": uuid4().hex, "step": name}
    return Effects([Update("LEDGER", _entry(invocation, f"net {name}"), add={"net": 1})], result=receipt)


def undo(step: StepInput, invocation: Invocation) -> Effects:
    name, *_ = _begin("compensation", step, invocation)
    _misbehave(step, invocation, name)
    return Effects([Update("LEDGER", _entry(invocation, f"net {name}"), add={"net": -1})])


def send(step: StepInput, invocation: Invocation) -> dict:
    """Its effect is outside our transaction: whom it calls knows it by its key, however often it is sent."""
    name, fault, _ = _begin("action", step, invocation)
    if fault == "raises before":
        raise RuntimeError("before the effect")
    _set_net(invocation, name, 1)
    if fault == "raises after":
        raise RuntimeError("after the effect")
    if fault == "times out":
        _die(invocation, lambda: time.sleep(3600))
    if fault == "crashes":
        os._exit(1)
    if fault == "twice":
        _wait(invocation, lambda: _is_there(invocation, TWIN))
    if fault == "late":
        _fail(step)
    _refuse(step, name)
    return {"receipt": uuid4().hex, "step": name}


def recall(step: StepInput, invocation: Invocation) -> None:
    name, *_ = _begin("compensation", step, invocation)
    _misbehave(step, invocation, name)
    _set_net(invocation, name, 0)


# What the input says.


def _begin(kind: str, step: StepInput, invocation: Invocation) -> tuple[str, str | None, bool]:
    """The step's name, the fault that is to be acted out now, and whether this is the second run of one event."""
    name = step.action_key.rpartition("#")[2]
    given = {"results": step.results, "result": step.result, "error": step.error and step.error.name}
    about = {"kind": kind, "step": name, "action_key": step.action_key, "key": invocation.idempotency_key}
    _put(invocation, f"run {uuid4().hex}", **about, attempt=str(invocation.attempt), given=json.dumps(given))
    said = step.input["fault"]
    if kind != "action" or said["step"] != name:
        return name, None, False
    is_once = said["once"] or said["is"] in ("twice", "late")
    if is_once and invocation.attempt > 1:
        return name, None, False
    is_twin = said["is"] in ("twice", "late") and not _is_first(invocation, "action")
    return name, said["is"], is_twin


def _fail(step: StepInput) -> None:
    """For now, or for good: an execution that is to go back hears the latter."""
    if step.input["fault"]["once"]:
        raise RuntimeError("not this time")
    raise PermanentError("not to be had")


def _die(invocation: Invocation, how: Callable[[], None]) -> None:
    """Once: that takes long, or another process. Whoever comes to this again only fails."""
    if _is_first(invocation, "death"):
        how()
    raise RuntimeError("again, after the effect")


def _refuse(step: StepInput, name: str) -> None:
    if step.input["refused"] == name:
        raise PermanentError("not to be had")


def _misbehave(step: StepInput, invocation: Invocation, name: str) -> None:
    said = step.input["undo"]
    if said["step"] != name:
        return
    if said["is"] == "fails always" or (said["is"] == "fails once" and _is_first(invocation, "undo")):
        raise RuntimeError("the bank does not answer")


def _meet(invocation: Invocation, is_twin: bool) -> None:
    """Both are at work from here on."""
    if is_twin:
        _put(invocation, TWIN)
    else:
        _wait(invocation, lambda: _is_there(invocation, TWIN))


def _is_settled(step: StepInput, invocation: Invocation) -> bool:
    """Whether the action is done, undone or given up by now."""
    claims = invocation.table("CLAIMS")
    claim, parked = claims.get(claim=step.action_key), claims.get(claim=f"parked#{step.action_key}")
    return bool(parked or (claim and (claim.get("done") or claim.get("undone"))))


def _wait(invocation: Invocation, condition: Callable[[], bool]) -> None:
    if not _waited(invocation, condition):
        raise RuntimeError("nobody came")


def _waited(invocation: Invocation, condition: Callable[[], bool]) -> bool:
    while not condition():
        if invocation.remaining() < LAST_SECONDS:
            return False
        time.sleep(0.05)
    return True


class _LastMoment(logging.Filter):
    """When the outcome is logged all is committed, and nothing is answered."""

    def __init__(self, logger: Any, act: Callable[[], None]) -> None:
        super().__init__()
        self._logger, self._act = logger, act

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "step handled":
            self._logger.removeFilter(self)
            self._act()
        return True


def _at_the_last_moment(invocation: Invocation, act: Callable[[], None]) -> None:
    invocation.logger.addFilter(_LastMoment(invocation.logger, act))


# The ledger.


def _entry(invocation: Invocation, entry: str) -> dict[str, str]:
    return {"execution": invocation.correlation_id, "entry": entry}


def _put(invocation: Invocation, entry: str, condition: str | None = None, **fields: str) -> None:
    item = {name: {"S": value} for name, value in (_entry(invocation, entry) | fields).items()}
    more = {"ConditionExpression": condition} if condition else {}
    _dynamodb().put_item(TableName=os.environ["LEDGER"], Item=item, **more)


def _is_first(invocation: Invocation, what: str) -> bool:
    try:
        _put(invocation, f"first {what}", condition="attribute_not_exists(entry)")
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _is_there(invocation: Invocation, entry: str) -> bool:
    return invocation.table("LEDGER").get(**_entry(invocation, entry)) is not None


def _set_net(invocation: Invocation, name: str, net: int) -> None:
    item: dict[str, Any] = {key: {"S": value} for key, value in _entry(invocation, f"net {name}").items()}
    _dynamodb().put_item(TableName=os.environ["LEDGER"], Item=item | {"net": {"N": str(net)}})


@cache
def _dynamodb():
    return botocore.session.get_session().create_client("dynamodb")
