"""What is wrong with the arguments of a view, of totals, and of a document."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.cqrs_queries.contract import Env as QueryEnv

from .._checks import seconds
from .._running import check_in_pattern
from .._shapes import several, told
from .documents import BUILD_VARIABLES
from .groups import check_group
from .names import check_attribute, check_name
from .projector import VARIABLES
from .roles import BUILD, check_role

if TYPE_CHECKING:
    from constructs import Construct

    from .._checks import Problems
    from ..defaults import Settings
    from ..handler import Handler
    from .arguments import Asked
    from .groups import Group
    from .roles import Role

_EVERY_SECONDS = 900  # the longest delay of a message
_VIEW_VARIABLES = (*VARIABLES, *BusinessFunctionEnv._fields, *ClaimsEnv._fields, *QueryEnv._fields)
_NUMBERS = (dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER)


def check_view(
    problems: Problems,
    scope: Construct,
    asked: Asked,
    settings: Settings,
    name: Any,
    role: Role,
    handler: Any,
    taken: Iterable[str],
    groups: Iterable[Group],
    *,
    elsewhere: bool = False,
) -> None:
    """Check what views and totals have in common."""
    check_name(problems, name, taken)
    if not check_role(problems, role, handler):
        return
    argument = role.argument
    check_in_pattern(problems, argument, handler, scope, settings, _VIEW_VARIABLES)
    if handler.provisioned_concurrent_executions is not None:
        fix = "nobody waits for a projector: leave it out"
        problems.add(f"{argument} provisioned_concurrent_executions", "be left out", "a value", fix)
    if asked.upcast is not None and (handler.code, handler.requirements) != (
        asked.upcast.code,
        asked.upcast.requirements,
    ):
        fix = "old states are brought up to date before it sees them: put it beside upcast"
        problems.add(f"{argument} code", f"be that of upcast, {asked.upcast.code}", str(handler.code), fix)
    check_group(problems, argument, handler, asked.decide, groups, elsewhere=elsewhere)


def check_keys(problems: Problems, partition_key: Any, sort_key: Any, sort_key_type: Any) -> None:
    """Check how a view's rows are found."""
    check_attribute(problems, "partition_key", partition_key, "customer_id")
    if sort_key is None:
        if sort_key_type is not None:
            problems.add("sort_key_type", "be left out without a sort_key", "a value", "pass sort_key too")
        return
    check_attribute(problems, "sort_key", sort_key, "order_id")
    if sort_key == partition_key and not problems.have("sort_key", "partition_key"):
        fix = "it orders the rows of one partition: name another member, or leave it out"
        problems.add("sort_key", "be another member than partition_key", repr(sort_key), fix)
    if sort_key_type is not None and sort_key_type not in _NUMBERS:
        fix = "rows are JSON: dynamodb.AttributeType.STRING, or NUMBER"
        problems.add("sort_key_type", "be STRING or NUMBER", told(sort_key_type), fix)


def check_document(
    problems: Problems,
    scope: Construct,
    settings: Settings,
    name: Any,
    sources: Any,
    build: Any,
    every: Any,
    bucket: Any,
    taken: Iterable[str],
    views: Mapping[str, Construct],
    elsewhere: Collection[str],
) -> None:
    """Check a document's arguments."""
    check_name(problems, name, taken)
    given = several(problems, "sources", sources)
    if not given and not problems.have("sources"):
        fix = "a document is built when one of them changes: write sources=[by_customer]"
        problems.add("sources", "name a view or totals", "none", fix)
    for source in given:
        known = views.get(getattr(source, "name", ""))
        if known is not source or known is None:
            fix = "pass what view() and totals() of this table have returned"
            problems.add("sources", "be views and totals of this table", told(source), fix)
        elif source.name in elsewhere:
            fix = "build reads DynamoDB: add a view without a sink"
            problems.add("sources", "have their rows in DynamoDB", f"{source.name!r}, whose rows are in its sink", fix)
    if len({id(source) for source in given}) != len(given):
        problems.add("sources", "hold each view once", f"{len(given)} values", "take the others out")
    if check_role(problems, BUILD, build):
        _check_build(problems, scope, settings, build)
    problems.duration("every", every, 1, _EVERY_SECONDS, "a document is built no more often than this")
    if seconds(every) is None and not problems.have("every"):
        problems.add("every", "be known at synth", "a token", "write its number")
    if bucket is not None and not hasattr(bucket, "bucket_name"):
        problems.add("bucket", "be an S3 bucket", told(bucket), "leave it out: it is kept in DynamoDB, up to 390 KB")


def _check_build(problems: Problems, scope: Construct, settings: Settings, build: Handler) -> None:
    check_in_pattern(problems, "build", build, scope, settings, BUILD_VARIABLES)
