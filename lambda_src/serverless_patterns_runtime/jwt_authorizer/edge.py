"""Everything outside: the issuer, time, logs. The Lambda authorizer's own edge, around a function that is ours."""

import os
import time
from pathlib import Path
from typing import Any

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.jwt_authorizer.contract import DISCOVERED, FIXED, JWKS_FILE
from serverless_patterns_runtime.jwt_authorizer.fetching import key_source
from serverless_patterns_runtime.jwt_authorizer.published_keys import FixedKeys, Keys, PublishedKeys
from serverless_patterns_runtime.jwt_authorizer.settings import Settings
from serverless_patterns_runtime.jwt_authorizer.verification import Verification
from serverless_patterns_runtime.lambda_authorizer.edge import Edge
from serverless_patterns_runtime.lambda_authorizer.settings import Settings as AuthorizerSettings
from serverless_patterns_runtime.telemetry import Logger, Metrics

__all__ = ["edge", "edge_of_environment"]

_NAME = "JwtAuthorizer"


def edge_of_environment() -> Edge:
    settings, logger = Settings.from_environment(), Logger()
    return edge(settings, _keys(settings, logger), clock=time.time, logger=logger, metrics=Metrics())


def edge(settings: Settings, keys: Keys, **outside: Any) -> Edge:
    """`outside`: the clock, logger and metrics of the Lambda authorizer's edge."""
    return Edge(
        settings=AuthorizerSettings(_NAME, {}, settings.identity_header, results_remembered=True),
        business_function=BusinessFunction(
            Verification(settings, keys), _NAME, takes_invocation=False, returns_effects=False
        ),
        **outside,
    )


def _keys(settings: Settings, logger: Any) -> Keys:
    if settings.keys == FIXED:
        return FixedKeys(Path(os.environ["LAMBDA_TASK_ROOT"], JWKS_FILE).read_text(encoding="utf-8"))
    address = None if settings.keys == DISCOVERED else settings.keys
    fetch = key_source(settings.issuer, address, plain_loopback=settings.plain_loopback)
    return PublishedKeys(fetch, time.time, logger)
