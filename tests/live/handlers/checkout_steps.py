"""Steps of a saga for the live tests: each leaves a mark in a ledger that the tests read, and takes it back."""

from serverless_patterns_runtime import Attr, Check, Delete, Effects, PermanentError, Put, StepInput

CLOSED = "the shop has closed"


class OutOfStock(PermanentError):
    pass


def reserve(step: StepInput) -> Effects:
    mark = Put("LEDGER", {"id": step.input["id"]}, condition=Attr("id").not_exists())
    return Effects([mark], result={"shelf": 3})


def release(step: StepInput) -> Effects:
    """Only while the shop is open; and only what is there."""
    there = Delete("LEDGER", {"id": step.input["id"]}, condition=Attr("id").exists())
    still_open = Attr("id").not_exists()
    return Effects([there, Check("LEDGER", {"id": CLOSED}, condition=still_open, otherwise=PermanentError(CLOSED))])


def pack(step: StepInput) -> dict:
    if step.input.get("broken"):
        raise OutOfStock("nothing is left to pack")
    return {"from": step.results["Reserve"]["shelf"]}
