"""Where a subscriber may be defined: its topic's stack, or one that can refer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack, Stage

from .._checks import Problems, is_token
from .._shapes import told

if TYPE_CHECKING:
    from constructs import Construct


def check_place(problems: Problems, topic: Construct, scope: Any, home: Construct, *, refers: bool) -> None:
    """Refuse a stack to which SNS does not deliver as to its own.

    Args:
        problems: Takes what is wrong.
        topic: The construct of the topic.
        scope: As given.
        home: Where it leads to.
        refers: Whether what is defined there refers to what the topic's stack has.
    """
    if scope is not None and not hasattr(scope, "node"):
        fix = "pass a stack, or something in it; leave it out for the topic's own"
        if scope in ("attributes", "body", "MessageAttributes", "MessageBody"):
            fix = "where the filter looks is filter_scope; scope is the stack in which to define the subscriber"
        problems.add("scope", "be a construct", told(scope), fix)
        return
    if Stage.of(topic) is not Stage.of(home):
        fix = "CloudFormation deploys each by itself: subscribe there, to a topic that you import"
        problems.add("scope", "be in the topic's app, and in its stage", f"{home.node.path!r} of another one", fix)
        return
    here, there = Stack.of(topic), Stack.of(home)
    for what, ours, theirs in (("account", here.account, there.account), ("region", here.region, there.region)):
        if ours != theirs and (refers or not (is_token(ours) or is_token(theirs))):
            fix = "a subscription and its dead-letter queue live where the topic is: subscribe a queue that you import"
            if is_token(ours) or is_token(theirs):
                fix = "give both stacks the same env, or none"
            problems.add("scope", f"be in the topic's {what}, {_shown(ours)}", _shown(theirs), fix)


def _shown(place: str) -> str:
    return "which its stack does not say" if is_token(place) else place
