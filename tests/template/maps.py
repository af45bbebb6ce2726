"""What the tests of maps share: pages, as the documentation has them."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from serverless_patterns import Handler, ParallelMap, S3Items
from tests.simulation.saga_template import definition_in
from tests.template.stacks import HANDLERS


def a_page_handler(function: str = "render", **arguments: Any) -> Handler:
    return Handler(HANDLERS, f"pages:{function}", **arguments)


def a_map(stack: Stack, id: str = "Pages", **arguments: Any) -> ParallelMap:
    given = {"items": "$.pages", "handler": a_page_handler(), "on_complete": a_page_handler("done"), **arguments}
    return ParallelMap(stack, id, **given)


def items_in_s3(stack: Stack, **arguments: Any) -> S3Items:
    return S3Items(s3.Bucket.from_bucket_name(stack, "Given", "manifests"), "$.manifest", **arguments)


def the_definition(stack: Stack, *, completion: bool = False) -> Mapping[str, Any]:
    return definition_in(Template.from_stack(stack).to_json(), "Completion", recovery=completion)
