"""`Idempotency-Key` as deployed: one key, one effect, one answer, whatever goes wrong on the way."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from serverless_patterns.testing import EmbeddedCloud, Fault, wait_until
from tests.live.live_api import LiveApi
from tests.live.rest_calls import Answer

REPLAYED, RETRY_AFTER = "Idempotent-Replayed", "Retry-After"


def order(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "quantity": 1, **more}


def same(answers: list[Answer]) -> bool:
    """Whether callers could tell the answers apart, but for the word that says which of them is a replay."""
    said = {
        (answer.status, answer.body, answer.headers["Location"], answer.headers["Set-Cookie"]) for answer in answers
    }
    return len(said) == 1


@pytest.fixture
def key() -> str:
    return str(uuid4())


def test_the_same_key_gets_the_same_answer_and_one_effect(front_door: LiveApi, key) -> None:
    answers = [front_door.call("POST /payments", order("again"), Idempotency_Key=key) for _ in range(3)]
    assert answers[0].status == 201
    assert same(answers)
    assert [answer.headers[REPLAYED] for answer in answers] == [None, "true", "true"]
    assert front_door.row("again")["times"] == 1


def test_many_at_once_with_one_key_have_one_effect_and_equal_answers(front_door: LiveApi, key) -> None:
    answers = front_door.at_once(6, "POST /payments", order("at-once", seconds=0.2), Idempotency_Key=key)
    assert [answer.status for answer in answers] == [201] * 6
    assert same(answers)
    assert sum(answer.headers[REPLAYED] is None for answer in answers) == 1
    assert front_door.row("at-once")["times"] == 1


def test_without_effects_one_runs_and_the_others_are_told_to_wait(front_door: LiveApi, key) -> None:
    body = order("one-runs", seconds=4)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(front_door.call, "POST /calls", body, Idempotency_Key=key)
        wait_until(lambda: front_door.row("one-runs"), 20, "the function to be at work")
        waiting = [front_door.call("POST /calls", body, Idempotency_Key=key) for _ in range(2)]
        ran = first.result()
    assert [answer.problem for answer in waiting] == [(409, "application/problem+json")] * 2
    assert all(int(answer.headers[RETRY_AFTER]) >= 1 for answer in waiting)
    replay = front_door.call("POST /calls", body, Idempotency_Key=key)
    assert (ran.status, ran.headers[REPLAYED], replay.headers[REPLAYED]) == (200, None, "true")
    assert same([ran, replay])
    assert front_door.row("one-runs")["times"] == 1


def test_a_key_with_another_body_is_refused(front_door: LiveApi, key) -> None:
    for route, first in (("POST /payments", 201), ("POST /calls", 200)):
        id = f"reused{route[6:].replace('/', '-')}"
        assert front_door.call(route, order(id), Idempotency_Key=key).status == first
        answer = front_door.call(route, order(f"{id}-other"), Idempotency_Key=key)
        assert answer.problem == (422, "application/problem+json")
        assert front_door.row(f"{id}-other") == {}


def test_a_key_belongs_to_its_caller(front_door: LiveApi, key) -> None:
    for caller in ("ann", "bob"):
        answer = front_door.call("POST /payments", order(f"of-{caller}"), caller=caller, Idempotency_Key=key)
        assert (answer.status, answer.headers[REPLAYED]) == (201, None)
        assert front_door.row(f"of-{caller}")["times"] == 1


@pytest.mark.parametrize("written", ["", "k" * 256, "two words", "k\tk"])
def test_what_is_no_key_is_refused(front_door: LiveApi, written) -> None:
    answer = front_door.call("POST /payments", order("no-key"), Idempotency_Key=written)
    assert answer.problem == (400, "application/problem+json")
    assert front_door.row("no-key") == {}


def test_a_key_is_required_where_nothing_else_is_said(front_door: LiveApi) -> None:
    for route in ("POST /payments", "POST /calls"):
        assert front_door.call(route, order("no-key")).problem == (400, "application/problem+json")
    assert front_door.row("no-key") == {}


def test_without_a_key_an_optional_one_each_request_is_a_new_one(front_door: LiveApi, key) -> None:
    for _ in range(2):
        assert front_door.call("PUT /calls/1", order("optional")).status == 200
    assert front_door.row("optional")["times"] == 2
    for _ in range(2):
        assert front_door.call("PUT /calls/1", order("optional-key"), Idempotency_Key=key).status == 200
    assert front_door.row("optional-key")["times"] == 1


def test_a_refusal_keeps_no_key(front_door: LiveApi, key) -> None:
    refused = front_door.call("POST /payments", order("refusal", refused="no money"), Idempotency_Key=key)
    assert (refused.problem, refused.json["detail"]) == ((402, "application/problem+json"), "no money")
    assert front_door.call("POST /payments", order("refusal"), Idempotency_Key=key).status == 201


def test_a_condition_that_does_not_hold_is_the_functions_own_error_and_changes_nothing(
    front_door: LiveApi, key
) -> None:
    assert front_door.call("POST /payments", order("paid"), Idempotency_Key=key).status == 201
    answer = front_door.call("POST /payments", order("paid"), Idempotency_Key=f"{key}-2")
    assert (answer.problem, answer.json["detail"]) == ((409, "application/problem+json"), "paid already")
    assert front_door.row("paid")["times"] == 1


def test_a_failure_lets_the_next_try_run_at_once(front_door: LiveApi, key) -> None:
    assert front_door.call("POST /calls", order("fails", fails=1), Idempotency_Key=key).status == 500
    assert front_door.call("POST /calls", order("fails", fails=0), Idempotency_Key=f"{key}-2").status == 200
    assert front_door.row("fails")["times"] == 2


def test_a_commit_whose_answer_is_lost_once_is_answered_all_the_same(
    front_door: LiveApi, embedded_cloud: EmbeddedCloud, key
) -> None:
    with embedded_cloud.faults.inject(Fault.lost_answer("dynamodb", "TransactWriteItems", times=1)):
        answer = front_door.call("POST /payments", order("lost-once"), Idempotency_Key=key)
    assert answer.status == 201
    assert front_door.row("lost-once")["times"] == 1


def test_a_commit_whose_answer_never_comes_is_found_again_by_its_key(
    front_door: LiveApi, embedded_cloud: EmbeddedCloud, key
) -> None:
    with embedded_cloud.faults.inject(Fault.lost_answer("dynamodb", "TransactWriteItems")):
        lost = front_door.call("POST /payments", order("lost"), Idempotency_Key=key)
    assert lost.problem == (500, "application/problem+json")
    assert front_door.row("lost")["times"] == 1, "it did happen"
    answers = [front_door.call("POST /payments", order("lost"), Idempotency_Key=key) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert same(answers)
    assert all(answer.headers[REPLAYED] == "true" for answer in answers), "the first answer is the one that was lost"
    assert front_door.row("lost")["times"] == 1


def test_a_throttled_commit_is_made_again_while_there_is_time(
    front_door: LiveApi, embedded_cloud: EmbeddedCloud, key
) -> None:
    with embedded_cloud.faults.inject(Fault.throttled("dynamodb", "TransactWriteItems", times=4)):
        answer = front_door.call("POST /payments", order("throttled"), Idempotency_Key=key)
    assert (answer.status, answer.headers[REPLAYED]) == (201, None)
    assert front_door.row("throttled")["times"] == 1


def test_a_lease_whose_answer_is_lost_lets_nobody_run_twice(
    front_door: LiveApi, embedded_cloud: EmbeddedCloud, key
) -> None:
    with embedded_cloud.faults.inject(Fault.lost_answer("dynamodb", "UpdateItem", times=1, resource="Claims")):
        answer = front_door.call("POST /calls", order("lease-lost"), Idempotency_Key=key)
    assert answer.status in (200, 409)
    again = front_door.call("POST /calls", order("lease-lost"), Idempotency_Key=key)
    assert again.status == answer.status
    assert front_door.row("lease-lost").get("times", 0) == (1 if answer.status == 200 else 0)


def test_a_function_that_dies_leaves_a_lease_that_nobody_steals(
    front_door: LiveApi, embedded_cloud: EmbeddedCloud, key
) -> None:
    function = front_door.named(front_door.stack.api.function_for("POST /calls"))
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(front_door.call, "POST /calls", order("killed", seconds=20), Idempotency_Key=key)
        wait_until(lambda: front_door.row("killed"), 20, "the function to be at work")
        assert embedded_cloud.kill_function(function)
        assert answer.result().status >= 500
    retry = front_door.call("POST /calls", order("killed", seconds=20), Idempotency_Key=key)
    assert retry.problem == (409, "application/problem+json")
    assert 1 <= int(retry.headers[RETRY_AFTER]) <= 60
    assert front_door.row("killed")["times"] == 1
