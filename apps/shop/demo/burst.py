"""What the desks send all at once: their orders, some of them twice, among calls that have to be refused."""

import json
from collections.abc import Iterable
from itertools import cycle
from random import Random

from demo import hostile
from demo.api import Answer, Call
from demo.desks import SCOPES, Desks
from demo.hostile import JSON
from demo.traffic import Message, Sent, Traffic


def calls(planned: Traffic, desks: Desks, seed: int = 11) -> list[Call]:
    """Orders stay in the order of the plan; what has to be refused comes anywhere among them."""
    random = Random(seed)
    next_desk, desk_of = cycle(SCOPES), {}
    for message in planned.for_the_api:  # the same desk sends an order again
        desk_of.setdefault(message.work, next(next_desk))
    mixed = [
        _order(number, message, desk_of[message.work], desks) for number, message in enumerate(planned.for_the_api, 1)
    ]
    for call in [*hostile.bodies(desks, planned.past_the_api), *hostile.strangers(desks)]:
        mixed.insert(random.randrange(len(mixed) + 1), call)
    return mixed


def split(calls: list[Call], orders: int) -> tuple[list[Call], list[Call]]:
    """The calls up to the one that sends this many orders, and those after it."""
    sends = [number for number, call in enumerate(calls, 1) if call.message is not None]
    end = sends[min(orders, len(sends)) - 1]
    return calls[:end], calls[end:]


def accepted(answers: Iterable[Answer]) -> list[Sent]:
    """What the API says that it took."""
    return [
        Sent(answer.call.correlation_id, answer.at, answer.call.message)
        for answer in answers
        if answer.status == 202 and answer.call.message is not None
    ]


def _order(number: int, message: Message, desk: str, desks: Desks) -> Call:
    order = message.order
    headers = {
        **JSON,
        **desks.headers(desk),
        "X-Correlation-Id": f"{desk}-{number:04}",
    }
    body = json.dumps(order, ensure_ascii=False).encode()
    return Call("POST /orders", (202,), body=body, headers=headers, caller=desk, message=message)
