"""Another try of what was given up: what the projector is asked, and what it answers."""

from typing import TypedDict

__all__ = ["Retried", "Retry"]


class Retry(TypedDict):
    """Of the projector that has the views' functions: what was parked for them, or what was never answered by it."""

    retry: list[str]
    """Names of objects in the bucket."""


class Retried(TypedDict):
    done: list[str]
    """Their objects are gone. What was never answered is done when each of its records is projected, or parked."""
    left: list[str]
