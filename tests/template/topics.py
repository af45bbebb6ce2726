"""What the tests of FanOutTopic share: a topic with what it asks for, and a look at one part of the template."""

from typing import Any

from aws_cdk import Stack

from serverless_patterns import FanIn, FanOutTopic
from tests.template.stacks import a_handler, resources


def a_fan_in(**arguments: Any) -> FanIn:
    return FanIn(**{"on_complete": a_handler("orders:fulfil_alone"), **arguments})


def a_topic(stack: Stack, id: str = "OrderEvents", **arguments: Any) -> FanOutTopic:
    return FanOutTopic(stack, id, **arguments)


def the_one(stack: Stack, type: str, part_of_id: str) -> tuple[str, dict[str, Any]]:
    """Logical id and properties of the one resource whose id holds a word."""
    found = {id: it for id, it in resources(stack, type).items() if part_of_id in id}
    assert len(found) == 1, f"{len(found)} of {type} with {part_of_id!r}: {sorted(found)}"
    ((id, it),) = found.items()
    return id, it["Properties"]


def of_function(stack: Stack, part_of_id: str) -> list[dict[str, Any]]:
    """Statements of one function's own policy, actions and resources as lists."""
    _, policy = the_one(stack, "IAM::Policy", part_of_id)
    return [
        {
            **each,
            **{part: each[part] if isinstance(each[part], list) else [each[part]] for part in ("Action", "Resource")},
        }
        for each in policy["PolicyDocument"]["Statement"]
    ]


def allowed(stack: Stack, part_of_id: str, resource: str) -> set[str]:
    """What a function may do with what is found under this logical id."""
    return {
        action
        for each in of_function(stack, part_of_id)
        if any(resource in str(one) for one in each["Resource"])
        for action in each["Action"]
    }


def variables(stack: Stack, part_of_id: str) -> dict[str, Any]:
    return the_one(stack, "Lambda::Function", part_of_id)[1]["Environment"]["Variables"]
