"""What every pattern checks of a function that it runs or calls, whatever the user knows it as."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeGuard

from aws_cdk import Duration

from ._checks import Problems
from ._environment import check_against

if TYPE_CHECKING:
    from constructs import Construct

    from ._interfaces import Function
    from .defaults import Settings
    from .handler import Handler

_LAMBDA_DEFAULT_TIMEOUT = Duration.seconds(3)
_MAX_LAYERS = 4  # Lambda takes five; one is the runtime's


def check_in_pattern(
    problems: Problems, argument: str, handler: Handler, scope: Construct, settings: Settings, contract: Collection[str]
) -> None:
    """Check a handler against the pattern that runs it.

    Args:
        problems: Takes what is wrong.
        argument: What the user knows the handler as.
        handler: The description.
        scope: Where it will run.
        settings: What holds there.
        contract: Names of the variables that the pattern sets.
    """
    check_against(problems, argument, handler, scope, contract, settings.environment)
    alone = handler.vpc is None and settings.vpc is None
    if alone and (handler.vpc_subnets is not None or handler.security_groups):
        fix = "pass vpc to the Handler or to Defaults"
        problems.add(f"{argument} vpc", "be given with vpc_subnets or security_groups", "None", fix)
    layers = len(handler.layers) + len(settings.layers)
    if layers > _MAX_LAYERS:
        must = f"be at most {_MAX_LAYERS}, those of Defaults included"
        problems.add(f"{argument} layers", must, str(layers), "merge some: the fifth is the patterns' runtime")


def check_provisioned(problems: Problems, argument: str, warm: int | None, reserved: int | None) -> None:
    """Refuse more warm environments than may run. Tokens pass."""
    if type(warm) is int and type(reserved) is int and warm > reserved:  # a token is a float
        must = f"be at most reserved_concurrent_executions, {reserved:,}"
        fix = "Lambda keeps no more environments warm than may run: lower it, or reserve more"
        problems.add(argument, must, f"{warm:,}", fix)


def is_function(value: Any) -> TypeGuard[Function]:
    """Whether it is some `lambda_.IFunction`: jsii has no isinstance."""
    return hasattr(value, "function_arn") and hasattr(value, "grant_principal")


def visible_timeout(function: Any) -> Duration | None:
    """The timeout of a function that is defined in this app; `None` when it is imported."""
    function = getattr(function, "lambda_", function)  # an alias or a version shows its function
    if not hasattr(function, "timeout"):
        return None
    return function.timeout or _LAMBDA_DEFAULT_TIMEOUT
