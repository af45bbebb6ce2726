"""What a person reads of migrating routes: tables and lines, the same in a terminal and in a file."""

from __future__ import annotations

from rich.console import Console, RenderableType

from serverless_patterns.cli._report import age, plain
from serverless_patterns.cli._tables import moment, whole
from serverless_patterns_runtime.strangler_gateway.control_contract import Change, Listing, RouteStanding

__all__ = ["IN_BRACKETS", "changed_line", "history_shown", "routes_shown"]

IN_BRACKETS = "In brackets: what was set, and holds again if the code has the route migrate in this generation."
"""Of routes that are not migrating: they are answered as the code says."""


def routes_shown(console: Console, answer: Listing, now: float) -> RenderableType:
    columns = ("Route", "Stage", "Percent", "Initial", "Generation", "Killed", "Changed", "By", "Reason")
    return whole(console, columns, [_row(route, now) for route in answer["routes"]])


def history_shown(console: Console, answer: Listing) -> RenderableType:
    """The latest change of each route first."""
    rows = [
        (
            route["route"],
            moment(entry["at"]),
            entry["action"],
            str(entry["generation"]),
            f"{_share(entry['was_percent'], entry['was_killed'])} to {_share(entry['percent'], entry['killed'])}",
            _name(entry["by"]),
            entry["reason"],
        )
        for route in answer["routes"]
        for entry in route.get("history", [])
    ]
    return whole(console, ("Route", "When", "Action", "Generation", "Percent", "By", "Reason"), rows)


def changed_line(answer: Change) -> str:
    before, after = answer["before"], answer["after"]
    name = plain(before["route"])
    if after is None:
        return f"{name} is forgotten: it is not migrating any more."
    stands = "is killed: legacy answers" if after["killed"] else f"sends {after['percent']:g} percent to its new side"
    if not answer["changed"]:
        return f"{name} {stands}, as it did before: nothing was changed."
    return f"{name} {stands}, within seconds."


def _row(route: RouteStanding, now: float) -> tuple[str, ...]:
    initial, at = route["initial_percent"], route["at"]
    holds = "{}" if route["stage"] == "migrating" else "({})"
    return (
        route["route"],
        route["stage"] if route["goes_at"] is None else f"{route['stage']}, goes at {moment(route['goes_at'])}",
        holds.format(f"{route['percent']:g}"),
        "-" if initial is None else f"{initial:g}",
        str(route["generation"]),
        holds.format("yes" if route["killed"] else "no"),
        "-" if at is None else f"{age(max(0, now - at))} ago",
        _name(route["by"] or "-"),
        route["reason"] or "-",
    )


def _share(percent: float, killed: bool) -> str:
    return f"killed ({percent:g})" if killed else f"{percent:g}"


def _name(by: str) -> str:
    """The last part of an ARN: the user, or the session; `--json` has all of it."""
    return by.rsplit("/", 1)[-1] if by.startswith("arn:") else by
