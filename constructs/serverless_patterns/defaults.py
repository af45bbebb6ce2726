"""`Defaults`: choices that hold for everything below a scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, Unpack

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from ._checks import Problems, did_you_mean
from ._environment import check_values

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

    from ._interfaces import AlarmAction, Key

__all__ = ["Defaults"]

Alarms = Literal["all", "critical", "none"]
ALARMS: tuple[Alarms, ...] = ("all", "critical", "none")


class Settings(NamedTuple):
    """What holds in one scope; the values here hold where nobody said otherwise."""

    alarm_actions: Sequence[AlarmAction] = ()
    alarms: Alarms = "all"
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    removal_policy: RemovalPolicy = RemovalPolicy.RETAIN
    vpc: ec2.IVpc | None = None
    encryption_key: Key | None = None
    layers: Sequence[lambda_.ILayerVersion] = ()
    environment: Mapping[str, str] = {}
    tracing: lambda_.Tracing = lambda_.Tracing.ACTIVE


class _Chosen(TypedDict, total=False):
    alarm_actions: Sequence[AlarmAction]
    alarms: Alarms
    log_retention: logs.RetentionDays
    removal_policy: RemovalPolicy
    vpc: ec2.IVpc | None
    encryption_key: Key | None
    layers: Sequence[lambda_.ILayerVersion]
    environment: Mapping[str, str]
    tracing: lambda_.Tracing


# By identity of the scope, which is kept: jsii holds a scope's Python object weakly, and another would forget.
_CHOSEN: dict[int, tuple[IConstruct, _Chosen]] = {}


# Scopes in which something was defined: what is chosen there later would hold for half of it.
_READ: dict[int, IConstruct] = {}


class Defaults:
    """Choices that hold for everything defined below a scope: an app, a stage, a stack, a construct.

    ```python
    Defaults.of(app).set(alarm_actions=[SnsAction(topic)], log_retention=logs.RetentionDays.THREE_MONTHS)
    ```

    Set them before what they should hold for is defined. For each key the nearest scope wins; an argument given to a
    construct wins over all.
    """

    def __init__(self, scope: IConstruct) -> None:
        self._scope = scope

    @classmethod
    def of(cls, scope: IConstruct) -> Defaults:
        """The defaults of one scope."""
        return cls(scope)

    def set(self, **chosen: Unpack[_Chosen]) -> None:
        """Choose for everything that will be defined below the scope.

        Args:
            alarm_actions: What alarms notify. Default: nothing, which each construct warns about.
            alarms: `all`, `critical` (dead letters and age) or `none`. An alarm costs about $0.10 a month.
                Default: `all`.
            log_retention: Default: one month.
            removal_policy: For what holds data: dead-letter queues and claims. Default: RETAIN.
            vpc: Where functions run. Default: none.
            encryption_key: Customer key ($1 a month, plus requests) for queues, tables, logs and variables.
                Default: keys that AWS owns, free.
            layers: Added to every function.
            environment: Added to every function; its own variables win.
            tracing: X-Ray. Default: ACTIVE.

        Raises:
            ValueError: for an unknown key or value.
        """
        problems = Problems(f"Defaults.of({self._scope.node.path or 'the app'})")
        for name in sorted({*chosen} - {*Settings._fields}):
            got = f"{name!r}{did_you_mean(name, Settings._fields)}"
            problems.add("set()", f"be given {', '.join(Settings._fields)}", got, "correct the name")
        if "alarms" in chosen:
            problems.one_of("alarms", chosen["alarms"], ALARMS, "'critical' keeps dead letters and age")
        check_values(problems, chosen.get("environment", {}))
        if id(self._scope) in _READ:
            fix = "move the call up"
            problems.add("set()", "be called before anything below is defined", "a call after a construct", fix)
        problems.raise_any()
        _, settings = _CHOSEN.setdefault(id(self._scope), (self._scope, {}))
        settings.update(chosen)


def settings_of(scope: Construct) -> Settings:
    """What holds in a scope: for each key, the nearest scope that chose. From now on none of them may choose anew."""
    merged: dict[str, Any] = {}
    for ancestor in scope.node.scopes:  # from the root down, so that the nearest comes last
        _READ[id(ancestor)] = ancestor
        found = _CHOSEN.get(id(ancestor))
        if found is not None:
            merged.update(found[1])
    return Settings(**merged)
