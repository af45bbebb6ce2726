"""What the demo prints in the end: the answers, the move, the faults, the checks, and how to look around."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from showing.check import Check
from showing.console import Console as AnyConsole
from showing.console import shown

from demo.api_figures import by_route
from demo.deployed import Shop
from demo.move.report import HEADS, figures
from demo.move.site import Site
from demo.outcome import Outcome
from demo.placed import report as placed_report

_OURS = {"Strikes", "Calls", "Replays", "p50 ms", "p95 ms", "p99 ms"}
FIGURES = _OURS.union(HEADS, placed_report.HEADS) - {"Route", "Department"}


class Console(AnyConsole):
    def show(self, checks: Sequence[Check], outcome: Outcome, page: Path) -> None:
        """The answers, the faults, the checks, and where to look."""
        self.tell("what was seen:")
        routes = [
            (
                escape(route.route),
                f"{route.calls:,}",
                "  ".join(f"{status}: {count:,}" for status, count in route.statuses.items()),
                f"{route.replays:,}",
                *(f"{value:.0f}" for value in (route.p50, route.p95, route.p99)),
            )
            for route in by_route(outcome.answers)
        ]
        self._show(["Route", "Calls", "Answers by status", "Replays", "p50 ms", "p95 ms", "p99 ms"], routes)
        if outcome.move:
            self._show(HEADS, [[*map(escape, row)] for row in figures(outcome.move)])
        self._show(placed_report.HEADS, placed_report.figures(outcome.placed))
        faults = [(fault.name, shown(fault.fired), escape(fault.evidence)) for fault in outcome.faults]
        self._show(["Injected", "Strikes", "Evidence"], faults)
        self.show_checks(checks, page)

    def _show(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.show_table(headings, rows, figures=FIGURES, whole=["Route"])

    def show_kept(self, endpoint_url: str | None, shop: Shop, site: Site, stop: str) -> None:
        """How to look around in what was left running, and how to stop it."""
        on = f"--endpoint-url {endpoint_url}"
        self.show_text(
            f"""
Everything keeps running (KEEP=1). Look around:
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
  .venv/bin/serverless-patterns peek {on} Shop.FulfilmentQueueUrl
  .venv/bin/serverless-patterns saga list {on} Shop.CheckoutGuardian
  .venv/bin/serverless-patterns view status {on} Shop.OrderBookControl
  aws {on} dynamodb scan --table-name {shop.orders_table} --max-items 3
  aws {on} logs filter-log-events --log-group-name {shop.log_group} --max-items 20
  curl -i {shop.api.url}/orders/20001
  .venv/bin/serverless-patterns route list {on} --history ShopSite.RouteControl
  curl -i {site.url}/
  aws {on} sqs get-queue-attributes --queue-url {shop.queue_url} --attribute-names All
Stop it with:
  {stop}"""
        )
