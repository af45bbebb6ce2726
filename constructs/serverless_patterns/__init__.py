"""AWS CDK constructs for serverless backend patterns, with the Lambda code that keeps their promises."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .defaults import Defaults
    from .handler import Handler
    from .load_leveled_queue import LoadLeveledQueue

__all__ = ["Defaults", "Handler", "LoadLeveledQueue"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import on first use: the pytest plugin and the command line live here too, and must not start the CDK."""
        modules = {"Defaults": "defaults", "Handler": "handler", "LoadLeveledQueue": "load_leveled_queue"}
        if name not in modules:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f".{modules[name]}", __name__), name)
