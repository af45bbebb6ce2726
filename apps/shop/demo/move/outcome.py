"""What was seen of a move: plain facts, from which checks and report are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from legacy.ledger import Seen

from demo.move.routes import Setting
from demo.move.visit import Visit


@dataclass(frozen=True)
class Move:
    visits: Sequence[Visit]
    """By the time of their answers."""
    asked: int
    """Requests that were sent."""
    settings: Sequence[Setting]
    seen_by_old_site: Sequence[Seen]
    """Its ledger."""
    lines: Sequence[Mapping[str, Any]]
    """Put in baskets, by either side: `key`, `customer_id`, `product_id`, `quantity`."""
    standing: Mapping[str, Mapping[str, Any]]
    """The routes in the end."""
    flips: int
    steps: Sequence[float]
    """Percentages of the profile."""
    bad_version_at: float | None

    @property
    def begun(self) -> float:
        return min((visit.begun for visit in self.visits), default=0)

    def of(self, route: str) -> list[Visit]:
        return [visit for visit in self.visits if visit.route == route]

    def set_for(self, route: str) -> list[Setting]:
        return [setting for setting in self.settings if setting.route == route]
