"""The functions behind a saga's steps: one for each `Handler`, whatever steps it serves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.saga_state_machine.approval_contract import ASKING_HANDLER
from serverless_patterns_runtime.saga_state_machine.contract import HANDLER, Env

from .._checks import Problems, text
from .._environment import check_size, variables
from .._function import business_function_env, define_function, endpoints, provisioned
from .._grants import grant_steps
from .._idempotency import Idempotency
from .._protection import VARIABLES as PROTECTION_VARIABLES
from .._protection import Protection, check_names, protection_env
from .._running import check_in_pattern, check_provisioned
from ..handler import Handler
from .attempts import handler_timeout
from .foreign import is_foreign_function
from .waiting import protection_of_step

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ..defaults import Settings
    from ..saga_approval import SagaApproval
    from ..saga_step import Doing, SagaStep

    Defined = tuple[lambda_.IFunction, lambda_.IFunction]
    """A function, and what is to be invoked: the function or its alias."""

_VARIABLES = (*BusinessFunctionEnv._fields, *ClaimsEnv._fields, *Env._fields, *PROTECTION_VARIABLES)


@dataclass(frozen=True)
class StepFunction:
    """One handler, named after the step that it serves: of several the first by name, in whatever order they stand."""

    id: str
    label: str
    """What the user knows it as."""
    handler: Handler
    once: Idempotency
    max_result_bytes: int
    protections: Sequence[Protection] = ()
    """The breakers of its steps, each once."""
    entry_point: str = HANDLER

    @property
    def required_endpoints(self) -> tuple[str, ...]:
        """AWS services that it calls."""
        return endpoints(self.handler, "dynamodb")

    def check(self, problems: Problems, id: str, scope: Construct, settings: Settings) -> None:
        """Check the handler against the pattern.

        Args:
            problems: Takes what is wrong.
            id: The saga's.
            scope: Where it will run.
            settings: What holds there.
        """
        check_in_pattern(problems, self.label, self.handler, scope, settings, _VARIABLES)
        warm, reserved = self.handler.provisioned_concurrent_executions, self.handler.reserved_concurrent_executions
        check_provisioned(problems, f"{self.label} provisioned_concurrent_executions", warm, reserved)
        check_names(problems, self.label, self.protections)
        told = variables(self.handler, self._variables(self.once.claims), id, settings.environment)
        check_size(problems, self.label, told)

    def define(
        self, scope: Construct, claims: dynamodb.ITable, settings: Settings, key: kms.IKey | None
    ) -> tuple[lambda_.IFunction, lambda_.IFunction]:
        """The function with what it may do, and what is to be invoked: the function or its alias."""
        function = define_function(
            scope,
            self.id,
            self.handler,
            entry_point=self.entry_point,
            contract=self._variables(claims),
            timeout=handler_timeout(self.handler),
            settings=settings,
            encryption_key=key,
            reserved_concurrent_executions=self.handler.reserved_concurrent_executions,
            required_endpoints=self.required_endpoints,
        )
        grant_steps(function, claims, effects=self.handler.returns_effects)
        for one in self.protections:
            one.guard(function, self.handler)
        return cast(lambda_.IFunction, function), provisioned(scope, f"{self.id}Live", function, self.handler)

    def _variables(self, claims: dynamodb.ITable | None) -> dict[str, str]:
        env = Env(MAX_RESULT_BYTES=text(self.max_result_bytes))
        guards = protection_env(self.protections)
        return {**business_function_env(self.handler), **self.once.env(claims), **env._asdict(), **guards}


def functions_of(steps: Sequence[SagaStep], once: Idempotency, max_result_bytes: int) -> dict[Handler, StepFunction]:
    """One for each handler, in the order of the steps."""
    served: dict[Handler, list[tuple[str, str]]] = {}
    for step in steps:
        for kind, handler in (("Action", step.action), ("Compensation", step.compensation)):
            if isinstance(handler, Handler):
                served.setdefault(handler, []).append((step.name, kind))
    found: dict[Handler, StepFunction] = {}
    for handler, names in served.items():
        name, kind = min(names)
        guards = _protections(steps, handler)
        found[handler] = StepFunction(
            f"{name}{kind}", f"{name!r} {kind.lower()}", handler, once, max_result_bytes, guards
        )
    return found


def targets_of(doings: Mapping[str, Doing | None], defined: Mapping[Handler, Defined]) -> dict[str, Defined]:
    """What each step invokes, by its name: what was defined for a `Handler`, or the function that was given."""
    found: dict[str, Defined] = {}
    for name, doing in doings.items():
        if isinstance(doing, Handler):
            found[name] = defined[doing]
        elif is_foreign_function(doing):
            given = cast(lambda_.IFunction, doing)
            found[name] = given, given
    return found


def invoked(steps: Iterable[tuple[Iterable[SagaStep], Mapping[Handler, Defined]]]) -> list[lambda_.IFunction]:
    """What all these steps invoke, each once."""
    found: dict[lambda_.IFunction, None] = {}
    for some, defined in steps:
        for step in some:
            by_kind = targets_of({"action": step.action, "compensation": step.compensation}, defined)
            found |= dict.fromkeys(target for _, target in by_kind.values())
    return [*found]


def _protections(steps: Sequence[SagaStep], handler: Handler) -> list[Protection]:
    found = (protection_of_step(step) for step in steps if handler in (step.action, step.compensation))
    return [*dict.fromkeys(each for each in found if each is not None)]


def functions_of_approvals(
    approvals: Sequence[SagaApproval], once: Idempotency, max_result_bytes: int
) -> dict[Handler, StepFunction]:
    """One for each handler that tells people."""
    found: dict[Handler, StepFunction] = {}
    for one in sorted(approvals, key=lambda one: one.name):
        if one.notify not in found:
            told = (f"{one.name}Notify", f"{one.name!r} notify", one.notify, once, max_result_bytes)
            found[one.notify] = StepFunction(*told, entry_point=ASKING_HANDLER)
    return found
