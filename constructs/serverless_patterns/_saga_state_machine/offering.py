"""What a saga offers to others: targets of routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from constructs import Construct

from serverless_patterns_runtime.saga_state_machine.approval_contract import UNAPPROVED

from .._checks import Problems, did_you_mean
from .._once_complete import once_complete
from .._shapes import several
from .advice import warn_of_undecided
from .callers import Callers
from .doors import Approvals, Door, decision_door, start_door, starting, status_door

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as sfn

    from .._targets import Routable, Starting


class Offered(NamedTuple):
    """What the functions behind such routes have to know."""

    key: kms.IKey | None
    """Of the executions."""
    namespace: str
    max_input_bytes: int
    steps: Sequence[str]
    """Names."""
    declared: Sequence[str]
    """Names of errors."""
    asking: Mapping[str, tuple[lambda_.IFunction, lambda_.IFunction]]
    """By approval, the function that tells people, and what is to be invoked."""


class Offering(Construct):
    """A saga, once it is defined."""

    state_machine: sfn.StateMachine
    recovery_state_machine: sfn.StateMachine
    claims: dynamodb.ITable
    _offered: Offered
    _doors: dict[tuple[object, ...], Door]
    _callers: Callers

    def _offer(self, offered: Offered) -> None:
        self._offered, self._doors, self._callers = offered, {}, Callers()
        once_complete(self, lambda: self._callers.warn(self))
        warn_of_undecided(
            self, offered.asking, lambda: [str(which[1]) for which in self._doors if which[0] == "decision"]
        )

    def _starting(self) -> Starting:
        return starting(self.state_machine, self._offered.key, self._offered.max_input_bytes)

    def start(self) -> Routable:
        """A target of `Route("POST /checkout", ...)`: one execution for each caller and `Idempotency-Key`.

        The body, an object, is the input, with `caller` added: `{"id", "kind"}` of who calls. It answers 202 and
        `{"execution": ...}`, to the same key and body always the same; to another body 409.
        """
        if ("start",) not in self._doors:
            given = self._offered
            self._doors["start",] = start_door(
                self.node.id, self.state_machine, given.key, self._callers, given.max_input_bytes
            )
        return self._doors["start",]

    def status(self, *, results: Sequence[str] = (), any_caller: bool = False) -> Routable:
        """A target of `Route("GET /checkout/{execution}", ...)`: how an execution is, for the caller who started it.

        It answers 200 and `{"status": ...}`: `RUNNING`; `SUCCEEDED` or `COMPENSATED`, for ever; `COMPENSATION_PARKED`,
        `FORWARD_PARKED` or `RECOVERY_FAILED`, until somebody resumes it; `ABORTED` when it died and its recovery has
        not begun; `RECOVERING` while that, or a resumed one, is at it. Others' executions are a 404.

        Args:
            results: Steps whose results it shows, once the saga has succeeded, by itself or by a recovery.
            any_caller: Show executions of everybody to everybody whom the route's authorizer lets in.

        Raises:
            ValueError: for a step that is not there.
        """
        problems, given = Problems(f"{self.node.path}.status"), self._offered
        names = [*given.steps, *given.asking]
        shown = several(problems, "results", results)
        for name in shown:
            if name not in names:
                near = did_you_mean(str(name), names)
                problems.add("results", "name steps", f"{name!r}{near}", f"it has {', '.join(names)}")
        problems.raise_any()
        which = ("status", *shown, any_caller)
        if which not in self._doors:
            self._doors[which] = status_door(
                self.node.id,
                self.state_machine,
                self.recovery_state_machine,
                given.key,
                self._callers,
                results=shown,
                errors=[*given.declared, *(UNAPPROVED if given.asking else ())],
                any_caller=any_caller,
                approvals=Approvals(self.claims, given.namespace, [*given.asking]),
            )
        return self._doors[which]

    def decision(self, approval: str) -> Routable:
        """A target of `Route("POST /approvals/{id}", ...)`: who is let in decides approvals of this name.

        The body is `{"decision": "approve" or "reject", "comment": ...}`. It answers 200 and the decision, to the same
        caller and decision always the same; 410 to everybody else once it is decided, and when its time is over.

        Raises:
            ValueError: for an approval that is not there.
        """
        given = self._offered
        if approval not in given.asking:
            problems, near = Problems(f"{self.node.path}.decision"), did_you_mean(str(approval), given.asking)
            has = f"it has {', '.join(given.asking)}" if given.asking else "put one into its steps"
            problems.add("approval", "name a SagaApproval", f"{approval!r}{near}", has)
            problems.raise_any()
        which = ("decision", approval)
        if which not in self._doors:
            self._doors[which] = decision_door(
                self.node.id, self.state_machine, given.key, self.claims, given.namespace, approval
            )
        return self._doors[which]

    def notify_for(self, approval: str) -> lambda_.IFunction:
        """The function that tells who may decide. Raises KeyError for an approval that is not there."""
        return self._offered.asking[approval][0]
