"""The consumer of a queue: a `Handler` that we run, or any `lambda_.IFunction` that only gets our wiring."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration

from ._checks import Problems, is_token, seconds
from ._environment import check_against
from .handler import Handler

if TYPE_CHECKING:
    from constructs import Construct

    from ._interfaces import Function
    from .defaults import Settings

_LAMBDA_DEFAULT_TIMEOUT = Duration.seconds(3)
_MAX_LAYERS = 4  # Lambda takes five; one is the runtime's


@dataclass(frozen=True)
class Consumer:
    """What the user gave as a consumer, and said about it."""

    given: Handler | Function
    reserved_concurrent_executions: int | None
    said_timeout: Duration | None
    said_report_batch_item_failures: bool | None

    @property
    def handler(self) -> Handler | None:
        """The handler; `None` when the consumer is somebody else's function."""
        return self.given if isinstance(self.given, Handler) else None

    @property
    def timeout(self) -> Duration | None:
        """How long an invocation may take; `None` when nobody can tell."""
        if isinstance(self.given, Handler):
            return self.given.timeout
        return _visible_timeout(self.given) or self.said_timeout

    @property
    def reports_batch_item_failures(self) -> bool:
        """Always with our runtime, which answers so; else what was said."""
        return self.handler is not None or bool(self.said_report_batch_item_failures)

    @property
    def reserved(self) -> int | None:
        """Concurrency taken from the account's pool."""
        handler = self.handler
        if self.reserved_concurrent_executions is None and handler is not None:
            return handler.reserved_concurrent_executions
        return self.reserved_concurrent_executions

    def check_handler(
        self, problems: Problems, scope: Construct, settings: Settings, contract: Collection[str], max_concurrency: int
    ) -> None:
        """Check a handler against the pattern that runs it.

        Args:
            problems: Takes what is wrong.
            scope: Where it will run.
            settings: What holds there.
            contract: Names of the variables that the pattern sets.
            max_concurrency: The cap.
        """
        handler = self.handler
        if handler is None:
            return
        for argument in ("consumer_timeout", "report_batch_item_failures"):
            if getattr(self, f"said_{argument.removeprefix('consumer_')}") is not None:
                problems.add(argument, "be left out for a Handler", "a value", "the Handler says it")
        check_against(handler, scope, contract, settings.environment, problems)
        if self.reserved is not None:
            low = max_concurrency if type(max_concurrency) is int and not is_token(max_concurrency) else 1
            fix = "below the cap, throttled receives count and healthy messages become dead letters"
            problems.whole_number("reserved_concurrent_executions", self.reserved, low, 1_000_000, fix)
        self._check_provisioned(problems, handler)
        alone = handler.vpc is None and settings.vpc is None
        if alone and (handler.vpc_subnets is not None or handler.security_groups):
            fix = "pass vpc to the Handler or to Defaults"
            problems.add("consumer vpc", "be given with vpc_subnets or security_groups", "None", fix)
        layers = len(handler.layers) + len(settings.layers)
        if layers > _MAX_LAYERS:
            must = f"be at most {_MAX_LAYERS}, those of Defaults included"
            problems.add("consumer layers", must, str(layers), "merge some: the fifth is the patterns' runtime")

    def _check_provisioned(self, problems: Problems, handler: Handler) -> None:
        warm, reserved = handler.provisioned_concurrent_executions, self.reserved
        if type(warm) is int and type(reserved) is int and warm > reserved:  # a token is a float
            must = f"be at most reserved_concurrent_executions, {reserved:,}"
            fix = "Lambda keeps no more environments warm than may run: lower it, or reserve more"
            problems.add("provisioned_concurrent_executions", must, f"{warm:,}", fix)

    def check_function(self, problems: Problems, handler_arguments: Mapping[str, object]) -> None:
        """Check somebody else's function: what cannot be seen must be said.

        Args:
            problems: Takes what is wrong.
            handler_arguments: What the user gave that only our runtime obeys; `None` where nothing was given.
        """
        function = self.given
        if isinstance(function, Handler):
            return
        if not (hasattr(function, "function_arn") and hasattr(function, "grant_principal")):  # jsii has no isinstance
            fix = "wrap your Python function in a Handler"
            problems.add("consumer", "be a Handler or a lambda_.IFunction", repr(function), fix)
            return
        arguments = {**handler_arguments, "reserved_concurrent_executions": self.reserved_concurrent_executions}
        for argument in (argument for argument, value in arguments.items() if value is not None):
            fix = "an IFunction gets raw events and runs as it was defined"
            problems.add(argument, "be left out unless the consumer is a Handler", "a value", fix)
        if self.said_report_batch_item_failures is None:
            fix = "True if it answers with batchItemFailures, False if it fails whole batches"
            problems.add("report_batch_item_failures", "be given for an IFunction", "None", fix)
        if function.role is None:
            fix = "import it by lambda_.Function.from_function_attributes(..., role=...), or it cannot read the queue"
            problems.add("consumer", "have a role", f"{function.node.path} without one", fix)
        self._check_timeout(problems, function)

    def _check_timeout(self, problems: Problems, function: Function) -> None:
        said, visible = self.said_timeout, _visible_timeout(function)
        if said is None and visible is None:
            fix = "say the timeout that the function has"
            problems.add("consumer_timeout", "be given for an imported function", "None", fix)
        elif said is not None:
            problems.duration("consumer_timeout", said, 1, 900, "the timeout that the function has")
            if visible is not None and seconds(visible) != seconds(said):
                must = f"be the {seconds(visible)} seconds of {function.node.path}"
                fix = "leave it out: the function is defined in this app"
                problems.add("consumer_timeout", must, f"{seconds(said)} seconds", fix)


def _visible_timeout(consumer: Any) -> Duration | None:
    function = getattr(consumer, "lambda_", consumer)  # an alias or a version shows its function
    if not hasattr(function, "timeout"):
        return None
    return function.timeout or _LAMBDA_DEFAULT_TIMEOUT
