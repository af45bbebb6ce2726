"""What a user may type for a queue, and what they are told when it leads nowhere."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns.cli._queues import Queues, TargetError, region_of
from serverless_patterns.cli._redrive_command import Request, checked_route
from serverless_patterns.cli._selection import Selection
from tests.runtime.two_queues import ModelQueue, TwoQueues

FORMS = "Type a queue's name, URL or ARN, or a stack output as Stack.OutputKey."


def queues(sqs: TwoQueues) -> Queues:
    return Queues(sqs.client, lambda: sqs.client)


@pytest.mark.parametrize("fifo", [False, True])
@pytest.mark.parametrize(
    "named",
    [
        *("{queue.name}", "{queue.url}", "{queue.arn}", "Shop.QueueUrl"),
        *("{dead.name}", "{dead.url}", "{dead.arn}", "Shop.DeadLetterQueueArn"),
    ],
)
def test_either_end_in_any_form_leads_to_both(named: str, fifo: bool) -> None:
    sqs = TwoQueues(fifo=fifo)
    route = queues(sqs).route(named.format(queue=sqs.queue, dead=sqs.dead))
    assert route.dead_letters.url == sqs.dead.url
    assert route.queue is not None
    assert route.queue.url == sqs.queue.url
    assert (route.max_receive_count, route.chosen) == (5, False)


def test_without_an_allow_policy_the_queues_that_use_it_are_asked_for() -> None:
    sqs = TwoQueues()
    del sqs.dead.extra["RedriveAllowPolicy"]
    route = queues(sqs).route(sqs.dead.name)
    assert route.queue is not None
    assert route.queue.name == "orders"


def test_a_named_target_wins_over_the_source() -> None:
    sqs = TwoQueues()
    sqs.queues.append(ModelQueue("repair"))
    route = queues(sqs).route("orders", to="repair")
    assert route.queue is not None
    assert (route.dead_letters.name, route.queue.name, route.max_receive_count) == ("orders-dead", "repair", None)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("nothing", f"There is no queue named nothing in eu-west-1, or you may not see it. {FORMS}"),
        ("Order", "There is no queue named Order in eu-west-1, or you may not see it. Similar: orders, orders-dead."),
        (
            "Shop",
            "There is no queue named Shop in eu-west-1, or you may not see it. There is a stack of that name. Type one "
            "of: Shop.Api, Shop.DeadLetterQueueArn, Shop.QueueUrl.",
        ),
        ("Other.QueueUrl", f"There is no stack named Other in eu-west-1. {FORMS}"),
        ("Shop.Queue", "Stack Shop has no output Queue. Its outputs: Api, DeadLetterQueueArn, QueueUrl."),
        ("Shop.Api", "The output Shop.Api is 'https.example.test', which is not a queue's name, URL or ARN."),
        ("https://example.test/q", f"There is no queue at https://example.test/q in eu-west-1. {FORMS}"),
        ("arn:aws:sns:eu-west-1:111122223333:t", f"arn:aws:sns:eu-west-1:111122223333:t is not a queue's ARN. {FORMS}"),
    ],
)
def test_a_wrong_target_says_what_was_looked_up_and_what_to_type(named: str, words: str) -> None:
    with pytest.raises(TargetError, match=f"^{re.escape(words)}$"):
        queues(TwoQueues()).route(named)


def test_a_queue_in_the_middle_of_a_chain_asks_for_an_end() -> None:
    sqs = TwoQueues()
    sqs.queues.append(ModelQueue("last"))
    sqs.dead.extra["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": sqs.queues[-1].arn, "maxReceiveCount": 1})
    words = (
        "orders-dead has a dead-letter queue and is one itself. Name the other end of what you mean: orders or last."
    )
    with pytest.raises(TargetError, match=f"^{words}$"):
        queues(sqs).route("orders-dead")
    assert queues(sqs).route("orders").dead_letters.name == "orders-dead"


def ask(sqs: TwoQueues, target: str, to: str | None = None) -> Any:
    request = Request(
        target=target, to=to, selection=Selection(), limit=None, rate=1, dry_run=True, ask=False, as_json=False
    )
    return checked_route(queues(sqs), request)


def test_a_dead_letter_queue_of_several_queues_asks_for_one_of_them() -> None:
    sqs = TwoQueues()
    sqs.queues.append(ModelQueue("payments", extra={"RedrivePolicy": sqs.queue.extra["RedrivePolicy"]}))
    sources = [sqs.queue.arn, sqs.queues[-1].arn]
    sqs.dead.extra["RedriveAllowPolicy"] = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": sources})
    words = (
        "Where do the messages of orders-dead belong? (several queues use it: orders, payments) Add --to with a queue."
    )
    with pytest.raises(TargetError, match=f"^{re.escape(words)}$"):
        ask(sqs, "orders-dead")
    assert ask(sqs, "orders-dead", to="payments")[1].name == "payments"


def test_a_queue_that_nobody_uses_for_dead_letters_asks_for_a_target() -> None:
    sqs = TwoQueues()
    sqs.queues.append(ModelQueue("lonely"))
    words = (
        "Where do the messages of lonely belong? (no queue says that it uses it) Add --to with a queue."
        " Items of a ParallelMap go into a new execution instead: peek shows them."
    )
    with pytest.raises(TargetError, match=f"^{re.escape(words)}$"):
        ask(sqs, "lonely")


def test_a_dead_letter_queue_is_no_target_for_itself() -> None:
    words = "orders-dead would send its messages to itself. Add --to with another queue."
    with pytest.raises(TargetError, match=f"^{words}$"):
        ask(TwoQueues(), "orders", to="orders-dead")


def test_fifo_and_standard_do_not_mix() -> None:
    sqs = TwoQueues(fifo=True)
    sqs.queues.append(ModelQueue("plain"))
    with pytest.raises(TargetError, match=r"^plain and orders-dead\.fifo must both be FIFO, or neither\.$"):
        ask(sqs, "orders.fifo", to="plain")


def test_an_error_that_does_not_mean_missing_is_not_told_as_missing() -> None:
    sqs = TwoQueues()

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetQueueUrl")

    sqs.get_queue_url = denied  # type: ignore[method-assign,assignment]
    with pytest.raises(ClientError, match="AccessDenied"):
        queues(sqs).route("orders")


@pytest.mark.parametrize(
    ("named", "region"),
    [
        ("arn:aws:sqs:eu-west-1:111122223333:q", "eu-west-1"),
        ("arn:aws-cn:sqs:cn-north-1:111122223333:q", "cn-north-1"),
        ("https://sqs.us-east-2.amazonaws.com/111122223333/q", "us-east-2"),
        ("https://us-east-2.queue.amazonaws.com/111122223333/q", "us-east-2"),
        ("http://127.0.0.1:4566/000000000000/q", None),
        ("q", None),
        ("Shop.QueueUrl", None),
    ],
)
def test_an_arn_or_url_names_its_region(named: str, region: str | None) -> None:
    assert region_of(named) == region
