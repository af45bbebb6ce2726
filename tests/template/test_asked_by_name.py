"""Topics that functions publish to, and views that they read, are held against what they were given: at synth."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from serverless_patterns import FanIn, FanOutTopic, Handler
from serverless_patterns._told import texts_told
from tests.template.cqrs import by_customer, orders
from tests.template.stacks import a_queue, new_stack
from tests.template.topics import a_topic

RUNTIME = "from serverless_patterns_runtime import Completion, Message, publish\n"
PLACE = "def place(order, invocation):\n    {}('ORDER_EVENTS', Message(order), invocation=invocation)"


def the_code(folder: Path, body: str) -> Path:
    (folder / "shop.py").write_text(f"{RUNTIME}{body}\n")
    return folder


def synth(stack: Stack) -> None:
    Template.from_stack(stack)


def told(code: Path, grants: Callable[[FanOutTopic], list[Any]] = lambda _: [], **arguments: Any) -> str:
    """What synth refuses; empty: nothing."""
    stack = new_stack()
    topic = a_topic(stack)
    a_queue(stack, consumer=Handler(code, "shop:place", grants=grants(topic), **arguments))
    try:
        synth(stack)
    except RuntimeError as error:
        return str(error)
    return ""


CALLS: dict[str, str] = {
    "a name": PLACE.format("publish"),
    "another name": "from serverless_patterns_runtime import publish as tell\n" + PLACE.format("tell"),
    "a module's name": "import serverless_patterns_runtime\n" + PLACE.format("serverless_patterns_runtime.publish"),
    "a keyword": "def place(order, invocation):\n    publish(topic='ORDER_EVENTS')",
    "a name for a text": "EVENTS = 'ORDER_EVENTS'\ndef place(order):\n    publish(EVENTS, Message(order))",
}


@pytest.mark.parametrize("body", CALLS.values(), ids=CALLS)
def test_what_publishes_to_a_topic_that_it_was_not_given_is_refused(tmp_path: Path, body: str) -> None:
    code = the_code(tmp_path, body)
    assert "grants must hold the publisher 'ORDER_EVENTS' of " in told(code)
    near = told(code, lambda topic: [topic.publisher("ORDER_EVENT")])
    assert "got 'ORDER_EVENT' (did you mean 'ORDER_EVENT'?)" in near
    assert told(code, lambda topic: [topic.publisher("ORDER_EVENTS")]) == ""


def test_the_permission_alone_is_no_publisher(tmp_path: Path) -> None:
    assert (
        f"[Shop/Fulfilment/Consumer] grants must hold the publisher 'ORDER_EVENTS' of publish(...) in "
        f"{tmp_path}/shop.py:3, got none: pass grants=[topic.publisher('ORDER_EVENTS')] to its Handler: nothing else "
        "tells it which topic that is"
    ) in told(the_code(tmp_path, PLACE.format("publish")), lambda topic: [topic.grant_publish])


def test_what_it_calls_is_looked_into_where_it_has_no_topic_at_all(tmp_path: Path) -> None:
    code = the_code(tmp_path, "def place(order):\n    tell(order)\ndef tell(order):\n    publish('ORDER_EVENTS')")
    assert "'ORDER_EVENTS'" in told(code)
    assert told(code, lambda topic: [topic.publisher("OTHERS")]) == ""


UNKNOWN: dict[str, str] = {
    "a topic that only the input knows": "def place(order):\n    publish(order['topic'], Message(order))",
    "a name that is several": "def place(order):\n    for it in order: publish(it)\nit = 'A'",
    "another's function": "def other(order):\n    publish('ORDER_EVENTS')\ndef place(order): ...",
    "another's publish": "def publish(topic): ...\nfrom mine import publish as tell\n" + PLACE.format("tell"),
}


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN)
def test_what_may_be_another_topic_passes(tmp_path: Path, body: str) -> None:
    assert told(the_code(tmp_path, body)) == ""


def test_who_is_told_of_a_topic_by_hand_publishes(tmp_path: Path) -> None:
    code = the_code(tmp_path, PLACE.format("publish"))
    assert told(code, environment={"ORDER_EVENTS": "{}"}) == ""
    assert told(code, customize=lambda function: function.add_environment("ORDER_EVENTS", "{}")) == ""


def test_a_fan_in_s_function_is_given_its_own_topic_later(tmp_path: Path) -> None:
    stack = new_stack()
    ready = Handler(the_code(tmp_path, PLACE.format("publish")), "shop:place")
    topic = a_topic(stack, fan_in=FanIn(on_complete=ready))
    with pytest.raises(RuntimeError, match="grants must hold the publisher 'ORDER_EVENTS'"):
        synth(stack)
    assert topic.fan_in is not None
    topic.publisher("ORDER_EVENTS")(cast(lambda_.Function, topic.fan_in.completions.consumer_function))
    synth(stack)


READ = "from serverless_patterns_runtime import read_view\ndef greet(order, invocation):\n    read_view({})"


@pytest.mark.parametrize("name", ["'BY_CUSTOMER', invocation", "invocation=invocation, name='BY_CUSTOMER'"])
def test_what_reads_a_view_that_it_was_not_given_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "shop.py").write_text(READ.format(name))

    def refused(*readers: str) -> str:
        stack = new_stack()
        view = by_customer(orders(stack))
        a_queue(stack, consumer=Handler(tmp_path, "shop:greet", grants=[view.reader(reader) for reader in readers]))
        try:
            synth(stack)
        except RuntimeError as error:
            return str(error)
        return ""

    assert (
        f"grants must hold the reader 'BY_CUSTOMER' of read_view(...) in {tmp_path}/shop.py:3, got none: "
        "pass grants=[by_customer.reader('BY_CUSTOMER')] to its Handler: nothing else tells it which view that is"
    ) in refused()
    assert "got 'BY_CUSTOMERS' (did you mean 'BY_CUSTOMERS'?)" in refused("BY_CUSTOMERS")
    assert refused("BY_CUSTOMER") == ""


@pytest.mark.parametrize("count", [5, 20])
def test_more_readers_than_a_function_can_be_told_of_are_refused_at_synth(tmp_path: Path, count: int) -> None:
    stack = new_stack()
    view = by_customer(orders(stack))
    (tmp_path / "shop.py").write_text("def place(order, invocation): ...\n")
    grants = [view.reader(f"VIEW_{number}") for number in range(count)]
    function = a_queue(stack, consumer=Handler(tmp_path, "shop:place", grants=grants)).consumer_function
    told = [message for message in function.node.validate() if "bytes" in message]
    assert bool(told) is (count > 5)
    for message in told:
        assert message.startswith("grants environment must hold at most 4,096 bytes of names and values, got ")
        assert message.endswith("is a variable: give it fewer, or split the function")


def test_what_is_granted_counts_as_it_is_deployed(tmp_path: Path) -> None:
    stack = new_stack()
    view = by_customer(orders(stack))
    (tmp_path / "shop.py").write_text("def place(order, invocation): ...\n")
    consumer = Handler(tmp_path, "shop:place", grants=[view.reader("BY_CUSTOMER")])
    function = a_queue(stack, consumer=consumer).consumer_function
    (resource,) = (
        it
        for it in Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
        if "BY_CUSTOMER" in it["Properties"].get("Environment", {}).get("Variables", {})
    )
    _, parts = resource["Properties"]["Environment"]["Variables"]["BY_CUSTOMER"]["Fn::Join"]
    deployed = sum(len(part if isinstance(part, str) else f"Shop-{part['Ref']}-AbCdEfGhIjKl") for part in parts)
    assert len(texts_told(function)["BY_CUSTOMER"]) == deployed
