"""What has become of a call of a business function."""

from typing import Generic, NamedTuple, TypeVar

__all__ = ["Executed"]

A = TypeVar("A")


class Executed(NamedTuple, Generic[A]):
    answer: A
    replayed: bool
    """Whether an earlier attempt with the same key was answered so, and nothing was done this time."""
    fallback: bool = False
    """Whether it is what is answered while a circuit breaker is open."""
