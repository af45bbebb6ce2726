"""What is better made at init, which Lambda runs with more CPU, than in the first request."""

import os
from collections.abc import Mapping

__all__ = ["prepare_clients"]


def prepare_clients(tables: Mapping[str, str], variables: Mapping[str, str] = os.environ) -> None:
    """Clients of what a function that takes an Invocation can read. Without any, the SDK is not even imported."""
    services = ["dynamodb"] if tables else []
    if any(":secretsmanager:" in value for value in variables.values()):
        services.append("secretsmanager")
    if services:
        from serverless_patterns_runtime.clients import client

        for service in services:
            client(service)
