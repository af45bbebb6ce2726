"""Steps of a saga for the live tests: each does what the execution's input says, and leaves a mark in a ledger.

The input's `script` has, by kind and step, what each attempt does: `done`, or the name of an error.
"""

import os
import time
from functools import cache

import botocore.session

from serverless_patterns_runtime import Effects, Invocation, PermanentError, StepInput, Update


class Declined(PermanentError):
    pass


ERRORS = {"RuntimeError": RuntimeError, "PermanentError": PermanentError, "Declined": Declined}


def reserve(step: StepInput, invocation: Invocation) -> Effects:
    _follow("action ReserveStock", step, invocation)
    return Effects([Update("LEDGER", {"id": step.action_key}, add={"net": 1})], result={"by": "reserve"})


def release(step: StepInput, invocation: Invocation) -> Effects:
    _follow("compensation ReserveStock", step, invocation)
    return Effects([Update("LEDGER", {"id": step.action_key}, add={"net": -1})])


def charge(step: StepInput, invocation: Invocation) -> dict:
    """Outside our transaction: whom it calls knows a charge by its key, however often it is sent."""
    _mark(step, 1)
    _follow("action ChargeCard", step, invocation)
    return {"by": "charge"}


def refund(step: StepInput, invocation: Invocation) -> None:
    _follow("compensation ChargeCard", step, invocation)
    _mark(step, 0)


def ship(step: StepInput, invocation: Invocation) -> dict:
    _follow("action Ship", step, invocation)
    _mark(step, 1)
    return {"by": "ship", "of": sorted(step.results)}


def _follow(task: str, step: StepInput, invocation: Invocation) -> None:
    script = step.input["script"].get(task, ["done"])
    said = script[min(invocation.attempt, len(script)) - 1]
    if said.startswith("takes "):
        time.sleep(float(said.removeprefix("takes ")))
    elif said != "done":
        raise ERRORS[said]("as the script says")


def _mark(step: StepInput, net: int) -> None:
    item = {"id": {"S": step.action_key}, "net": {"N": str(net)}}
    _dynamodb().put_item(TableName=os.environ["LEDGER"], Item=item)


@cache
def _dynamodb():
    return botocore.session.get_session().create_client("dynamodb")
