"""What a projector alone is told. Both sides import it."""

from typing import NamedTuple

__all__ = ["ProjectorEnv"]


class ProjectorEnv(NamedTuple):
    """Beside the `Env` of views."""

    COUNTS: str
    """`yes`: of a table's projectors it counts what each of them reads, such as removals. Else empty."""
