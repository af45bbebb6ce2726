"""The control function: each minute it finishes what was left, and the command line asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.cqrs_views.contract import CONTROL_HANDLER, ControlEnv

from .._acknowledge import acknowledge_in_template
from .._bundled import BundledHandler
from .._function import define_function, endpoints
from .._grants import give
from .._sweeping import sweep_every
from .parked import allow_clearing, allow_undelivered
from .permissions import allow

if TYPE_CHECKING:
    from constructs import Construct

    from .projector import Places

_SECONDS = 50  # less than between two sweeps
_LATEST = Duration.minutes(1)  # the next one is not far then
_UNDELIVERED = "the next sweep, a minute later, does what this one has left"
_CONTROLS = (
    "dynamodb:BatchGetItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)


def control_handler() -> BundledHandler:
    """What runs: none of the user's code."""
    return BundledHandler("Control", "control", memory_size=256)


def define_control(scope: Construct, places: Places, env: ControlEnv) -> lambda_.Function:
    """Define it, with all that it may do but for state machines and queues of documents."""
    handler = control_handler()
    function = define_function(
        scope,
        "Control",
        handler,
        entry_point=CONTROL_HANDLER,
        contract={**env._asdict(), **places.named},
        timeout=Duration.seconds(_SECONDS),
        settings=places.settings,
        encryption_key=places.key,
        reserved_concurrent_executions=None,
        required_endpoints=endpoints(handler, "dynamodb", "s3", "sqs", "states"),
        undelivered=_UNDELIVERED,
    )
    allow(function, _CONTROLS, places.control)
    give(function, ["dynamodb:DescribeTable"], [places.model.table.table_arn])
    allow_clearing(function, places.parked, places.key)
    allow_undelivered(function, places.parked, places.key)  # what is handed over from a projector that is no more
    acknowledge_in_template(
        cast(lambda_.CfnFunction, function.node.default_child),
        checkov={"CKV_AWS_115": "one invocation a minute, which ends before the next: there is nothing to reserve"},
    )
    sweep_every(
        scope,
        "EachMinute",
        function,
        Duration.minutes(1),
        description="Fills views for the first time, and tries again what was parked or lost",
        undelivered=_UNDELIVERED,
        told={"request": "sweep"},
        max_event_age=_LATEST,
    )
    return function
