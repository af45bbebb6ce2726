"""The demo's faults: whom they wait for, how they recognise them, and what the report says of them."""

import jmespath
import pytest
from demo import faults, stock, traffic, wholesale
from demo.faults import Victims
from demo.sampling import Sampler
from demo.traffic import Message, Sent
from showing.timeline import Handled


@pytest.mark.parametrize("count", [60, 120, 800])
def test_victims_are_distinct_orders_that_are_sent_once_and_can_be_fulfilled(count: int) -> None:
    orders = wholesale.generate(count)
    planned = traffic.plan(orders, stock.opening_stock(orders))
    victims = Victims.among(planned)
    chosen = [victims.loses_answer, *victims.throttled, victims.held_up]
    assert len(set(chosen)) == len(chosen) >= 10
    for victim in chosen:
        (message,) = [one for one in planned.messages if victim in one.body]
        assert message.kind == "order"


def test_victims_come_up_one_stage_after_the_other() -> None:
    orders = wholesale.generate(120)
    planned = traffic.plan(orders, stock.opening_stock(orders))
    victims = Victims.among(planned)
    sequence = [message.work for message in planned.messages]
    places = [sequence.index(order) for order in (victims.loses_answer, *victims.throttled, victims.held_up)]
    assert places == sorted(places)


def test_a_fault_meets_the_commits_of_its_victims_alone() -> None:
    condition = jmespath.compile(faults._commits("20001", "20002"))

    def commit(order_id: str) -> dict[str, object]:
        claim = {"Put": {"Item": {"claim": {"S": "Fulfilment#" + order_id}}}}
        taken = {"Update": {"Key": {"product_id": {"N": "20001"}}}}
        return {"TransactItems": [claim, {"Put": {"Item": {"order_id": {"S": order_id}}}}, taken]}

    assert [condition.search(commit(order_id)) for order_id in ("20001", "20002", "20003")] == [True, True, False]


def handled(message_id: str, outcome: str, receive_count: int) -> Handled:
    return Handled(0, message_id, message_id, outcome, receive_count)


def test_the_loss_is_told_by_what_the_function_said_of_that_order() -> None:
    sent = [Sent("a", 0, Message("{}", "20001", "order")), Sent("b", 0, Message("{}", "20002", "order"))]
    lines = [handled("a", "Failed", 1), handled("b", "Succeeded", 1), handled("a", "Duplicate", 2)]
    assert faults._loss("20001", sent, lines) == "Order 20001: Failed at receive 1, then Duplicate at receive 2."


def test_what_came_back_after_the_kill_is_counted_without_what_failed_in_words() -> None:
    lines = [
        handled("failed", "Failed", 1),
        handled("failed", "Duplicate", 2),
        handled("committed before the end", "Duplicate", 2),
        handled("logged before the end", "Succeeded", 1),
        handled("logged before the end", "Duplicate", 2),
        handled("not begun", "Succeeded", 2),
        handled("never in danger", "Succeeded", 1),
    ]
    assert faults._return_of_the_messages(lines) == (
        "3 messages came back by visibility timeout; "
        "2 of them had been committed before the end came, and were not committed again."
    )


def test_what_goes_wrong_while_sampling_is_not_lost() -> None:
    def fail() -> None:
        raise ConnectionError("the cloud is gone")

    sampler = Sampler(fail)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConnectionError, match="the cloud is gone"), sampler:
        sampler._thread.join(10)
