"""Why a change is parked; whatever else goes wrong is tried again."""

from serverless_patterns_runtime.cqrs_views.contract import ParkReason

__all__ = ["GivenUp", "Unreadable", "given_up"]


class Unreadable(Exception):
    """This code cannot read a state: it is of a later schema, or `upcast` raised."""


class GivenUp(Exception):
    """Trying again gives the same, until somebody changes something."""

    def __init__(self, reason: ParkReason, message: str) -> None:
        super().__init__(message)
        self.reason: ParkReason = reason


def given_up(error: Exception) -> GivenUp:
    """What the user's function raised for a state, or reading it did."""
    if isinstance(error, GivenUp):
        return error
    if isinstance(error, Unreadable):
        return GivenUp("unreadable", str(error))
    return GivenUp("refused", f"{type(error).__name__}: {error}")
