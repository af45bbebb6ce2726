"""What a person reads of migrating routes: tables and lines, the same in a terminal and in a file."""

from __future__ import annotations

from rich.table import Table

from serverless_patterns.cli._report import age, plain
from serverless_patterns.cli._tables import moment, table
from serverless_patterns_runtime.strangler_gateway.control_contract import Change, Listing, RouteStanding

__all__ = ["changed_line", "history_table", "routes_table"]


def routes_table(answer: Listing, now: float) -> Table:
    columns = ("Route", "Stage", "Percent", "Initial", "Generation", "Killed", "Changed", "By", "Reason")
    return table(columns, [_row(route, now) for route in answer["routes"]])


def history_table(answer: Listing) -> Table:
    """The latest change of each route first."""
    rows = [
        (
            route["route"],
            moment(entry["at"]),
            entry["action"],
            f"{_share(entry['was_percent'], entry['was_killed'])} to {_share(entry['percent'], entry['killed'])}",
            _name(entry["by"]),
            entry["reason"],
        )
        for route in answer["routes"]
        for entry in route.get("history", [])
    ]
    return table(("Route", "When", "Action", "Percent", "By", "Reason"), rows)


def changed_line(answer: Change) -> str:
    before, after = answer["before"], answer["after"]
    name = plain(before["route"])
    if after is None:
        return f"{name} is forgotten: the code has no such route any more."
    stands = "is killed: legacy answers" if after["killed"] else f"sends {after['percent']:g} percent to its new side"
    if not answer["changed"]:
        return f"{name} {stands}, as it did before: nothing was changed."
    return f"{name} {stands}, within seconds."


def _row(route: RouteStanding, now: float) -> tuple[str, ...]:
    initial, at = route["initial_percent"], route["at"]
    return (
        route["route"],
        route["stage"],
        f"{route['percent']:g}",
        "-" if initial is None else f"{initial:g}",
        str(route["generation"]),
        "yes" if route["killed"] else "no",
        "-" if at is None else f"{age(max(0, now - at))} ago",
        _name(route["by"] or "-"),
        route["reason"] or "-",
    )


def _share(percent: float, killed: bool) -> str:
    return f"killed ({percent:g})" if killed else f"{percent:g}"


def _name(by: str) -> str:
    """The last part of an ARN: the user, or the session; `--json` has all of it."""
    return by.rsplit("/", 1)[-1] if by.startswith("arn:") else by
