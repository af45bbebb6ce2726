"""Actions and compensations that are no `Handler`: somebody's function, or a call of the state machine's own.

Nothing lays a claim for them, or a tombstone: they happen at least once, and what is late is not refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns_runtime.saga_state_machine import contract

from .._checks import seconds
from .._running import is_function, visible_timeout
from ..handler import Handler

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam

    from .._interfaces import Function
    from ..saga_step import Doing

NATIVE_SECONDS = 60
"""Of a call that says nothing else, and waits for nobody."""

LATER = (".waitForTaskToken", ".sync", ".sync:2")
"""Ends of a Resource whose answer comes from somebody else, whenever that is."""

_KEPT = ("Resource", "Parameters", "HeartbeatSeconds", "Credentials")
_NAME_OF_EXECUTION = "$$.Execution.Name"
_READ = re.compile(r"'(?:\\.|[^'\\])*'|(\$(?:\[[^\]]*\]|[^,)\s\[])*)")  # a text, or a path, in an intrinsic

State = Mapping[str, Any]


def is_native(doing: Any) -> TypeGuard[sfn.TaskStateBase]:
    """Whether the state machine calls a service itself."""
    return isinstance(doing, sfn.TaskStateBase)


def is_foreign_function(doing: Any) -> TypeGuard[Function]:
    """Whether it is somebody's function."""
    return not isinstance(doing, Handler) and not is_native(doing) and is_function(doing)


@lru_cache(maxsize=256)
def state_of(native: sfn.TaskStateBase) -> State:
    """As the CDK writes it."""  # each is a call into the CDK's process
    return cast(State, native.to_state_json())


@lru_cache(maxsize=256)
def statements_of(native: sfn.TaskStateBase) -> list[iam.PolicyStatement]:
    """What whoever calls it must be allowed. Once a state: it belongs to one graph."""
    graph = sfn.StateGraph(cast(sfn.State, native), native.node.path)
    return list(graph.policy_statements)


def known_seconds(doing: Doing | None) -> int | None:
    """How long it may take, where that can be seen."""
    if is_native(doing):
        given = state_of(doing)
        if "TimeoutSeconds" in given:
            return int(given["TimeoutSeconds"])
        return None if str(given["Resource"]).endswith(LATER) else NATIVE_SECONDS
    return seconds(visible_timeout(doing)) if is_foreign_function(doing) else None


def event_of(told: Mapping[str, Any], kind: contract.Kind, execution: str, namespace: str) -> dict[str, Any]:
    """What somebody's function is told: as ours are, and the keys that ours make themselves.

    Args:
        told: What every function is told.
        kind: Whether it is to do or to undo.
        execution: Path of the execution's name.
        namespace: Of the keys.
    """
    action = contract.action_key(namespace, "{}", told["step"])
    own = action if kind == "action" else contract.compensation_key(namespace, "{}", told["step"])
    return {
        **told,
        "action_key.$": f"States.Format('{action}', {execution})",
        "idempotency_key.$": f"States.Format('{own}', {execution})",
    }


def native_call(native: sfn.TaskStateBase, execution: str, document: str) -> State:
    """Resource and parameters. Its paths are those of the document, wherever that is."""
    if document != "$" and execution.startswith(f"{document}."):
        execution = f"${execution.removeprefix(document)}"
    given = {name: value for name, value in state_of(native).items() if name in _KEPT}
    if "Parameters" in given:
        given["Parameters"] = _with_name(given["Parameters"], execution)
    return given if document == "$" else {**given, "InputPath": document}


def paths_in(doing: Doing | None) -> list[str]:
    """Every path in what a native call is given; none in anything else."""
    if not is_native(doing):
        return []
    given = state_of(doing)
    return list(dict.fromkeys(path for name in ("Parameters", "Credentials") for path in _read_in(given.get(name))))


def selected(doing: Doing) -> State | None:
    """What of a native call's answer is its result; None: all of it."""
    return state_of(doing).get("ResultSelector") if is_native(doing) else None


def statements(doings: Iterable[Doing | None]) -> list[iam.PolicyStatement]:
    """What the state machine must be allowed for its native calls."""
    return [statement for doing in doings if is_native(doing) for statement in statements_of(doing)]


def _read_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _read_in(each)
    if isinstance(value, dict):
        for name, each in cast("dict[str, Any]", value).items():
            if not (str(name).endswith(".$") and isinstance(each, str)):
                yield from _read_in(each)
            elif each.startswith("$"):
                yield each
            else:
                yield from (found[1] for found in _READ.finditer(each) if found[1])


def _with_name(value: Any, execution: str) -> Any:
    """A machine that goes on for another knows that one's name by a path of its own."""
    if isinstance(value, dict):
        return {
            name: each.replace(_NAME_OF_EXECUTION, execution)
            if str(name).endswith(".$") and isinstance(each, str)
            else _with_name(each, execution)
            for name, each in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [_with_name(each, execution) for each in cast("list[Any]", value)]
    return value
