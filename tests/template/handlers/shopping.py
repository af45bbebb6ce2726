"""Orders as aggregates: what the tests of CqrsTable hand over."""
# ruff: noqa: ARG001

from serverless_patterns_runtime import Command, Decision, Effects, Invocation, PermanentError


def decide(state: dict | None, command: Command) -> Decision:
    if command.name == "place" and state is None:
        return Decision({"customer_id": command.body["customer_id"], "lines": command.body["lines"]})
    raise PermanentError("not now")


def decide_with_invocation(state: dict | None, command: Command, invocation: Invocation) -> Decision:
    invocation.logger.info("deciding")
    return decide(state, command)


def decide_alone(state: dict) -> Decision:
    return Decision(state)


def decide_effects(state: dict, command: Command) -> Effects:
    return Effects()


def decide_backwards(command: Command, state: dict) -> Decision:
    return Decision(state)


def decide_invoked(state: dict, invocation: Invocation) -> Decision:
    return Decision(state)


def upcast(state: dict, schema: int) -> dict:
    return {**state, "schema": schema + 1}


def by_customer(order: dict) -> list[dict]:
    return [{"customer_id": order["customer_id"], "order_id": order["order_id"]}]


def by_day(order):
    return [{"day": order["day"], "order_id": order["order_id"]}]


def project_effects(order: dict) -> Effects:
    return Effects()


def project_one(order: dict) -> dict:
    return order


def project_invoked(order: dict, invocation: Invocation) -> list[dict]:
    return [order]


def revenue(order: dict) -> "dict[str, dict]":
    return {line["product_id"]: {"sold": line["quantity"]} for line in order["lines"]}


def sales(sources) -> dict:
    names = ["Revenue"]
    return {"products": sum(len(list(sources.totals(name))) for name in names)}


def best(sources) -> dict:
    return {"products": [total["product_id"] for total in sources.totals(REVENUE)], "rows": [*sources.rows("Known")]}


REVENUE = "Revenue"


def decide_by_match(state: dict | None, command: Command) -> Decision:
    match command.name:
        case "place" if state is None:
            return Decision({"lines": command.body["lines"]})
        case "confirm" | "withdraw" if state is not None:
            return Decision(state)
        case _:
            raise PermanentError(f"{command.name} is not now")


def decide_the_rest_alike(state: dict | None, command: Command) -> Decision:
    if command.name == "cancel":
        return Decision(None)
    return Decision({"lines": command.body["lines"]})


def decide_by_others(state: dict | None, command: Command) -> Decision:
    match command.name:
        case "place":
            return Decision(state)
        case _:
            return decide(state, command)


def decide_in_part(state: dict | None, command: Command) -> Decision:
    return Decision(state) if command.name == "place" else decide(state, command)
