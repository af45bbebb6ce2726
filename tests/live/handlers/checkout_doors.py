"""Who calls, and the steps of a saga that callers start: what is sold is sold once, whatever is repeated."""

import os
import time

import botocore.session

from serverless_patterns_runtime import (
    ApprovalRequest,
    Attr,
    Caller,
    Delete,
    Effects,
    PermanentError,
    Put,
    Request,
    StepInput,
)


class SoldOut(PermanentError):
    pass


def identify(request: Request) -> Caller | None:
    """`Bearer ann` is ann."""
    scheme, _, name = request.headers["Authorization"].partition(" ")
    return Caller(name) if scheme == "Bearer" and name else None


def reserve(step: StepInput) -> Effects:
    if step.input.get("sold_out"):
        raise SoldOut("nothing left")
    mark = {"id": step.action_key, "by": step.input["caller"]["id"]}
    return Effects(writes=[Put("LEDGER", mark, condition=Attr("id").not_exists())], result={"secret": "internal"})


def release(step: StepInput) -> Effects:
    return Effects(writes=[Delete("LEDGER", {"id": step.action_key})])


def ship(step: StepInput) -> dict[str, object]:
    time.sleep(step.input.get("seconds", 0))
    return {"parcel": step.input["order_id"]}


def tell_manager(request: ApprovalRequest) -> None:
    """As a mail would: the id reaches who decides, here by the ledger."""
    row = {"id": {"S": f"mail of {request.execution}"}, "approval": {"S": request.id}}
    row["reminder"] = {"BOOL": request.reminder}
    botocore.session.get_session().create_client("dynamodb").put_item(TableName=os.environ["LEDGER"], Item=row)


def call_back(step: StepInput) -> None: ...
