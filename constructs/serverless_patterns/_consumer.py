"""A consumer that we did not write: any `lambda_.IFunction`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration

from ._checks import Problems, seconds

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

_LAMBDA_DEFAULT_TIMEOUT = Duration.seconds(3)


def is_function(consumer: object) -> bool:
    """Whether it behaves like a `lambda_.IFunction`: jsii cannot tell for interfaces."""
    return hasattr(consumer, "function_arn") and hasattr(consumer, "grant_principal")


def check_function(
    problems: Problems,
    consumer: lambda_.IFunction,
    consumer_timeout: Duration | None,
    report_batch_item_failures: bool | None,
) -> Duration | None:
    """Check what cannot be seen and must be said. Gives the function's timeout."""
    if report_batch_item_failures is None:
        fix = "True if it answers with batchItemFailures, False if it fails whole batches"
        problems.add("report_batch_item_failures", "be given for a function that is not a Handler", "None", fix)
    if consumer.role is None:
        fix = "import it by lambda_.Function.from_function_attributes(..., role=...), or its poller has no permission"
        problems.add("consumer", "have a role", f"{consumer.node.path} without one", fix)
    visible = _visible_timeout(consumer)
    if visible is None and consumer_timeout is None:
        fix = "say the function's timeout: the visibility timeout depends on it"
        problems.add("consumer_timeout", "be given for an imported function", "None", fix)
    if consumer_timeout is not None:
        problems.duration("consumer_timeout", consumer_timeout, 1, 900, "the function's own timeout")
        if visible is not None and seconds(visible) != seconds(consumer_timeout):
            got = f"{seconds(consumer_timeout)} seconds"
            fix = "leave it out: the function's timeout can be seen"
            problems.add("consumer_timeout", f"be {seconds(visible)} seconds", got, fix)
    return visible or consumer_timeout


def _visible_timeout(consumer: Any) -> Duration | None:
    function = getattr(consumer, "lambda_", consumer)  # an alias or version shows its function
    if not hasattr(function, "timeout"):
        return None
    return function.timeout or _LAMBDA_DEFAULT_TIMEOUT
