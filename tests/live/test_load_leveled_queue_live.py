"""`LoadLeveledQueue` as deployed: the synthesised template, the shipped layer, real polls, faults on the wire."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from serverless_patterns.testing import Deployment, EmbeddedCloud, Fault, wait_until
from tests.live.queue_stack import CAP, LiveQueue, QueueStack, peak, reason_of

FIXED = "the cause is fixed"
SDK_ATTEMPTS = 3


@pytest.fixture(scope="module")
def stack_and_deployment(
    embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[QueueStack, Deployment]]:
    app = embedded_cloud.app(Path(tmp_path_factory.mktemp("queue")) / "cdk.out")
    stack = QueueStack(app, "Queues")
    with embedded_cloud.deploy(app) as deployment:
        yield stack, deployment


@pytest.fixture
def live(embedded_cloud: EmbeddedCloud, stack_and_deployment: tuple[QueueStack, Deployment]):
    stack, deployment = stack_and_deployment
    return lambda queue: LiveQueue(embedded_cloud, deployment, stack, getattr(stack, queue))


def test_a_tenfold_backlog_keeps_to_the_cap_and_no_healthy_message_is_dead_lettered(live) -> None:
    queue = live("steady")
    ids = [f"backlog-{n}" for n in range(CAP * 10 * 10)]
    queue.send({"id": id, "seconds": 0.02} for id in ids)
    queue.wait_drained()
    marks = queue.marks(ids)
    assert {id: mark["times"] for id, mark in marks.items()} == dict.fromkeys(ids, 1.0)
    processes: dict[float, list[tuple[float, float]]] = {}
    for mark in marks.values():
        processes.setdefault(mark["process"], []).append((mark["started"], mark["ended"]))
    assert all(peak(intervals) == 1 for intervals in processes.values()), "one message at a time in an invocation"
    assert peak((mark["started"], mark["ended"]) for mark in marks.values()) == CAP, "reached, and never exceeded"
    assert queue.depth(queue.dead_letter_url) == 0


def test_a_duplicate_has_no_second_effect(live) -> None:
    queue = live("steady")
    ids = [f"duplicate-{n}" for n in range(10)]
    queue.send([{"id": id} for id in ids] * 3)
    queue.wait_drained()
    assert {id: mark["times"] for id, mark in queue.marks(ids).items()} == dict.fromkeys(ids, 1.0)
    assert queue.depth(queue.dead_letter_url) == 0


def test_an_effect_whose_answer_is_lost_happens_once(live, embedded_cloud: EmbeddedCloud) -> None:
    queue = live("steady")
    ids = [f"lost-answer-{n}" for n in range(10)]
    with embedded_cloud.faults.inject(Fault.lost_answer("dynamodb", "TransactWriteItems", times=4 * SDK_ATTEMPTS)):
        queue.send({"id": id} for id in ids)
        queue.wait_drained()
    assert {id: mark["times"] for id, mark in queue.marks(ids).items()} == dict.fromkeys(ids, 1.0)
    assert queue.depth(queue.dead_letter_url) == 0


def test_throttling_delays_and_loses_nothing(live, embedded_cloud: EmbeddedCloud) -> None:
    queue = live("steady")
    ids = [f"throttled-{n}" for n in range(10)]
    with embedded_cloud.faults.inject(Fault.throttled("dynamodb", "TransactWriteItems", times=5 * SDK_ATTEMPTS)):
        queue.send({"id": id} for id in ids)
        queue.wait_drained()
    assert {id: mark["times"] for id, mark in queue.marks(ids).items()} == dict.fromkeys(ids, 1.0)


def test_a_killed_function_loses_nothing(live, embedded_cloud: EmbeddedCloud) -> None:
    queue = live("ordered")
    ids = [f"killed-{n}" for n in range(3)]
    queue.send(({"id": id, "seconds": 0.7} for id in ids), group="killed")
    wait_until(lambda: embedded_cloud.kill_function(queue.function_name), 30, "the function to run, and be killed")
    queue.wait_drained()
    assert {id: mark["times"] for id, mark in queue.marks(ids).items()} == dict.fromkeys(ids, 1.0)


def test_what_can_never_work_is_a_dead_letter_at_once_with_its_reason_and_its_body(live) -> None:
    queue = live("steady")
    bodies = [
        '{"id": "refused-1", "refused": "no such customer", "note": "Zoë\'s \\"order\\""}',
        "{broken",
        '{"no": 1}',
    ]
    queue.send_bodies(bodies, MessageAttributes={"tenant": {"DataType": "String", "StringValue": "acme"}})
    queue.send([{"id": "refused-neighbour"}])
    queue.wait_drained()
    letters = {letter["Body"]: letter for letter in queue.take_dead_letters(3)}
    assert set(letters) == set(bodies), "the bodies are unchanged"
    reasons = {body: reason_of(letter) for body, letter in letters.items()}
    assert reasons[bodies[0]]["reason"] == "no such customer"
    assert reasons[bodies[1]]["reason"] == "not valid JSON at character 1"
    assert reasons[bodies[2]]["reason"] == "the body has no idempotency key: 'id' must be a string or an integer"
    assert all(reason["receive_count"] == 1 for reason in reasons.values()), "at once"
    assert all(letter["MessageAttributes"]["tenant"]["StringValue"] == "acme" for letter in letters.values())
    assert queue.marks(["refused-neighbour"])["refused-neighbour"]["times"] == 1


def test_the_same_key_with_another_payload_is_refused(live) -> None:
    queue = live("steady")
    queue.send([{"id": "reused", "amount": 1}])
    queue.wait_drained()
    queue.send([{"id": "reused", "amount": 2}])
    queue.wait_drained()
    (letter,) = queue.take_dead_letters(1)
    assert reason_of(letter)["error_type"] == "IdempotencyKeyReused"
    assert queue.marks(["reused"])["reused"]["times"] == 1


def test_a_transient_failure_is_tried_again_and_fails_no_invocation(live, embedded_cloud: EmbeddedCloud) -> None:
    queue = live("leased")
    queue.send([{"id": "transient", "fails": 2}, {"id": "healthy"}])
    queue.wait_drained()
    assert {id: mark["times"] for id, mark in queue.marks(["transient", "healthy"]).items()} == {
        "transient": 1,
        "healthy": 1,
    }
    assert embedded_cloud.errors(queue.function_name) == []


def test_a_leased_duplicate_runs_once_and_the_key_goes_along(live) -> None:
    queue = live("leased")
    ids = [f"leased-{n}" for n in range(10)]
    queue.send([{"id": id, "seconds": 0.1} for id in ids] * 2)
    queue.wait_drained()
    marks = queue.marks(ids)
    assert {id: mark["times"] for id, mark in marks.items()} == dict.fromkeys(ids, 1.0)
    assert {id: mark["the_key"] for id, mark in marks.items()} == {id: id for id in ids}
    assert queue.depth(queue.dead_letter_url) == 0


def test_a_lost_answer_to_the_lease_and_to_its_completion_runs_the_work_once(
    live, embedded_cloud: EmbeddedCloud
) -> None:
    queue = live("leased")
    ids = [f"lost-lease-{n}" for n in range(5)]
    with embedded_cloud.faults.inject(Fault.lost_answer("dynamodb", "BatchExecuteStatement", times=SDK_ATTEMPTS - 1)):
        queue.send({"id": id} for id in ids)
        queue.wait_drained()
    assert {id: mark["times"] for id, mark in queue.marks(ids).items()} == dict.fromkeys(ids, 1.0)


@pytest.mark.parametrize("name", ["ordered", "grouped"])
def test_fifo_keeps_the_order_of_a_group_through_failures(live, name: str) -> None:
    queue = live(name)
    ids = [f"{name}-{n}" for n in range(8)]
    queue.send(({"id": id, "fails": 1 if n in (2, 5) else 0} for n, id in enumerate(ids)), group=f"{name}-order")
    queue.wait_drained()
    marks = queue.marks(ids)
    assert sorted(marks, key=lambda id: marks[id]["started"]) == ids
    assert all(mark["times"] == 1 for mark in marks.values())


def test_one_poison_message_of_a_fifo_batch_is_dead_lettered_alone(live) -> None:
    queue = live("grouped")
    ids = [f"mate-{n}" for n in range(9)]
    works = [{"id": id} for id in ids]
    works.insert(2, {"id": "poison", "fails": 99})
    queue.send(works, group="poisoned")
    queue.wait_drained()
    (letter,) = queue.take_dead_letters(1)
    assert json.loads(letter["Body"])["id"] == "poison"
    assert reason_of(letter)["reason"] == "failed 3 times, the last time with RuntimeError"
    assert {id: mark["times"] for id, mark in queue.marks(ids).items()} == dict.fromkeys(ids, 1.0)


def test_the_consumer_logs_outcomes_and_no_payload(live, embedded_cloud: EmbeddedCloud) -> None:
    queue = live("steady")
    queue.send([{"id": "canary", "secret": "canary-4111-1111", "fails": 1}])
    queue.wait_drained()
    lines = embedded_cloud.logs(queue.function_name)
    assert any('"outcome":"Succeeded"' in line for line in lines)
    assert not any("canary-4111-1111" in line for line in lines)
