"""What the steps of our sagas run: with its write in the claim's transaction, or without a write."""

from serverless_patterns_runtime import Effects, Put, StepInput


def reserve(step: StepInput) -> Effects:
    return Effects(
        writes=[Put("ORDERS", {"order_id": step.input["order_id"], "status": "RESERVED"})], result="reserved"
    )


def charge(step: StepInput) -> dict[str, str]:
    return {"charge": step.action_key}


def undo(step: StepInput) -> None: ...
