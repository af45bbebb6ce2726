"""The function of an approval: it keeps the token and tells people; and, when nobody has decided in time, closes it."""

import os
from functools import cache
from typing import Any, NoReturn

from serverless_patterns_runtime.approval_request import ApprovalRequest
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.saga_state_machine import approval_contract as contract
from serverless_patterns_runtime.saga_state_machine.approval import AlreadyDecided, Asking, Superseded
from serverless_patterns_runtime.saga_state_machine.approvals import Approvals
from serverless_patterns_runtime.saga_state_machine.contract import action_key
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.failures import fail
from serverless_patterns_runtime.saga_state_machine.record import of_error
from serverless_patterns_runtime.saga_state_machine.task import StepClaim, Task
from serverless_patterns_runtime.telemetry import count

__all__ = ["lambda_handler", "process"]

_SECRET_BITS = 256
_LATER_STAGE = 1_000
"""More than a state is ever retried."""


class Undecided(Exception):
    """Closed, and the saga goes back. Its name is what the definition catches."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.name = name
        self.words = words


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _edge())


def process(event: Any, context: Any, edge: Edge) -> Any:
    """The whole handler, over any edge. Raises for the state machine: an error whose name its definition knows."""
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    error: BaseException | None = None
    outcome, result = "Failed", None
    names = {"correlation_id": "execution", "step": "step", "kind": "kind"}
    given: dict[str, Any] = event if isinstance(event, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    with edge.logger.append_context_keys(**{key: given[name] for key, name in names.items() if name in given}):
        try:
            outcome, result = _Approval(edge, event, context).run()
        except KeyboardInterrupt:
            raise
        except Superseded:
            outcome = "Superseded"
        except AlreadyDecided as decided:
            outcome, error = "Decided", decided
        except Undecided as undecided:
            outcome, error = undecided.name, undecided
        except BaseException as raised:  # SystemExit too: Lambda would take it for its own death
            error = raised
        _record(edge, outcome, error)
    if error is not None:
        _fail(error)
    return result


def _fail(error: BaseException) -> NoReturn:
    match error:
        case AlreadyDecided():
            raise type(contract.DECIDED, (Exception,), {})("there is a decision already") from None
        case Undecided():
            raise type(error.name, (Exception,), {})(error.words) from None
        case _ if type(error).__name__ in contract.APPROVAL_ERRORS:
            # The user's own, of a name that means something else to the definition.
            raise type("NotifyFailed", (Exception,), {})() from None
        case _:
            fail(error)


class _Approval:
    def __init__(self, edge: Edge, event: Any, context: Any) -> None:
        self._edge = edge
        self._context = context
        try:
            self._event: contract.ApprovalEvent = event
            self._kind = event["kind"]
            self._task = Task.of({**event, "kind": "action"})
        except (KeyError, TypeError):
            raise MalformedPayload("this is no event of an approval") from None
        settings = edge.settings
        self._approvals = Approvals(
            edge.dynamodb,
            settings.claims_table_name,
            settings.claims_namespace,
            settings.claims_retention_seconds,
            edge.clock,
        )

    def run(self) -> tuple[str, Any]:
        """The outcome, and what the state machine hears; of a request for a decision it hears nothing."""
        if self._kind == "close":
            return "Decided", self._close()
        if self._kind == "ask":
            self._ask()
            return "Asked", None
        self._ask()
        return "Reminded", None

    def _ask(self) -> None:
        event, remind = self._event, self._kind == "remind"
        asking = Asking(
            execution=event["execution"],
            started=event["started"],
            step=event["step"],
            token=event["token"],
            number=event["retries"] + (_LATER_STAGE if remind else 0),
            secret=f"{self._edge.random.getrandbits(_SECRET_BITS):064x}",
            seconds=event["seconds"],
        )
        # First the token: whoever is told can decide at once.
        id, expires_at = self._approvals.ask(asking)
        if remind:
            self._count_waiting()
        request = ApprovalRequest(
            id=id,
            execution=event["execution"],
            step=event["step"],
            input=self._task.input,
            results=self._task.results,
            expires_at=expires_at,
            reminder=remind,
        )
        try:
            self._edge.business_function(request, self._invocation())
        except Exception as error:
            if not remind:
                raise
            # Who was asked first can still decide: no reminder is no reason to end the wait.
            self._edge.logger.error("the reminder failed", extra=of_error(error, verbose=False))

    def _count_waiting(self) -> None:
        settings = self._edge.settings
        of_table = {
            contract.SAGA_DIMENSION: settings.claims_namespace,
            contract.TABLE_DIMENSION: settings.claims_table_name,
        }
        count(contract.METRIC_WAITING, 1, namespace=contract.METRICS_NAMESPACE, dimensions=of_table)

    def _invocation(self) -> Invocation:
        namespace = self._edge.settings.claims_namespace
        key = action_key(namespace, self._event["execution"], self._event["step"])
        return Invocation(
            claim=StepClaim(namespace, f"{key}#{self._kind}", self._task.payload),
            correlation_id=self._event["execution"],
            attempt=self._event["retries"] + 1,
            remaining=lambda: self._context.get_remaining_time_in_millis() / 1000,
            logger=self._edge.logger,
            resources=self._edge.resources,
        )

    def _close(self) -> dict[str, Any]:
        event = self._event
        decision = self._approvals.close(event["execution"], event["started"], event["step"])
        if decision is None:
            raise self._undecided()
        if not decision.approve:
            raise Undecided(contract.REJECTED, contract.words_of_rejection(decision.comment))
        return decision.told

    def _undecided(self) -> Undecided:
        caught = self._task.results.get(self._event["step"])
        if caught is None:
            return Undecided(contract.NOT_DECIDED, "nobody has decided in time")
        return Undecided(contract.NOT_ASKED, f"nobody could be asked: {caught.get('Error')}")


def _record(edge: Edge, outcome: str, error: BaseException | None) -> None:
    """One log line and one count. Neither the token nor the id, nor anything of what the saga is about."""
    fields: dict[str, Any] = {"outcome": outcome}
    log = edge.logger.info
    if error is not None and not isinstance(error, AlreadyDecided | Undecided):
        fields |= of_error(error, verbose=edge.logger.log_level <= 10)  # logging.DEBUG
        log = edge.logger.error
    log("approval handled", extra=fields)
    edge.metrics.add_metric(name=f"Approval{outcome}", unit="Count", value=1)
    edge.metrics.flush_metrics()


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU
