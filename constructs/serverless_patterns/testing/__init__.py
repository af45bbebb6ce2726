"""Deploy a stack in a test, use it, break it on purpose: with no AWS account and no Docker.

The fixtures of `serverless_patterns.testing.plugin` are there as soon as the package is installed with its extra:
`pip install cdk-serverless-patterns[local]`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cloud import Cloud
    from .deployment import Deployment
    from .embedded import EmbeddedCloud
    from .errors import CloudError, DeployError, EnvironmentNotReady, FaultNotFired, NotHere, SynthWarning
    from .fault_proxy import FaultProxy, Injection
    from .faults import Fault
    from .synthesis import LOCAL_CONTEXT, local_app
    from .waiting import wait_until

__all__ = [
    "LOCAL_CONTEXT",
    "Cloud",
    "CloudError",
    "DeployError",
    "Deployment",
    "EmbeddedCloud",
    "EnvironmentNotReady",
    "Fault",
    "FaultNotFired",
    "FaultProxy",
    "Injection",
    "NotHere",
    "SynthWarning",
    "local_app",
    "wait_until",
]

if not TYPE_CHECKING:
    _HOMES = {
        "cloud": ("Cloud",),
        "deployment": ("Deployment",),
        "embedded": ("EmbeddedCloud",),
        "errors": ("CloudError", "DeployError", "EnvironmentNotReady", "FaultNotFired", "NotHere", "SynthWarning"),
        "fault_proxy": ("FaultProxy", "Injection"),
        "faults": ("Fault",),
        "synthesis": ("LOCAL_CONTEXT", "local_app"),
        "waiting": ("wait_until",),
    }

    def __getattr__(name: str) -> object:
        """Import on first use: pytest loads this package, for its plugin, in every project that has it installed."""
        for module, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f".{module}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
