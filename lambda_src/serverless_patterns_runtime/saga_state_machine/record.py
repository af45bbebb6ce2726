"""What is written down of a task: one log line and one count. Nothing of what the saga is about."""

from typing import Any

from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import RunningElsewhere
from serverless_patterns_runtime.clients import unreachable
from serverless_patterns_runtime.errors import CircuitOpen, PermanentError
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.failures import Ambiguous, StillUnsettled, WithoutEffect
from serverless_patterns_runtime.telemetry import describe

__all__ = ["of_error", "outcome_of", "write"]


_NO_FAILURE = ("Busy", "Held", "Unsettled")


def outcome_of(executed: Executed[str] | None, error: BaseException | None, *, is_action: bool) -> str:
    match error:
        case None:
            if executed is None:
                return "NothingToUndo"
            return "Replayed" if executed.replayed else "Succeeded" if is_action else "Undone"
        case WithoutEffect() | Ambiguous() | PermanentError():
            return "Refused"
        case RunningElsewhere():
            return "Busy"
        case CircuitOpen():
            return "Held"
        case StillUnsettled():
            return "Unsettled"
        case _:
            return "Failed"


def write(edge: Edge, outcome: str, error: BaseException | None, *, began: float) -> None:
    fields: dict[str, Any] = {"outcome": outcome, "duration_ms": round((edge.clock() - began) * 1000)}
    log = edge.logger.info
    if error is not None:
        fields |= of_error(error, verbose=edge.logger.log_level <= 10)  # logging.DEBUG
        log = edge.logger.info if outcome in _NO_FAILURE else edge.logger.error
    log("step handled", extra=fields)
    edge.metrics.add_metric(name=outcome, unit="Count", value=1)
    edge.metrics.flush_metrics()


def of_error(error: BaseException, *, verbose: bool) -> dict[str, Any]:
    """What may be logged of it."""
    if isinstance(error, WithoutEffect | Ambiguous):
        return of_error(error.error, verbose=verbose)
    if isinstance(error, CircuitOpen) and error.__cause__ is not None:  # what its probe has raised
        return of_error(error.__cause__, verbose=verbose)
    if isinstance(error, PermanentError):
        # Its words are meant to be read; those of other errors may quote what they were about.
        return {"reason": error.message, "error_type": type(error).__name__}
    hint = unreachable(error)
    return describe(error, with_message=verbose) | ({"hint": hint} if hint else {})
