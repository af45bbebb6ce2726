"""The functions behind an API's routes: one for each `Handler`, told of every route that leads to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.api_proxy.contract import (
    HANDLER,
    ROUTES_FILE,
    SCHEMAS_MODULE,
    Env,
    Routes,
    RouteSettings,
)
from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv

from .._bundled import keeps_keys
from .._checks import Problems, text
from .._environment import check_size, variables
from .._function import business_function_env, define_function, endpoints, provisioned
from .._grants import grant_answers
from .._idempotency import Idempotency
from .._protection import VARIABLES as PROTECTION_VARIABLES
from .._protection import Protection, check_names, protection_env
from .._running import check_in_pattern, check_provisioned
from .._targets import stands_for
from ..handler import Handler
from . import schemas as _schemas
from .cross_origin import told_to_functions
from .function_target import handler_timeout
from .routes import Planned, distinct_schemas

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ..cors import Cors
    from ..defaults import Settings

_VARIABLES = (*BusinessFunctionEnv._fields, *ClaimsEnv._fields, *Env._fields, *PROTECTION_VARIABLES)


class ToldFunctions(NamedTuple):
    """What every function of an API is told."""

    once: Idempotency
    max_body_bytes: int
    binary_media_types: Sequence[str]
    cors: Cors | None
    timeout: Duration
    """Of integrations."""


@dataclass(frozen=True)
class ApiFunction:
    """One handler, and the routes that lead to it."""

    id: str
    handler: Handler
    routes: Sequence[Planned]
    told: ToldFunctions

    @property
    def claims(self) -> bool:
        """Whether it can ever claim a key. Effects always do: without a key, a repeated call of the SDK is one."""
        asked = any(mode != "off" for one in self.routes for mode in one.key_modes.values())
        return self.handler.returns_effects or (asked and keeps_keys(self.handler))

    @property
    def protections(self) -> list[Protection]:
        """The breakers of its routes, each once."""
        return [*dict.fromkeys(one.protection for one in self.routes if one.protection is not None)]

    @property
    def required_endpoints(self) -> tuple[str, ...]:
        """AWS services that it calls."""
        return endpoints(self.handler, *(["dynamodb"] if self.claims or self.protections else []))

    def check(self, problems: Problems, id: str, scope: Construct, settings: Settings) -> None:
        """Check the handler against the pattern.

        Args:
            problems: Takes what is wrong.
            id: The API's.
            scope: Where it will run.
            settings: What holds there.
        """
        label = f"{self.routes[0].facts.label} target"
        check_in_pattern(problems, label, self.handler, scope, settings, _VARIABLES)
        warm, reserved = self.handler.provisioned_concurrent_executions, self.handler.reserved_concurrent_executions
        check_provisioned(problems, f"{label} provisioned_concurrent_executions", warm, reserved)
        check_names(problems, label, self.protections)
        for name in (ROUTES_FILE, f"{SCHEMAS_MODULE}.py"):
            if (self.handler.code / name).exists():
                got, fix = str(self.handler.code / name), "ApiProxy puts a file of that name beside it: rename yours"
                problems.add(f"{label} code", f"hold no {name}", got, fix)
        told = variables(self.handler, self._variables(self.told.once.claims), id, settings.environment)
        check_size(problems, label, told)

    def define(
        self, scope: Construct, claims: dynamodb.ITable | None, settings: Settings, key: kms.IKey | None
    ) -> tuple[lambda_.IFunction, lambda_.IFunction]:
        """The function with what it may do, and what is to be invoked: the function or its alias."""
        function = define_function(
            scope,
            self.id,
            self.handler,
            entry_point=HANDLER,
            contract=self._variables(claims),
            timeout=handler_timeout(self.handler, self.told.timeout),
            settings=settings,
            encryption_key=key,
            reserved_concurrent_executions=self.handler.reserved_concurrent_executions,
            required_endpoints=self.required_endpoints,
            beside_code=self._files(),
        )
        if claims is not None and self.claims:
            grant_answers(function, claims, effects=self.handler.returns_effects)
        for one in self.protections:
            one.guard(function, self.handler)
        return cast(lambda_.IFunction, function), provisioned(scope, f"{self.id}Live", function, self.handler)

    def _variables(self, claims: dynamodb.ITable | None) -> dict[str, str]:
        env = Env(
            MAX_BODY_BYTES=text(self.told.max_body_bytes),
            BINARY_MEDIA_TYPES=",".join(self.told.binary_media_types),
            CORS=told_to_functions(self.told.cors),
        )
        remembered = self.told.once.env(claims) if self.claims else {}
        guards = protection_env(self.protections)
        return {**business_function_env(self.handler), **remembered, **env._asdict(), **guards}

    def _files(self) -> Mapping[str, str]:
        routes: Routes = {one.route.route: _settings(one) for one in self.routes}
        files = {ROUTES_FILE: json.dumps(routes, indent=1, sort_keys=True)}
        schemas = distinct_schemas(self.routes)
        if schemas:
            files[f"{SCHEMAS_MODULE}.py"] = _schemas.generated_code(schemas)
        return files


def _settings(one: Planned) -> RouteSettings:
    facts, modes = one.facts, one.key_modes
    settings: RouteSettings = {
        "evidence": facts.evidence,
        "idempotency": modes if facts.method == "ANY" else modes[facts.method],
        "content": facts.content,
    }
    if (whose := stands_for(one.target)) is not None:
        settings["stands_for"] = whose
    if one.target.handler is not None and not keeps_keys(one.target.handler):
        settings["own_keys"] = True
    if facts.challenge is not None:
        settings["challenge"] = facts.challenge
    if facts.body is not None:
        settings["body"] = _schemas.schema_name(facts.body)
    if facts.query is not None:
        settings["query"] = _schemas.schema_name(facts.query)
        settings["query_types"] = dict(_schemas.query_types(facts.query))
    if one.protection is not None:
        settings["circuit_breaker"] = one.protection.name
    if one.route.fallback is not None:
        settings["fallback"] = one.route.fallback
    if facts.params is not None:
        settings["params"] = _schemas.schema_name(facts.params)
    return settings


def routes_by_handler(routes: Sequence[Planned]) -> dict[Handler, list[Planned]]:
    """The routes that lead to each handler, in their order; what stands for others comes last."""
    found: dict[Handler, list[Planned]] = {}
    for one in sorted(routes, key=lambda one: stands_for(one.target) is not None):
        if one.target.handler is not None:
            found.setdefault(one.target.handler, []).append(one)
    return found
