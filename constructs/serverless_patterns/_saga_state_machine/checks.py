"""What can be wrong with a saga's steps, seen at synth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

from .._checks import Problems, seconds
from .._shapes import several
from ..saga_step import Retry, SagaStep
from .estimates import longest_recovery_seconds, longest_seconds, most_bytes, most_results
from .flow_checks import Flow
from .foreign_checks import check_doing, check_shared, is_error_of_others, slowest_seconds
from .outside_checks import check_lifetimes, check_outside, check_suffixes
from .plan import Node, SagaNode, all_steps
from .quotas import check_quotas
from .retired import Retired

_REDRIVE_SECONDS = 14 * 86_400  # that a failed execution can be redriven
_UNHEARD_SECONDS = 3600  # until the guardian has begun, at the latest
_LONGEST_TASK_SECONDS = 86_400
_OURS = (contract.PERMANENT_ERROR, contract.RUNNING_ELSEWHERE, contract.CIRCUIT_OPEN, "Unsettled", "KeyExpired")


def check_steps(problems: Problems, given: Any, namespace: str) -> list[SagaNode]:
    """What the saga holds; what is wrong with each, and with all together, goes to `problems`."""
    flow = Flow(problems)
    nodes = flow.check("steps", given)
    if not flow.steps and not problems.have("steps", "steps[0]"):
        got = "none, but approvals and waits" if flow.names else "none"
        problems.add("steps", "hold a SagaStep or more", got, "say what the saga does")
    for name, number in Counter(flow.names).items():
        if number > 1:
            problems.add("steps", "have names of their own", f"{name!r} {number} times", "rename the later ones")
    pivots = [(at, node) for at, node in enumerate(nodes) if isinstance(node, SagaStep) and node.pivot]
    if len(pivots) > 1:
        got = " and ".join(node.name for _, node in pivots)
        problems.add("steps", "have one pivot at most", got, "the pivot is where the saga can no longer be undone")
    for approval, at in flow.approvals:
        if pivots and at > pivots[0][0]:
            fix = f"the saga only goes forward once {pivots[0][1].name!r} is done: ask before"
            problems.add(repr(approval.name), "be before the pivot", "a SagaApproval behind it", fix)
        if any(approval.notify in (step.action, step.compensation) for step, _ in flow.steps):
            fix = "its function does nothing else: write a second Handler(...)"
            problems.add(f"{approval.name!r} notify", "be a Handler of its own", "that of a step", fix)
    for step, at in flow.steps:
        check_doing(problems, step)
        _check_way_back(problems, step, behind=pivots[0][1] if pivots and at > pivots[0][0] else None)
        _check_errors(problems, step)
        _check_numbers(problems, step)
        check_outside(problems, step, namespace)
    check_suffixes(problems, [step for step, _ in flow.steps])
    check_shared(problems, [step for step, _ in flow.steps])
    return nodes


def check_whole(problems: Problems, plan: Sequence[Node], namespace: str, retired: Retired) -> int:
    """Check what all steps come to; returns the seconds for which claims are needed at least."""
    check_lifetimes(problems, all_steps(plan))
    check_quotas(problems, plan, namespace, retired)
    recovered = longest_recovery_seconds(plan, retired.planned)
    return longest_seconds([*plan, *retired.waits]) + max(_REDRIVE_SECONDS, recovered + _UNHEARD_SECONDS)


def largest_result(plan: Sequence[Node]) -> int:
    """Bytes that each result may have when the input has as many as a result."""
    return min(contract.DEFAULT_MAX_RESULT_BYTES, most_bytes(plan) // (most_results(plan)[1] + 1))


def check_results(problems: Problems, most: object, plan: Sequence[Node]) -> None:
    """Refuse results that have no room together in a state."""
    together = most_bytes(plan)
    number = max(most_results(plan)[1], 1)
    fix = f"the results of {number} steps share {together:,} bytes: keep what is larger in a table of yours"
    problems.whole_number("max_result_bytes", most, 2, together // number, fix)


def _check_way_back(problems: Problems, step: SagaStep, *, behind: SagaStep | None) -> None:
    for argument in ("compensation", "compensation_retry", "nothing_to_undo", "no_effect_errors"):
        if behind is not None and getattr(step, argument):
            fix = f"the saga only goes forward once {behind.name!r} is done: leave it out, or move the pivot"
            problems.add(f"{step.name!r} {argument}", "be left out behind the pivot", "a value", fix)
    if behind is not None:
        return
    if step.compensation is None and not step.nothing_to_undo:
        fix = "pass what undoes it, say nothing_to_undo=True, or make an earlier step the pivot"
        if step.pivot:
            fix = "pass what undoes it, or make an earlier step the pivot"
        problems.add(f"{step.name!r} compensation", "be given up to the pivot", "None", fix)
    elif step.compensation is not None and step.nothing_to_undo:
        fix = "leave out one of the two"
        problems.add(f"{step.name!r} nothing_to_undo", "be left out beside a compensation", "True", fix)
    if step.pivot and step.nothing_to_undo:
        fix = "the pivot's compensation lays the tombstone that refuses a pivot which comes late, when all is undone: "
        fix += "pass one, if only one that does nothing, or leave out pivot=True"
        problems.add(f"{step.name!r} nothing_to_undo", "be left out at the pivot", "True", fix)
    if step.compensation is None and step.compensation_retry is not None:
        fix = "leave it out"
        problems.add(f"{step.name!r} compensation_retry", "be left out without a compensation", "a value", fix)


def _check_errors(problems: Problems, step: SagaStep) -> None:
    argument = f"{step.name!r} no_effect_errors"
    names = several(problems, argument, step.no_effect_errors)
    for name in names:
        if not isinstance(name, str) or not (name.isidentifier() or is_error_of_others(step, name)):
            problems.add(argument, "be names of classes", repr(name), "such as 'CardDeclined', without its module")
        elif name in _OURS:
            fix = "the runtime says that of errors of any kind: name a class of yours"
            problems.add(argument, f"hold none of {', '.join(_OURS)}", repr(name), fix)
    if len({*map(str, names)}) < len(names):
        problems.add(argument, "hold each name once", repr([*names]), "drop the second")


def _check_numbers(problems: Problems, step: SagaStep) -> None:
    for argument in ("retry", "compensation_retry"):
        retry: Any = getattr(step, argument)
        if retry is None:
            continue
        label = f"{step.name!r} {argument}"
        if not isinstance(retry, Retry):
            problems.add(label, "be a Retry", repr(retry), "write Retry(attempts)")
            continue
        if type(retry.attempts) is not int or not 1 <= retry.attempts <= 100:
            fix = "the first try counts: Retry(1) does not retry"
            problems.add(f"{label} attempts", "be a whole number from 1 to 100", repr(retry.attempts), fix)
        fix = "a day at most: what takes longer needs a person"
        problems.duration(f"{label} longest_delay", retry.longest_delay, 1, _LONGEST_TASK_SECONDS, fix)
        most = seconds(retry.longest_delay) or _LONGEST_TASK_SECONDS
        problems.duration(f"{label} base_delay", retry.base_delay, 1, most, "it grows to longest_delay")
    if step.timeout is None:
        return
    low = max(slowest_seconds(step), 1)
    fix = f"a function's time-out and {contract.STARTING_SECONDS} seconds for a cold start: a task that gives up first "
    fix += "leaves its function at work"
    problems.duration(f"{step.name!r} timeout", step.timeout, low, _LONGEST_TASK_SECONDS, fix)
    if getattr(step.timeout, "is_unresolved", bool)():
        problems.add(f"{step.name!r} timeout", "be known at synth", "a token", "write its number")
