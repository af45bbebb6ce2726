"""What a saga's routes take, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serverless_patterns_runtime.api_proxy.contract import Evidence, KeyMode
from serverless_patterns_runtime.saga_state_machine.approval_contract import APPROVAL_PARAMETER
from serverless_patterns_runtime.saga_state_machine.contract import EXECUTION_PARAMETER, OURS

from .._api_proxy.function_target import KEY_MODES, HandlerTarget
from .._body_alone import refuse_beside_the_body
from .._checks import Problems
from .._targets import RouteFacts, RouteTarget, refuse_idempotency, refuse_queue_arguments
from .callers import Callers

if TYPE_CHECKING:
    from aws_cdk import Duration

_KINDS: Mapping[Evidence, str] = {"none": "none", "iam": "IAM", "cognito": "Cognito", "lambda": "a function"}


@dataclass(frozen=True)
class StartTarget(HandlerTarget):
    """One execution for each key; the function sees to that, by the execution's name."""

    callers: Callers
    """The saga's."""

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """Required, unless the route says otherwise: without a key each request starts an execution."""
        return facts.asked_idempotency or "required"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse what would not reach the execution."""
        del timeout
        label, what = facts.label, "start()"
        refuse_queue_arguments(problems, facts, what)
        problems.one_of(label, facts.method, ("POST",), "it makes something new")
        refuse_beside_the_body(problems, facts, what, "it becomes the execution's input, and nothing else does")
        if facts.asked_idempotency is not None:
            fix = "leave it out for 'required'"
            problems.one_of(f"{label} idempotency", facts.asked_idempotency, KEY_MODES, fix)
        self._check_body(problems, facts)

    def check_beside(
        self, problems: Problems, facts: RouteFacts, routes: Sequence[tuple[RouteTarget, RouteFacts]]
    ) -> None:
        """Let routes to the status know who starts."""
        del problems, routes
        self.callers.start(facts)

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """What it says of the execution."""
        del facts
        return {
            "202": "The execution of this key, and whoever asks again is told the same",
            "409": "This key has started an execution with another input",
            "413": "The input is too large",
            "503": "Step Functions has no time for this",
        }

    def _check_body(self, problems: Problems, facts: RouteFacts) -> None:
        label = f"{facts.label} body"
        if facts.content == "bytes":
            fix = "it becomes the execution's input"
            problems.add(label, "be the schema of an object, or left out, in front of start()", "bytes", fix)
        elif facts.body is not None:
            if facts.body.get("type", "object") != "object":
                must, got = "be 'object' in front of start()", repr(facts.body["type"])
                problems.add(f"{label}/type", must, got, "it becomes the execution's input")
            for name in sorted({*OURS} & {*facts.body.get("properties", {})}):
                fix = "the saga sets it: choose another name"
                problems.add(f"{label} {name!r}", "be left out in front of start()", "a property", fix)


@dataclass(frozen=True)
class StatusTarget(HandlerTarget):
    """Reads: no key."""

    callers: Callers
    """The saga's."""

    any_caller: bool

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """It keeps none."""
        del facts
        return "off"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse a route that does not say which execution."""
        del timeout
        refuse_queue_arguments(problems, facts, "status()")
        refuse_idempotency(problems, facts, "status()")
        problems.one_of(facts.label, facts.method, ("GET",), "it changes nothing")
        _check_parameter(problems, facts, EXECUTION_PARAMETER, "status()", "GET")

    def check_beside(
        self, problems: Problems, facts: RouteFacts, routes: Sequence[tuple[RouteTarget, RouteFacts]]
    ) -> None:
        """Refuse a look by callers none of whom can have started anything."""
        if not self.any_caller:
            self.callers.look(facts)
        starts = [it for target, it in routes if isinstance(target, StartTarget) and target.callers is self.callers]
        if starts and not self.any_caller and facts.evidence not in {it.evidence for it in starts}:
            must = f"have an authorizer of the same kind as {starts[0].label}, which starts the saga"
            fix = (
                "who started an execution is found by it, and others get a 404; status(any_caller=True) shows it to all"
            )
            problems.add(facts.label, must, _KINDS[facts.evidence], fix)

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """What it says of the execution."""
        del facts
        return {
            "200": (
                "How the execution is. RUNNING, ABORTED and RECOVERING change by themselves; SUCCEEDED and COMPENSATED"
                " do not change; COMPENSATION_PARKED, FORWARD_PARKED and RECOVERY_FAILED need a person"
            ),
            "404": "No execution of this caller",
            "503": "Step Functions has no time for this",
        }


@dataclass(frozen=True)
class DecisionTarget(HandlerTarget):
    """The approval's id is its key."""

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """It keeps none."""
        del facts
        return "off"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse a route by which nobody, or anybody, decides."""
        del timeout
        what = "decision()"
        refuse_queue_arguments(problems, facts, what)
        refuse_idempotency(problems, facts, what)
        problems.one_of(
            facts.label, facts.method, ("POST",), "links are followed by machines, and a GET decides nothing"
        )
        _check_parameter(problems, facts, APPROVAL_PARAMETER, what, "POST")
        if facts.evidence == "none":
            fix = "who decides is recorded: give the route an authorizer that lets nobody else in"
            problems.add(f"{facts.label} public", f"be left out in front of {what}", "True", fix)
        if facts.body is not None or facts.content == "bytes":
            fix = "the function takes {'decision': 'approve' or 'reject', 'comment': ...}"
            problems.add(f"{facts.label} body", f"be left out in front of {what}", "a value", fix)

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """What it says of the decision."""
        del facts
        return {
            "200": "What was decided, by whom and when",
            "400": "No decision",
            "404": "No such approval",
            "410": "It was decided already, or its time is over",
            "503": "The table or Step Functions has no time for this",
        }


def _check_parameter(problems: Problems, facts: RouteFacts, name: str, what: str, method: str) -> None:
    if facts.parameters != (name,) or facts.greedy:
        must = f"have {{{name}}} as the one parameter of its path in front of {what}"
        got = ", ".join(map(repr, facts.parameters)) or "none"
        place = facts.path.split("/{")[0].rstrip("/")
        problems.add(facts.label, must, got, f"write '{method} {place}/{{{name}}}'")
