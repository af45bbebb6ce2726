"""One request of one visitor, and what came of it."""

from dataclasses import dataclass
from typing import Literal

PROFILE, CATALOGUE, BASKET = "GET /profile/{id}", "GET /catalogue", "POST /basket"
MOVING = (PROFILE, CATALOGUE, BASKET)
"""The routes that move. All else stays with the old site."""
PAGES = "everything else"

Side = Literal["new", "old"]


@dataclass(frozen=True)
class Visit:
    number: int
    """Sent along as `X-Visit`: no two requests have the same."""
    visitor: int
    route: str
    key: str
    """`Idempotency-Key`; empty without one."""
    begun: float
    """Epoch seconds."""
    seconds: float
    status: int
    """0: there was no answer."""
    side: Side
    right: bool
    """Whether it is what this visitor had to be answered."""
    logins: int
    """Of this visitor, before it."""

    @property
    def at(self) -> float:
        """When it was answered."""
        return self.begun + self.seconds
