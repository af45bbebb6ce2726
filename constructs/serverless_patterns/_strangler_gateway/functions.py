"""The router, its shadow, and the function that commands ask: all of ours, and no code of the user's in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_cdk import Aws, Duration
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.circuit_breaker import contract as breaker_contract
from serverless_patterns_runtime.strangler_gateway.contract import (
    CONTROL_HANDLER,
    EXPIRES_AT,
    PARTITION_KEY,
    ROUTER_HANDLER,
    SHADOW_HANDLER,
    SORT_KEY,
    SWEEP,
    ControlEnv,
    Env,
)
from serverless_patterns_runtime.strangler_gateway.control_contract import Command

from .._acknowledge import acknowledge
from .._bundled import BundledHandler
from .._checks import text
from .._function import define_function, endpoints
from .._running import check_in_pattern
from .._sweeping import sweep_every
from .._tables import define_table
from .grants import grant_commands, grant_routing, grant_sweep

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .._checks import Problems
    from ..defaults import Settings
    from ..legacy_backend import LegacyBackend

SERVICES = ("dynamodb", "lambda")
_ROUTER_MEMORY = 512  # its time is the caller's
_CONTROL_SECONDS, _SHADOW_SECONDS = 15, 60
_COPY_SECONDS = 60  # an older copy is compared with an answer of another time
_SWEEP_UNDELIVERED = "what one sweep has not done the next one does, a day later, and nobody waits for it"
_LATEST_SWEEP = Duration.hours(12)  # the next one is not far then
_SHADOW_UNDELIVERED = "a comparison that fails is one fewer, and nobody waits for it"


class Defined(NamedTuple):
    """What a gateway with a router has."""

    router: lambda_.Function
    control: lambda_.Function
    shadow: lambda_.Function | None
    control_table: dynamodb.Table
    breaker_table: dynamodb.Table


@dataclass(frozen=True)
class Functions:
    """Defines the functions of a gateway, and what they need."""

    scope: Construct
    legacy: LegacyBackend
    file: Mapping[str, str]
    settings: Settings
    key: kms.IKey | None

    def define(self, *, timeout: Duration, shadowed: bool) -> Defined:
        """Define them, with what they may do but for calling the new side: that comes after the API.

        Args:
            timeout: Of the gateway's integrations: nobody waits longer for the router.
            shadowed: Whether any route has a shadow.
        """
        removal = self.settings.removal_policy
        control_table = define_table(
            self.scope,
            "ControlTable",
            PARTITION_KEY,
            sort_key=SORT_KEY,
            key=self.key,
            removal_policy=removal,
            time_to_live=EXPIRES_AT,
        )
        breaker_table = define_table(
            self.scope, "BreakerTable", breaker_contract.PARTITION_KEY, key=self.key, removal_policy=removal
        )
        env = Env(
            LEGACY_URL=self.legacy.url.rstrip("/"),
            CONTROL_TABLE=control_table.table_name,
            BREAKER_TABLE=breaker_table.table_name,
            TARGETS="{}",
            SHADOW_FUNCTION="",
            URL_SUFFIX=Aws.URL_SUFFIX,
        )
        shadow = self._shadow(env) if shadowed else None
        if shadow is not None:
            env = env._replace(SHADOW_FUNCTION=shadow.function_name)
        router = self._function("Router", ROUTER_HANDLER, env._asdict(), _whole(timeout), _ROUTER_MEMORY)
        grant_routing(router, control_table, breaker_table)
        told = ControlEnv(CONTROL_TABLE=control_table.table_name, BREAKER_TABLE=breaker_table.table_name)._asdict()
        time = Duration.seconds(_CONTROL_SECONDS)
        control = self._function("Control", CONTROL_HANDLER, told, time, 256, _SWEEP_UNDELIVERED)
        grant_commands(control, control_table)
        grant_sweep(control, breaker_table)
        sweep_every(
            self.scope,
            "Sweep",
            control,
            Duration.days(1),
            description="What was set for routes that are gone is forgotten, a week after they were missed",
            undelivered=_SWEEP_UNDELIVERED,
            told=dict(Command(action=SWEEP)),
            max_event_age=_LATEST_SWEEP,
        )
        return Defined(router, control, shadow, control_table, breaker_table)

    def _shadow(self, env: Env) -> lambda_.Function:
        timeout = Duration.seconds(_SHADOW_SECONDS)
        shadow = self._function("Shadow", SHADOW_HANDLER, env._asdict(), timeout, 256, _SHADOW_UNDELIVERED)
        config = lambda_.CfnEventInvokeConfig(
            self.scope,
            "ShadowEvents",
            function_name=shadow.function_name,
            qualifier="$LATEST",
            maximum_event_age_in_seconds=_COPY_SECONDS,
            maximum_retry_attempts=0,  # the new side is asked once for each copy
        )
        acknowledge(config, _SHADOW_UNDELIVERED, "Serverless-LambdaAsyncFailureDestination")
        return shadow

    def _function(
        self, id: str, entry_point: str, env: Mapping[str, str], timeout: Duration, memory: int, lost: str | None = None
    ) -> lambda_.Function:
        handler = _described(id, memory, self.legacy if id != "Control" else None)
        return define_function(
            self.scope,
            id,
            handler,
            entry_point=entry_point,
            contract=env,
            timeout=timeout,
            settings=self.settings,
            encryption_key=self.key,
            reserved_concurrent_executions=None,
            required_endpoints=endpoints(handler, *SERVICES),
            beside_code=self.file,
            **({} if lost is None else {"undelivered": lost}),
        )


def check_functions(problems: Problems, scope: Construct, legacy: LegacyBackend, settings: Settings) -> None:
    """Refuse `Defaults` with which the router could not be."""
    router = _described("Router", _ROUTER_MEMORY, legacy)
    check_in_pattern(problems, "router", router, scope, settings, Env._fields)


def _described(id: str, memory: int, legacy: LegacyBackend | None) -> BundledHandler:
    """`legacy`: what it has to reach."""
    network: dict[str, Any] = {}
    if legacy is not None:
        groups = legacy.security_groups
        network = {"vpc": legacy.vpc, "vpc_subnets": legacy.vpc_subnets, "security_groups": groups}
    return BundledHandler(id, id.lower(), memory_size=memory, **network)


def _whole(duration: Duration) -> Duration:
    """In seconds, as Lambda counts, and no shorter."""
    return Duration.seconds(int(text(duration)) + (duration.to_milliseconds() % 1000 > 0))
