"""The API's answers in figures: by route and by what was wrong."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from demo.api import Answer

ROUTES = {
    "POST /orders": "straight to the queue, no function",
    "GET /orders/{order_id}": "orders:get",
    "POST /payments": "payments:take, Idempotency-Key, Effects",
    "POST /marketplace/orders": "publishes OrderPlaced",
    "POST /order-book": "decides, Idempotency-Key",
    "POST /order-book/{order_id}/lines": "likewise",
    "POST /order-book/{order_id}/pay": "likewise",
    "POST /order-book/{order_id}/ship": "likewise",
    "POST /order-book/{order_id}/cancel": "likewise",
    "GET /order-book/{order_id}": "one order, as it is now",
    "GET /customers/{customer_id}/orders": "a view, by pages; waits for one's own writes",
    "GET /revenue/{product_id}": "sums over all orders",
    "GET /sales": "a document, built when orders have changed",
    "POST /checkout": "starts the saga, Idempotency-Key",
    "GET /checkout/{execution}": "how it is, for who started it",
    "POST /approvals/{id}": "decides, once",
}
"""And what is behind them."""


@dataclass(frozen=True)
class RouteFigures:
    route: str
    behind: str
    statuses: Mapping[int, int]
    """How many answers, by status."""
    replays: int
    """Answers that were given before and are given again."""
    p50: float
    p95: float
    p99: float
    """Milliseconds from the first byte of the request to the last of the answer, of calls that were not refused."""

    @property
    def calls(self) -> int:
        return sum(self.statuses.values())


def by_route(answers: Iterable[Answer]) -> list[RouteFigures]:
    found: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        found[answer.call.route].append(answer)
    return [_figures(route, behind, found[route]) for route, behind in ROUTES.items()]


def refusals(answers: Iterable[Answer]) -> dict[int, Counter[str]]:
    """By status: what was wrong with the calls, and how often."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for answer in answers:
        if answer.call.why:
            found[answer.status][answer.call.why] += 1
    return dict(sorted(found.items()))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def _figures(route: str, behind: str, answers: Sequence[Answer]) -> RouteFigures:
    times = [1000 * answer.seconds for answer in answers if answer.ok]
    return RouteFigures(
        route,
        behind,
        dict(sorted(Counter(answer.status for answer in answers).items())),
        sum(answer.is_replay for answer in answers),
        *(percentile(times, percent) for percent in (50, 95, 99)),
    )
