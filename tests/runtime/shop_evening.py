"""An evening's checkouts without AWS: the shop's own functions and provider, and the few rules of a saga."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import card
import checkout
import payment_provider
from demo import shoppers, stock, wholesale
from demo.api import Answer, Call
from demo.cashdesk import CashDesk
from demo.chat import Question
from demo.checkouts import Books, Checkouts
from demo.desks import Desks
from demo.provider.ledger import Ledger
from demo.provider.server import Provider
from demo.saga_faults import Struck
from demo.sagas import Execution
from demo.shoppers import Shopper
from demo.troubles import (
    CHARGE,
    COMPENSATED,
    COMPENSATION_PARKED,
    FORWARD_PARKED,
    MANAGER,
    NONE,
    RESERVE,
    SDK_ATTEMPTS,
    SHIP,
    STEPS,
    SUCCEEDED,
    AtProvider,
    OnTheWire,
)

from serverless_patterns_runtime import Effects, Invocation, StepInput
from serverless_patterns_runtime.testing import Table, commit

ACTIONS: dict[str, Callable[..., Any]] = {RESERVE: checkout.reserve, CHARGE: card.charge, SHIP: checkout.ship}
COMPENSATIONS: dict[str, Callable[..., Any]] = {RESERVE: checkout.release, CHARGE: card.refund}
TRIES = 4
NOON = 1_790_000_000.0
WITHOUT_EFFECT = (checkout.OutOfStock, card.CardDeclined)


class WireBroke(Exception):
    """Between a function and DynamoDB."""


def play(count: int = 120) -> Checkouts:
    """As the demo's evening, with everything that can befall a checkout."""
    orders = wholesale.generate(60)
    opening = stock.opening_stock(orders)
    planned = shoppers.plan(orders, opening.sold_out | opening.unlisted, count)
    before = dict.fromkeys(opening.sold_out, 0) | dict(shoppers.wanted(planned))
    saga = Saga(before)
    with mock.patch.object(payment_provider, "_ask", saga.ask):
        executions = {one.checkout_id: saga.run(one) for one in planned}
        first = {one.parked_at: id for id, one in executions.items() if one.parked_at}
        for id in first.values():
            saga.resume(next(one for one in planned if one.checkout_id == id), executions[id])
    resumed = {id: SUCCEEDED if executions[id].status == FORWARD_PARKED else COMPENSATED for id in first.values()}
    left = {id for id, one in executions.items() if one.parked_at} - {*first.values()}
    return Checkouts(
        planned,
        before,
        executions,
        resumed=resumed,
        open=sorted(left),
        books=saga.books(),
        answers=answers(planned, executions, resumed),
        started=len(planned),
        struck=saga.struck(planned),
    )


def answers(
    planned: Sequence[Shopper], executions: Mapping[str, Execution], resumed: Mapping[str, str]
) -> list[Answer]:
    """Each start twice; a decision wherever one is due, and one too late; a look at everything, and looks in vain."""
    desk = CashDesk(Desks("a key", NOON))
    told: list[Answer] = []
    for one in planned:
        name = executions[one.checkout_id].name
        told += [_answer(desk.start(one), {"execution": name})] * 2
        told.append(_answer(desk.look(name), {"status": executions[one.checkout_id].status}))
        if one.needs_approval:
            question = Question(one.checkout_id, f"approval-of-{one.checkout_id}")
            told += [_answer(desk.decide(question, approve=not one.trouble.rejected), {})] * 2
            told.append(_answer(desk.decide(question, approve=one.trouble.rejected, expected=410, why="decided"), {}))
    told += [_answer(desk.look(executions[id].name), {"status": outcome}) for id, outcome in resumed.items()]
    in_vain = [desk.start_otherwise(planned[0]), *desk.looks_in_vain("execution of checkout-0001")]
    return [*told, *[_answer(call, {}) for call in in_vain]]


def _answer(call: Call, body: Mapping[str, Any]) -> Answer:
    (status,) = call.expected
    problem = {"status": status, "title": "refused"}
    kind = "application/problem+json" if call.why else "application/json"
    return Answer(call, status, {"content-type": kind}, json.dumps(problem if call.why else body).encode(), NOON, 0.01)


@dataclass
class Saga:
    opening: dict[int, int]
    provider: Provider = field(default_factory=lambda: Provider(Ledger(), sleep=lambda _: None))
    results: dict[tuple[str, str], Any] = field(default_factory=dict)
    """What was committed, by checkout and state."""
    broken: dict[tuple[str, OnTheWire], int] = field(default_factory=dict)
    """How often each was met."""

    def __post_init__(self) -> None:
        rows = [{"product_id": product, "on_hand": count} for product, count in self.opening.items()]
        self.tables = {"STOCK": Table(key=("product_id",), items=rows), "CHECKOUTS": Table(key=("checkout_id",))}

    def ask(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[int, Any]:
        status, told = self.provider.post(path, (headers or {}).get("Idempotency-Key", ""), body)
        if status >= payment_provider.SERVER_ERROR:
            raise payment_provider.ProviderFailed
        return status, told

    def run(self, shopper: Shopper) -> Execution:
        for broken in shopper.trouble.breaks:
            if isinstance(broken, AtProvider):
                self.provider.post("/control/faults", "", vars(broken) | {"matching": shopper.checkout_id})
        path: list[str] = []
        failed: list[str] = []
        return Execution(
            f"execution of {shopper.checkout_id}",
            self._status(shopper, path, failed),
            path,
            failed,
        )

    def resume(self, shopper: Shopper, execution: Execution) -> None:
        """With everything mended."""
        self.provider.post("/control/faults/end", "", {"matching": shopper.checkout_id})
        whole = replace(shopper, trouble=NONE)
        for step in [step for step in STEPS if execution.parked(step)]:
            forward = execution.status == FORWARD_PARKED
            self._once(whole, step if forward else f"Undo {step}", (ACTIONS if forward else COMPENSATIONS)[step])

    def books(self) -> Books:
        return Books(
            {row["product_id"]: row["on_hand"] for row in self.tables["STOCK"].items},
            {row["checkout_id"]: row for row in self.tables["CHECKOUTS"].items},
            self.provider.ledger.charges,
        )

    def struck(self, planned: Sequence[Shopper]) -> list[Struck]:
        """Of the wire and the provider alike."""
        trouble = {one.checkout_id: one.trouble for one in planned}
        wire = [Struck(trouble[id], id, fired, 1) for (id, _), fired in self.broken.items()]
        at_provider = [(fault["matching"], fault["fired"]) for fault in self.provider.faults.told()]
        return [*wire, *[Struck(trouble[id], id, fired, 1) for id, fired in at_provider]]

    def _status(self, shopper: Shopper, path: list[str], failed: list[str]) -> str:
        for number, step in enumerate(STEPS):
            if step == CHARGE:
                path.append(MANAGER)
                if shopper.needs_approval:
                    path.append("Manager asked")
                if shopper.trouble.rejected:
                    return self._undone(shopper, STEPS[:number], path, failed)
            try:
                self._tried(shopper, step, ACTIONS[step], path, failed)
            except WITHOUT_EFFECT:
                return self._undone(shopper, STEPS[:number], path, failed)
            except Exception:
                if step == SHIP:
                    path.extend([f"Park {step}", "ForwardParked"])
                    return FORWARD_PARKED
                return self._undone(shopper, STEPS[: number + 1], path, failed)
        return SUCCEEDED

    def _undone(self, shopper: Shopper, steps: Sequence[str], path: list[str], failed: list[str]) -> str:
        for step in reversed(steps):
            try:
                self._tried(shopper, f"Undo {step}", COMPENSATIONS[step], path, failed)
            except Exception:
                path.append(f"Park {step}")
        parked = any(state.startswith("Park") for state in path)
        path.extend(["Undone", "CompensationParked" if parked else "Compensated"])
        return COMPENSATION_PARKED if parked else COMPENSATED

    def _tried(
        self, shopper: Shopper, state: str, function: Callable[..., Any], path: list[str], failed: list[str]
    ) -> None:
        path.append(state)
        for attempt in range(TRIES):
            try:
                return self._once(shopper, state, function)
            except WITHOUT_EFFECT:
                failed.append(state)
                raise
            except Exception:
                failed.append(state)
                if attempt == TRIES - 1:
                    raise
        return None

    def _once(self, shopper: Shopper, state: str, function: Callable[..., Any]) -> None:
        id, step = shopper.checkout_id, state.removeprefix("Undo ")
        if (id, state) in self.results or (state == f"Undo {RESERVE}" and (id, RESERVE) not in self.results):
            return
        lost = self._meets(shopper, "lost", state)
        if not lost and (self._meets(shopper, "refused", state) or self._meets(shopper, "held up", state)):
            raise WireBroke
        results = {step: self.results[id, step] for step in STEPS if (id, step) in self.results}
        key = f"Checkout#{id}#{step}"
        given = StepInput.fake(shopper.basket, results=results, action_key=key, external_key=f"key of {id}")
        invocation = Invocation.fake(correlation_id=f"execution of {id}")
        made = function(given, invocation) if function is checkout.reserve else function(given)
        self.results[id, state] = commit(made, self.tables) if isinstance(made, Effects) else made
        if lost:
            raise WireBroke

    def _meets(self, shopper: Shopper, kind: str, state: str) -> bool:
        for broken in shopper.trouble.breaks:
            if not isinstance(broken, OnTheWire) or broken.kind != kind:
                continue
            if state == ("Undo " if broken.undo else "") + broken.step:
                at = shopper.checkout_id, broken
                tries = TRIES if broken.times is None else max(1, broken.times // SDK_ATTEMPTS)
                if self.broken.get(at, 0) < tries:
                    self.broken[at] = self.broken.get(at, 0) + 1
                    return True
        return False
