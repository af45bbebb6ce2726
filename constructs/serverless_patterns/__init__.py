"""AWS CDK constructs for serverless backend patterns, with the Lambda code that keeps their promises."""

from .defaults import Defaults
from .handler import Handler
from .load_leveled_queue import LoadLeveledQueue

__all__ = ["Defaults", "Handler", "LoadLeveledQueue"]
