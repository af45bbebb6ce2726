"""The two definitions that `ParallelMap` writes, with the names of the simulated account; and what its items do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from serverless_patterns import Handler, ParallelMap, Retry, S3Items
from tests.template.stacks import HANDLERS

from .saga_template import definition_in

__all__ = ["COMPLETE", "FUNCTION_SECONDS", "GATHER", "GET_OBJECT", "NAMESPACE", "PROCESS", "MapPlan", "definitions"]

NAMESPACE = "Pages"
FUNCTION_SECONDS = 6
PROCESS, GATHER, COMPLETE = "process", "gather", "complete"
GET_OBJECT = "arn:aws:states:::s3:getObject"


@dataclass(frozen=True, kw_only=True)
class MapPlan:
    """What is deployed."""

    effects: bool = True
    distributed: bool = False
    in_s3: bool = False
    keyed: bool = True
    max_items: int = 6
    max_concurrency: int = 3
    tolerated: float = 0
    retries: int = 3
    timeout: int = 3600


@cache
def definitions(plan: MapPlan) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Of the map, and of what completes an execution that died."""
    stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "manifests")
    brief = Duration.seconds(FUNCTION_SECONDS)
    ParallelMap(
        stack,
        NAMESPACE,
        items=S3Items(bucket, "$.manifest") if plan.in_s3 else "$.pages",
        key="$.id" if plan.keyed else None,
        handler=Handler(HANDLERS, "pages:render" if plan.effects else "pages:scan", timeout=brief),
        on_complete=Handler(HANDLERS, "pages:done" if plan.effects else "pages:tell", timeout=brief),
        mode="distributed" if plan.distributed else "inline",
        max_items=plan.max_items,
        max_concurrency=plan.max_concurrency,
        tolerated_failure_percent=plan.tolerated,
        retry=Retry(plan.retries),
        timeout=Duration.seconds(plan.timeout),
    )
    template = Template.from_stack(stack).to_json()
    main, completion = (definition_in(template, "Completion", recovery=second) for second in (False, True))
    for definition in (main, completion):
        for state in _states(definition):
            if state["Type"] == "Task":
                state["Resource"] = _named(state["Resource"])
    return main, completion


def _named(resource: str) -> str:
    for id, name in (("Item", PROCESS), ("Gather", GATHER), ("OnComplete", COMPLETE)):
        if resource.startswith(f"{NAMESPACE}{id}"):
            return name
    raise AssertionError(resource)


def _states(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])
