"""The environment and the routes file, read once at init."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.strangler_gateway.contract import ROUTES_FILE, Env, Migration

__all__ = ["Settings"]


class Settings(NamedTuple):
    migration: Migration
    legacy_url: str
    control_table: str
    breaker_table: str
    targets: Mapping[str, str]
    """Function's name or ARN by the ids that routes use."""
    shadow_function: str
    """Empty: no route has a shadow."""
    url_suffix: str
    region: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Of the router and the shadow."""
        env = environment.read(Env)
        return cls(
            migration=json.loads(Path(os.environ["LAMBDA_TASK_ROOT"], ROUTES_FILE).read_text(encoding="utf-8")),
            legacy_url=env.LEGACY_URL,
            control_table=env.CONTROL_TABLE,
            breaker_table=env.BREAKER_TABLE,
            targets=json.loads(env.TARGETS),
            shadow_function=env.SHADOW_FUNCTION,
            url_suffix=env.URL_SUFFIX,
            region=os.environ["AWS_REGION"],
        )
