"""The shop's API without AWS: refused is what is planned to be, everything else goes through the shop's functions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orders
import payments
from demo.api import Answer, Call
from demo.desks import SCOPES

from serverless_patterns_runtime import Caller, Effects, Invocation, PermanentError, Request, Response
from serverless_patterns_runtime.testing import Table, commit

REFUSED_EARLIER = {400, 401, 403, 413, 415}  # by the gateway or the adapter, without a look at the shop


@dataclass
class FakeApi:
    tables: Mapping[str, Table]
    clock: Callable[[], float]
    stored: dict[tuple[str, str], tuple[bytes, int, bytes]] = field(default_factory=dict)
    """By caller and key: what was sent, and what was answered."""

    def call(self, call: Call) -> Answer:
        if call.message:
            return self._answer(call, 202, {"order_id": call.message.order["order_id"]})
        if REFUSED_EARLIER & set(call.expected):
            return self._problem(call, call.expected[0])
        try:
            return self._look(call) if call.method == "GET" else self._pay(call)
        except PermanentError as error:
            return self._problem(call, error.status or 400)

    def _look(self, call: Call) -> Answer:
        request = Request.fake(
            "GET /orders/{order_id}", params={"order_id": call.target.split("/")[2]}, caller=_caller(call)
        )
        return self._answer(call, 200, orders.get(request, Invocation.fake(tables=self.tables)))

    def _pay(self, call: Call) -> Answer:
        known = self.stored.get((call.caller, call.key))
        if known:
            sent, status, body = known
            return self._replay(call, status, body) if sent == call.body else self._problem(call, 422)
        request = Request.fake("POST /payments", body=json.loads(call.body), caller=_caller(call))
        invocation = Invocation.fake(idempotency_key=f"{call.caller}-{call.key}", tables=self.tables)
        effects = payments.take(request, invocation)
        assert isinstance(effects, Effects)
        response: Response = commit(effects, self.tables)
        answer = self._answer(call, response.status, response.body)
        self.stored[call.caller, call.key] = call.body, answer.status, answer.body
        return self._problem(call, 500) if 500 in call.expected else answer

    def _answer(self, call: Call, status: int, body: Any, content: str = "application/json") -> Answer:
        text = json.dumps(body, default=float).encode()
        return Answer(call, status, {"content-type": content}, text, self.clock(), 0.01)

    def _replay(self, call: Call, status: int, body: bytes) -> Answer:
        headers = {"content-type": "application/json", "idempotent-replayed": "true"}
        return Answer(call, status, headers, body, self.clock(), 0.005)

    def _problem(self, call: Call, status: int) -> Answer:
        return self._answer(call, status, {"status": status, "title": "refused"}, "application/problem+json")


def _caller(call: Call) -> Caller:
    return Caller(call.caller, claims={"scope": SCOPES[call.caller]})
