"""What guards a function against a downstream that is down. Constructs meet here: none knows another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, cast

from aws_cdk import Stack

from serverless_patterns_runtime.circuit_breaker.contract import Breakers, BreakerSettings, Env

from ._grants import grant_breaker

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_

    from ._checks import Problems
    from .handler import Handler

VARIABLES = Env._fields


@dataclass(frozen=True, eq=False)
class Protection:
    """One breaker, as the functions that it guards need it."""

    path: str
    name: str
    table: dynamodb.ITable
    settings: Mapping[str, Any]
    """Of `BreakerSettings`, without the table's name. Numbers may be tokens."""

    guarded: list[Handler] = field(default_factory=list["Handler"])
    """What it guards by now."""

    def guard(self, function: lambda_.Function, handler: Handler) -> None:
        """Allow reading and updating the breaker's item, and remember whom it guards."""
        grant_breaker(function, self.table)
        self.guarded.append(handler)

    def told(self) -> BreakerSettings:
        """As the runtime reads it."""
        return cast(BreakerSettings, {"table": self.table.table_name, **self.settings})


class Protecting(Protocol):
    """What guards functions: `CircuitBreaker`."""

    def _protection(self) -> Protection: ...


def is_protecting(value: Any) -> TypeGuard[Protecting]:
    """Whether the value can be asked for its protection."""
    return callable(getattr(value, "_protection", None))


def protection_of(problems: Problems, argument: str, value: Any) -> Protection | None:
    """What a breaker gives; `None` without one, and for what is none, which is a problem.

    Args:
        problems: Takes what is wrong.
        argument: What the user knows it as.
        value: What the user gave.
    """
    if is_protecting(value):
        return value._protection()  # pyright: ignore[reportPrivateUsage]  # a protocol among ourselves
    if value is not None:
        fix = "define one, CircuitBreaker(self, 'Partner'), and pass it to everything that calls the same downstream"
        problems.add(argument, "be a CircuitBreaker", repr(value), fix)
    return None


def protection_env(protections: Sequence[Protection]) -> dict[str, str]:
    """What a function is told of its breakers, no two of one name: no variable at all without one."""
    if not protections:
        return {}
    breakers: Breakers = {one.name: one.told() for one in sorted(protections, key=lambda one: one.name)}
    return Env(CIRCUIT_BREAKERS=Stack.of(protections[0].table).to_json_string(breakers))._asdict()


def check_names(problems: Problems, argument: str, protections: Sequence[Protection]) -> None:
    """Refuse two breakers that one function could not tell apart."""
    known: dict[str, Protection] = {}
    for one in protections:
        other = known.setdefault(one.name, one)
        if other is not one:
            got = f"{one.name!r} of {other.path} and of {one.path}"
            fix = "pass name=... to one of them, or share one CircuitBreaker"
            problems.add(f"{argument} circuit_breaker", "have a name of its own among those of its function", got, fix)
