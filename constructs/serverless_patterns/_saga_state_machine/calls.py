"""Whom a Task calls, and with what: a function of ours, somebody's, or a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..handler import Handler
from .foreign import event_of, is_native, native_call
from .waiting import told_of_outside

if TYPE_CHECKING:
    from serverless_patterns_runtime.saga_state_machine import contract

    from .attempts import Attempts
    from .plan import Planned
    from .states import Place, Resources, State


def call(
    one: Planned, kind: contract.Kind, event: Mapping[str, Any], resources: Resources, place: Place, attempts: Attempts
) -> State:
    """Resource and parameters, for the step's action or its compensation."""
    step = one.step
    doing, arns = (step.action, resources.actions) if kind == "action" else (step.compensation, resources.compensations)
    assert doing is not None
    if is_native(doing):
        return native_call(doing, place.execution, place.document)
    if isinstance(doing, Handler):
        told = {**event, **told_of_outside(step, doing, attempts.backoff.again)}
    else:
        told = event_of(event, kind, place.execution, resources.namespace)
    return {"Resource": arns[step.name], "Parameters": told}
