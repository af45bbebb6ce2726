"""What the demo prints: a line for each thing that happens, and a table in the end."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console as Terminal
from rich.markup import escape
from rich.table import Table

from demo.api_figures import by_route
from demo.check import Check
from demo.deployed import Shop
from demo.move.report import HEADS, figures
from demo.move.site import Site
from demo.outcome import Outcome

FIGURES = {"Value", "Expected", "Strikes", "Calls", "Replays", "p50 ms", "p95 ms", "p99 ms", *HEADS} - {"Route"}


class Console:
    def __init__(self) -> None:
        self._started = time.monotonic()
        self._terminal = Terminal(highlight=False, soft_wrap=True)

    def tell(self, line: str) -> None:
        """One line, with the seconds since the start."""
        self._terminal.print(f"[dim]{time.monotonic() - self._started:5.1f} s[/dim]  {escape(line)}")

    def fail(self, reason: str) -> None:
        self._terminal.print(f"[bold red]the demo could not run:[/bold red] {escape(reason)}")

    def show(self, checks: Sequence[Check], outcome: Outcome, page: Path) -> None:
        """The answers, the faults, the checks, and where to look."""
        self.tell("what was seen:")
        routes = _table("Route", "Calls", "Answers by status", "Replays", "p50 ms", "p95 ms", "p99 ms")
        for route in by_route(outcome.answers):
            statuses = "  ".join(f"{status}: {count:,}" for status, count in route.statuses.items())
            times = [f"{value:.0f}" for value in (route.p50, route.p95, route.p99)]
            routes.add_row(escape(route.route), f"{route.calls:,}", statuses, f"{route.replays:,}", *times)
        faults = _table("Injected", "Strikes", "Evidence")
        for fault in outcome.faults:
            faults.add_row(fault.name, _shown(fault.fired), escape(fault.evidence))
        results = _table("Check", "Value", "Expected", "")
        for check in checks:
            mark = "[green]ok[/green]" if check.ok else "[bold red]FAILED[/bold red]"
            results.add_row(escape(check.name), _shown(check.value), _shown(check.expected), mark)
        self._terminal.print(routes)
        if outcome.move:
            moved = _table(*HEADS)
            for row in figures(outcome.move):
                moved.add_row(*map(escape, row))
            self._terminal.print(moved)
        self._terminal.print(faults)
        self._terminal.print(results)
        failed = sum(not check.ok for check in checks)
        verdict = f"[bold red]{failed} failed[/bold red]" if failed else "[bold green]all hold[/bold green]"
        self._terminal.print(f"{len(checks)} checks: {verdict}. Report: {page}")

    def show_kept(self, endpoint_url: str | None, shop: Shop, site: Site, stop: str) -> None:
        """How to look around in what was left running, and how to stop it."""
        on = f"--endpoint-url {endpoint_url}"
        self._terminal.print(
            f"""
Everything keeps running (KEEP=1). Look around:
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
  .venv/bin/serverless-patterns peek {on} Shop.FulfilmentQueueUrl
  .venv/bin/serverless-patterns saga list {on} Shop.CheckoutGuardian
  aws {on} dynamodb scan --table-name {shop.orders_table} --max-items 3
  aws {on} logs filter-log-events --log-group-name {shop.log_group} --max-items 20
  curl -i {shop.api.url}/orders/20001
  .venv/bin/serverless-patterns route list {on} --history ShopSite.RouteControl
  curl -i {site.url}/
  aws {on} sqs get-queue-attributes --queue-url {shop.queue_url} --attribute-names All
Stop it with:
  {stop}""",
            markup=False,
        )


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in FIGURES else "left", no_wrap=heading == "Route")
    return table


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else escape(str(value))
