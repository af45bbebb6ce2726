"""Whatever a batch holds and whatever goes wrong: each message is acknowledged, dead-lettered or comes back."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ConnectionClosedError
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Effects, Invocation, PermanentError

from .. import scripted_aws
from ..consumer import FIFO, Consumer
from ..sqs_events import NOW, record


def lost(_: Any) -> ConnectionClosedError:
    return ConnectionClosedError(endpoint_url="https://aws.invalid")


@dataclass
class Plan:
    """One message: where it stands, what its function does, what AWS does to it."""

    key: str
    group: str
    does: str
    payload: int
    aws: str
    receives: int
    name: str = ""

    def made(self, fifo: bool) -> dict[str, Any]:
        body: Any = {"id": self.key, "does": self.does, "n": self.payload, "aws": self.aws}
        text = "{" if self.does == "malformed" else json.dumps(body)
        sent_at = NOW - 999 if self.does == "stale" else NOW - 1
        group = self.group if fifo else None
        return record(text, message_id=self.name, group=group, receives=self.receives, sent_at=sent_at)


plans = st.builds(
    Plan,
    key=st.sampled_from(["A", "B", "C", "D", "E", "F"]),
    group=st.sampled_from("xyz"),
    does=st.sampled_from(["succeed"] * 4 + ["fail", "refuse", "exit", "malformed", "stale", "slow"]),
    payload=st.sampled_from([1, 1, 1, 2]),
    aws=st.sampled_from(["well"] * 4 + ["done", "busy", "other", "lost"]),
    receives=st.integers(1, 3),
)
batches = st.lists(st.lists(plans, min_size=1, max_size=10), min_size=1, max_size=3)


@dataclass
class Shop:
    consumer: Consumer = field(init=False)
    runs: list[str] = field(default_factory=list)

    def fulfil(self, body: Any, invocation: Invocation) -> Any:
        self.runs.append(invocation.claim.key)
        match body["does"]:
            case "fail":
                raise ValueError
            case "refuse":
                raise PermanentError("no")
            case "exit":
                raise SystemExit
            case "slow":
                self.consumer.clock.now += 29
        return Effects() if self.consumer.edge.settings.returns_effects else None


def shop(returns_effects: bool, fifo: bool, lost_letters: bool, fates: dict[str, str]) -> Shop:
    made = Shop()
    made.consumer = Consumer(
        made.fulfil,
        returns_effects=returns_effects,
        idempotency_key="id",
        max_age_seconds=600,
        count_attempts=fifo,
        max_receive_count=2,
        **(FIFO if fifo else {}),
    )
    client = made.consumer.dynamodb

    def item(claim: dict[str, Any], fate: str) -> dict[str, Any]:
        far = {"N": str(NOW + 99)}
        return claim | {
            "owner": {"S": "other"},
            "done": {"BOOL": fate != "busy"},
            "free_at": far,
            "expires_at": far,
            **({"payload": {"S": "other"}} if fate == "other" else {}),
        }

    def transact(request: dict[str, Any]) -> Any:
        claim = request["TransactItems"][0]["Put"]["Item"]
        fate = fates[claim["claim"]["S"].removeprefix("Fulfilment#")]
        if fate == "lost":
            return lost(request)
        if fate == "well":
            return {}
        return scripted_aws.cancelled([{"Code": "ConditionalCheckFailed", "Item": item(claim, fate)}])

    inserted: dict[str, dict[str, Any]] = {}

    def execute(request: dict[str, Any]) -> Any:
        return {"Responses": [answer(statement) for statement in request["Statements"]]}

    def answer(statement: dict[str, Any]) -> dict[str, Any]:
        parameters, text = statement["Parameters"], statement["Statement"]
        id = next(value["S"] for value in parameters if value.get("S", "").startswith("Fulfilment#"))
        fate = fates[id.removeprefix("Fulfilment#")]
        if fate == "well":
            return {}
        if fate == "lost":
            return {"Error": {"Code": "AccessDenied"}}
        if text.startswith("INSERT"):
            inserted[id] = {"claim": parameters[0], "payload": parameters[1]}
            return {"Error": {"Code": "DuplicateItem"}}
        return {"Error": {"Code": "ConditionalCheckFailed", "Item": item(inserted[id], fate)}}

    client.always("TransactWriteItems", transact)
    client.always("BatchExecuteStatement", execute)
    if lost_letters:
        made.consumer.sqs.always("SendMessage", lost)
    return made


@settings(max_examples=150)
@given(batches=batches, returns_effects=st.booleans(), fifo=st.booleans(), lost_letters=st.booleans())
def test_no_message_is_lost_and_none_goes_two_ways(
    batches: list[list[Plan]], returns_effects: bool, fifo: bool, lost_letters: bool
):
    fates: dict[str, str] = {}
    made = shop(returns_effects, fifo, lost_letters, fates)
    for number, batch in enumerate(batches):  # one warm function
        fates.clear()
        for at, plan in enumerate(batch):
            plan.name = f"m{number}-{at}"
            fates.setdefault(plan.key, plan.aws)
        before = len(made.consumer.dead_letters())
        runs_before = len(made.runs)
        back = made.consumer.consume(*[plan.made(fifo) for plan in batch])
        letters = [letter["reason"]["correlation_id"] for letter in made.consumer.dead_letters()[before:]]
        outcomes = made.consumer.outcomes()
        runs = made.runs[runs_before:]

        assert len(runs) == len(set(runs)), "a key ran twice in a batch"
        for plan in batch:
            outcome = outcomes[plan.name]
            assert (plan.name in back) == (outcome in {"Failed", "Busy", "Unstarted"})
            buried = plan.name in letters and not lost_letters
            assert buried == (outcome == "Refused")
        assert lost_letters or len(letters) == len(set(letters))
        if fifo:
            check_order(batch, set(back))


def check_order(batch: list[Plan], back: set[str]) -> None:
    """In each group everything behind the first message that comes back comes back too."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for plan in batch:
        groups[plan.group].append(plan.name in back)
    for returned in groups.values():
        assert returned == sorted(returned)
