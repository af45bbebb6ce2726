"""A rebuild reduced to what the projector relies on: `building` first, then a consistent scan, then one flip."""

import random
from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.filling import Filling
from serverless_patterns_runtime.cqrs_views.generations import NONE, Generations, view_item
from serverless_patterns_runtime.cqrs_views.giving_up import GivenUp

from .cqrs_shop import AGGREGATES, CONTROL
from .cqrs_world import CqrsWorld
from .lambda_model import Function, Sandbox
from .network import Client

__all__ = ["rebuild"]

TIMEOUT = 100_000.0


def rebuild(world: CqrsWorld, view: str, *, pause: float = 1.0, ended: Callable[[bool], None] = lambda _: None) -> None:
    """Begin it now. Nothing goes wrong in it, except that it takes time; a state that is refused ends it in vain."""

    def start(sandbox: Sandbox) -> Any:
        return sandbox

    def work(event: Any, context: Any, sandbox: Sandbox) -> None:  # noqa: ARG001
        ended(_rebuild(world, view, sandbox, pause))

    Function(world.schedule, TIMEOUT, world.chance, start, work, world.trace, called=lambda _: "rebuild").invoke(
        {}, lambda _: None
    )


def _rebuild(world: CqrsWorld, view: str, sandbox: Sandbox, pause: float) -> bool:
    client = Client(world.quiet, sandbox, "dynamodb")
    before = generations(world, view)
    if before.building is not None:
        return False
    number = max(before.started_at, default=0) + 1
    world.prepare(view, number)
    started = {**before.started_at, number: int(sandbox.clock() * 1000)}
    world.point(view, live=before.live, building=number, previous=before.previous, started_at=started)
    world.trace("rebuild", view, number, "begins")
    sandbox.sleep(world.chance.uniform(0, pause))
    succeeded = _scan(world, view, number, sandbox, client, pause)
    sandbox.sleep(world.chance.uniform(0, pause))
    live = number if succeeded else before.live
    world.point(view, live=live, previous=before.live, started_at=started)
    if succeeded:
        world.publish(view, number)
    world.trace("rebuild", view, number, "is live" if succeeded else "has failed")
    return succeeded


def _scan(world: CqrsWorld, view: str, number: int, sandbox: Sandbox, client: Any, pause: float) -> bool:
    projector = world.projector(sandbox, world.quiet)
    filling = Filling(
        projector.views[view], number, projector.write_model, projector.together, lambda: 60.0, sandbox.sleep,
        random.Random(world.chance.getrandbits(64)),
    )  # fmt: skip
    request: dict[str, Any] = {"TableName": AGGREGATES, "ConsistentRead": True}
    while True:
        page = client.scan(**request)
        sandbox.sleep(world.chance.uniform(0, pause))
        left = filling.aggregates(page["Items"])
        while left:
            if any(isinstance(error, GivenUp) for _, error in left):
                return False
            left = filling.aggregates(page["Items"])
        if "LastEvaluatedKey" not in page:
            return True
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        sandbox.sleep(world.chance.uniform(0, pause))


def generations(world: CqrsWorld, view: str) -> Generations:
    item = world.dynamodb.tables[CONTROL].items.get((view_item(view),))
    assert contract.PARTITION_KEY == "item"
    return NONE if item is None else Generations.from_item(item)
