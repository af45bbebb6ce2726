"""Calls to the API about checkouts: the site's, another caller's, and the manager's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from demo.api import Answer, Call
from demo.chat import Question
from demo.desks import Desks
from demo.hostile import APPROVALS, JSON
from demo.shoppers import Shopper

START, LOOK = "POST /checkout", "GET /checkout/{execution}"


@dataclass(frozen=True)
class CashDesk:
    desks: Desks

    def start(self, shopper: Shopper) -> Call:
        return self._start(shopper, shopper.basket, (202,))

    def start_otherwise(self, shopper: Shopper) -> Call:
        """The same key for another basket."""
        other = {**shopper.basket, "lines": shopper.basket["lines"][:1] * 2}
        return self._start(shopper, other, (409,), "the same key for another basket")

    def look(self, execution: str) -> Call:
        return self._look(execution, "webshop", self.desks.webshop(), (200,))

    def looks_in_vain(self, execution: str) -> list[Call]:
        """At what is somebody else's, and at what is not there."""
        return [
            self._look(execution, "app", self.desks.app(), (404,), "another caller's checkout"),
            self._look("no-such-execution", "webshop", self.desks.webshop(), (404,), "no such checkout"),
        ]

    def decide(self, question: Question, *, approve: bool, expected: int = 200, why: str = "") -> Call:
        said = {"decision": "approve" if approve else "reject"}
        path, headers = f"/approvals/{question.approval_id}", {**JSON, **self.desks.manager()}
        return Call(APPROVALS, (expected,), why, path, json.dumps(said).encode(), headers, "manager")

    def _start(self, shopper: Shopper, basket: object, expected: tuple[int, ...], why: str = "") -> Call:
        headers = {**JSON, **self.desks.webshop(), "Idempotency-Key": shopper.checkout_id}
        return Call(START, expected, why, "", json.dumps(basket).encode(), headers, "webshop")

    def _look(
        self, execution: str, caller: str, headers: Mapping[str, str], expected: tuple[int, ...], why: str = ""
    ) -> Call:
        return Call(LOOK, expected, why, f"/checkout/{execution}", headers=headers, caller=caller)


def execution_of(answer: Answer) -> str:
    """Name of the execution that a start has told."""
    return str(answer.said("execution"))
