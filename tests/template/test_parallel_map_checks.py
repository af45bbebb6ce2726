"""What can be wrong with a map is said at synth, all of it at once, each with its fix."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack, Token
from aws_cdk import aws_s3 as s3

from serverless_patterns import Retry, S3Items
from tests.template.maps import a_map, a_page_handler
from tests.template.stacks import a_handler, new_stack, refusal

SAME = a_page_handler()


def given(stack: Stack, **arguments: Any) -> S3Items:
    bucket = arguments.pop("bucket", None) or s3.Bucket.from_bucket_name(stack, "Given", "manifests")
    return S3Items(bucket, **{"key": "$.manifest", **arguments})


WRONG: dict[str, tuple[Callable[[Stack], dict[str, Any]], str]] = {
    "a path without a dollar": (lambda _: {"items": "pages"}, "items must be a path as '\\$.a.b', got 'pages'"),
    "a path with an index": (lambda _: {"items": "$.pages[0]"}, "items must be a path"),
    "no path": (lambda _: {"items": 7}, "items must be a path"),
    "a key without a dollar": (lambda _: {"key": "id"}, "key must be a path"),
    "an unknown mode": (lambda _: {"mode": "express"}, "mode must be one of 'inline', 'distributed'"),
    "no items": (lambda _: {"max_items": 0}, "max_items must be a whole number from 1 to 50,000, got 0"),
    "too many items": (lambda _: {"max_items": 50_001}, "max_items must be a whole number"),
    "a number of items that is not known": (
        lambda stack: {"max_items": CfnParameter(stack, "N", type="Number").value_as_number},
        "max_items must be known at synth",
    ),
    "no concurrency": (lambda _: {"max_concurrency": 0}, "max_concurrency must be a whole number from 1 to 10,000"),
    "a concurrency that is not known": (
        lambda stack: {"max_concurrency": CfnParameter(stack, "N", type="Number").value_as_number},
        "max_concurrency must be known at synth",
    ),
    "more at once than inline takes": (
        lambda _: {"max_concurrency": 41},
        "max_concurrency must be at most 40 in an inline map, got 41: lower it, or say mode='distributed'",
    ),
    "more than all may fail": (
        lambda _: {"tolerated_failure_percent": 101},
        "tolerated_failure_percent must be a number from 0 to 100, got 101",
    ),
    "a text that may fail": (lambda _: {"tolerated_failure_percent": "5"}, "tolerated_failure_percent must be"),
    "no Retry": (lambda _: {"retry": 3}, "retry must be a Retry, got 3"),
    "no attempt": (lambda _: {"retry": Retry(0)}, "retry attempts must be a whole number from 1 to 100"),
    "a delay that shrinks": (
        lambda _: {"retry": Retry(2, base_delay=Duration.minutes(2))},
        "retry base_delay must be a Duration from 1 to 60 seconds",
    ),
    "no time": (lambda _: {"timeout": Duration.seconds(5)}, "timeout must be a Duration from 60"),
    "a time that is not known": (
        lambda stack: {"timeout": Duration.seconds(CfnParameter(stack, "N", type="Number").value_as_number)},
        "timeout must be known at synth",
    ),
    "less time than an item takes": (
        lambda _: {"timeout": Duration.minutes(5)},
        "timeout must be at least .* one item with all its attempts",
    ),
    "less time than all items take": (
        lambda _: {"timeout": Duration.hours(1), "max_items": 10_000},
        "timeout must be at least 30,000 seconds",
    ),
    "a longer history than inline has": (
        lambda _: {"mode": "inline", "max_items": 1_000},
        "max_items must need at most 25,000 events of history in an inline map",
    ),
    "one handler for both": (
        lambda _: {"handler": SAME, "on_complete": SAME},
        "on_complete must be another Handler than handler",
    ),
    "no Handler": (lambda _: {"handler": "pages:render"}, "handler must be a Handler, got 'pages:render'"),
    "no Handler at the end": (lambda _: {"on_complete": None}, "on_complete must be a Handler"),
    "an inline map of an object": (
        lambda stack: {"items": given(stack), "mode": "inline"},
        "mode must be 'distributed' for items in S3",
    ),
    "an unknown format": (
        lambda stack: {"items": given(stack, format="csv")},
        "items format must be one of 'json', 'jsonl'",
    ),
    "a prefix with a star": (lambda stack: {"items": given(stack, prefix="a/*")}, "items prefix must be text without"),
    "an object's key without a path": (lambda stack: {"items": given(stack, key="manifest")}, "items key must be"),
    "no bucket": (lambda stack: {"items": given(stack, bucket="manifests")}, "items bucket must be an s3.IBucket"),
    "results that are too large": (
        lambda _: {"max_result_bytes": 300_000},
        "max_result_bytes must be a whole number from 2 to 262,144",
    ),
    "claims that are forgotten": (
        lambda _: {"claims_retention": Duration.days(10)},
        "claims_retention must be a Duration from 1,2.* its redrive",
    ),
    "a namespace with a space": (lambda _: {"claims_namespace": "a b"}, "claims_namespace must be 1 to 128"),
    "an empty namespace": (lambda _: {"claims_namespace": ""}, "claims_namespace must be 1 to 128 .* got ''"),
    "a namespace that is no text": (lambda _: {"claims_namespace": 7}, "claims_namespace must be 1 to 128 .* got 7"),
    "a text for a table": (
        lambda _: {"claims": "claims"},
        "claims must be a DynamoDB table, got 'claims': pass the construct, or one of dynamodb.Table.from_...",
    ),
    "an item's function that takes the end": (
        lambda _: {"handler": a_page_handler("done")},
        "handler must take an item of the list, got pages:done annotated Gathered: a Gathered is what the on_complete "
        "of a ParallelMap takes: mend the annotation, or name another function",
    ),
    "an end that takes a fan-in's": (
        lambda _: {"on_complete": a_handler("orders:ready")},
        "on_complete must take a Gathered, got orders:ready annotated Completion: a Completion is what the "
        "on_complete of a FanIn takes",
    ),
    "unknown alarms": (lambda _: {"alarms": "some"}, "alarms must be one of"),
    "fewer than at once": (
        lambda _: {"handler": a_page_handler(reserved_concurrent_executions=5)},
        "handler reserved_concurrent_executions must be at least max_concurrency, 10, got 5",
    ),
    "a variable of ours": (
        lambda _: {"handler": a_page_handler(environment={"MAP_ITEMS": "x"})},
        "MAP_ITEMS",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_it_is_refused_with_the_fix(wrong: str) -> None:
    stack = new_stack()
    arguments, message = WRONG[wrong]
    with pytest.raises(ValueError, match=f"Shop/Pages: .*{message}"):
        a_map(stack, **arguments(stack))


def test_a_map_can_be_started_by_what_can_be_granted_something_alone() -> None:
    stack = new_stack()
    pages = a_map(stack)
    assert refusal(lambda: pages.grant_start("role")) == (  # pyright: ignore[reportArgumentType]
        "Shop/Pages.grant_start: grantee must be an iam.IGrantable, got 'role': pass a function, a role or a user"
    )
    assert refusal(lambda: pages.grant_start(SAME)) == (  # pyright: ignore[reportArgumentType]
        "Shop/Pages.grant_start: grantee must be an iam.IGrantable, got Handler(pages:render): its function is defined "
        "later: pass Handler(grants=[...grant_start])"
    )


def test_everything_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="Shop/Pages") as refused:
        a_map(new_stack(), items="pages", key="id", mode="x", max_items=0, max_concurrency=0, retry=1)
    assert len(str(refused.value).splitlines()) == 6


def test_a_token_that_may_be_one_passes() -> None:
    a_map(new_stack(), claims_retention=Duration.days(90), max_result_bytes=Token.as_number({"Ref": "N"}))
