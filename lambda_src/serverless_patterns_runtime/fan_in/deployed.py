"""Branch, sweep and completion over AWS and the system's clock."""

import os
import random
import time
from functools import cache
from typing import Any

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.announcements import Announcements
from serverless_patterns_runtime.fan_in.branch import Branch
from serverless_patterns_runtime.fan_in.heads import Heads
from serverless_patterns_runtime.fan_in.opening import Completions
from serverless_patterns_runtime.fan_in.reports import Reports
from serverless_patterns_runtime.fan_in.results import Results
from serverless_patterns_runtime.fan_in.settings import BranchSettings, StoreSettings
from serverless_patterns_runtime.fan_in.sweeping import Sweep
from serverless_patterns_runtime.load_leveled_queue.opening import Open
from serverless_patterns_runtime.telemetry import Logger

__all__ = ["deployed_branch", "deployed_completions", "deployed_sweep"]


def deployed_branch(key_path: str, logger: Any) -> Branch | None:
    """None: this function is no branch."""
    if "FAN_IN_BRANCH" not in os.environ:
        return None
    store, settings = StoreSettings.from_environment(), BranchSettings.from_environment()
    heads = _heads(store)
    return Branch(
        settings,
        heads,
        _results(store),
        Announcements(client("sqs"), settings.completions_queue_url, heads, settings.retention_seconds),
        Reports(store.namespace, store.table_name, logger),
        key_path=key_path,
        sleep=time.sleep,
        chance=random.SystemRandom(),
    )


def deployed_completions(open_message: Open | None = None) -> Completions:
    """`open_message`: what the branches open the message with."""
    store = StoreSettings.from_environment()
    return Completions(_heads(store), _results(store), open_message)


def deployed_sweep() -> Sweep:
    store, env = StoreSettings.from_environment(), environment.read(contract.SweepEnv)
    heads = _heads(store)
    retention_seconds = int(env.FAN_IN_RETENTION_SECONDS)
    return Sweep(
        heads,
        Announcements(client("sqs"), env.FAN_IN_COMPLETIONS_QUEUE_URL, heads, retention_seconds),
        Reports(store.namespace, store.table_name, Logger()),
        random.SystemRandom(),
        time.time,
    )


def _heads(store: StoreSettings) -> Heads:
    return Heads(client("dynamodb"), store.table_name, store.namespace, time.time)


def _results(store: StoreSettings) -> Results:
    return Results(_s3, store.bucket, store.namespace)


@cache
def _s3() -> Any:
    return client("s3")
