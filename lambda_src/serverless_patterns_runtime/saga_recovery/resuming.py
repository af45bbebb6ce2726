"""A recovery that somebody asks for: one at a time, with his name and reason kept before it begins."""

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.guarding import Guarding
from serverless_patterns_runtime.saga_recovery.marks import Audit, Mark

__all__ = ["resume"]

_TRIES = 5


def resume(event: contract.Resume, guarding: Guarding, now: int) -> contract.ResumeAnswer:
    """Raises PermanentError for what cannot be resumed, and what the clients raise: then it may be asked for again."""
    execution = guarding.executions.find(event["execution"])
    if execution is None:
        raise PermanentError(f"there is no execution {event['execution']!r}, or it is forgotten")
    if not execution.has_ended_badly:
        raise PermanentError(f"execution {execution.name} is {execution.outcome}: there is nothing to resume")
    for _ in range(_TRIES):
        before = (guarding.marks.of(execution) or Mark(0, ())).attempt
        name = contract.recovery_name(execution.name, before)
        latest = guarding.recoveries.find(name) if before else execution
        if latest is None:  # whoever counted it died before he started it
            return _begun(guarding.recover(execution, before), name)
        # One of an earlier execution of the name settles nothing here: the next number is free of it, or the next.
        if latest.recovers(execution) and not latest.has_ended_badly:
            return {"recovery": latest.name, "began": False, "outcome": latest.outcome}
        name = contract.recovery_name(execution.name, before + 1)
        if guarding.marks.go_on(execution, before, Audit(now, event["by"], event["reason"], name)):
            return _begun(guarding.recover(execution, before + 1), name)
    raise PermanentError(f"others resume execution {execution.name} all the time")


def _begun(began: bool, name: str) -> contract.ResumeAnswer:
    return {"recovery": name, "began": began, "outcome": "RUNNING"}
