"""The consumer of a queue: a `Handler` that we run, or any `lambda_.IFunction` that only gets our wiring."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

from ._checks import Problems, is_token, seconds
from ._running import check_in_pattern, check_provisioned, is_function, visible_timeout
from .handler import Handler

if TYPE_CHECKING:
    from constructs import Construct

    from ._interfaces import Function
    from .defaults import Settings


TIMEOUT = Duration.seconds(30)  # of a handler that says none


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
            return self.given.timeout or TIMEOUT
        return visible_timeout(self.given) or self.said_timeout

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
        check_in_pattern(problems, "consumer", handler, scope, settings, contract)
        if self.reserved is not None:
            low = max_concurrency if type(max_concurrency) is int and not is_token(max_concurrency) else 1
            fix = "below the cap, throttled receives count and healthy messages become dead letters"
            problems.whole_number("reserved_concurrent_executions", self.reserved, low, 1_000_000, fix)
        warm = handler.provisioned_concurrent_executions
        check_provisioned(problems, "provisioned_concurrent_executions", warm, self.reserved)

    def check_function(self, problems: Problems, handler_arguments: Mapping[str, object]) -> None:
        """Check somebody else's function: what cannot be seen must be said.

        Args:
            problems: Takes what is wrong.
            handler_arguments: What the user gave that only our runtime obeys; `None` where nothing was given.
        """
        function = self.given
        if isinstance(function, Handler):
            return
        if not is_function(function):
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
        said, visible = self.said_timeout, visible_timeout(function)
        if said is None and visible is None:
            fix = "say the timeout that the function has"
            problems.add("consumer_timeout", "be given for an imported function", "None", fix)
        elif said is not None:
            problems.duration("consumer_timeout", said, 1, 900, "the timeout that the function has")
            if visible is not None and seconds(visible) != seconds(said):
                must = f"be the {seconds(visible)} seconds of {function.node.path}"
                fix = "leave it out: the function is defined in this app"
                problems.add("consumer_timeout", must, f"{seconds(said)} seconds", fix)
