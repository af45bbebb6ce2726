"""What a person reads of views: tables and lines, the same in a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType

from serverless_patterns.cli._report import age, plain
from serverless_patterns.cli._tables import whole
from serverless_patterns_runtime.cqrs_views.control_contract import (
    ParkedShown,
    Progressed,
    Rebuilding,
    Status,
    ViewShown,
)

__all__ = ["begun_line", "ended_lines", "examples", "parked_shown", "percent", "retried_line", "views_shown"]


def views_shown(console: Console, answer: Status, now: float) -> RenderableType:
    columns = ("View", "Kind", "Read", "Filled", "Last rebuild", "Scanned", "Compared", "Differences", "Began", "By")
    return whole(console, (*columns, "Reason"), [_row(view, now) for view in answer["views"]])


def examples(answer: Status) -> Iterator[str]:
    """Of what differs, or cannot be projected."""
    for view in answer["views"]:
        for example in view["progress"]["examples"] if view["progress"] else ():
            yield f"{plain(view['view'])}  {plain(example)}"


def parked_shown(console: Console, found: Sequence[ParkedShown], now: float) -> RenderableType:
    rows = [
        (
            one["view"] or "-",
            one["key"] or "-",
            str(one["version"] or "-"),
            one["reason"],
            f"{age(max(0, now - one['parked_at']))} ago",
            one["message"] or "-",
        )
        for one in found
    ]
    return whole(console, ("View", "Key", "Version", "Reason", "Parked", "Message"), rows)


def begun_line(begun: Rebuilding) -> str:
    view = plain(begun["view"])
    if begun["began"]:
        return f"Generation {begun['generation']} of {view} is being filled: view status tells how far it is."
    return (
        f"Somebody else has just asked for generation {begun['generation']} of {view}: view status tells how far it is."
    )


def ended_lines(view: ViewShown, generation: int) -> Iterator[str]:
    name, told = plain(view["view"]), view["progress"]
    if view["live"] == generation:
        scanned = "" if told is None else f": {told['scanned']:,} aggregates, no difference"
        yield f"Generation {generation} of {name} is read now{scanned}."
        if told is not None and told["parked"]:
            yield f"{told['parked']:,} aggregates cannot be projected: view parked shows them."
    else:
        yield f"The rebuild of {name} {view['phase'] or 'failed'}: {plain(view['reason']) or 'no reason is known'}."
        yield "Nothing has changed for who reads it."


def percent(told: Progressed) -> int:
    """By segments: how many aggregates there are is not known while the table is written."""
    return round(50 * (told["scanned_segments"] + told["verified_segments"]) / max(1, told["segments"]))


def retried_line(replayed: int, left: int) -> str:
    return f"{replayed:,} in the views now." + (f" {left:,} left: view parked shows why." if left else "")


def _row(view: ViewShown, now: float) -> tuple[str, ...]:
    told, at = view["progress"], view["started_at"]
    segments = "" if told is None else f" of {told['segments']}"
    return (
        view["view"],
        view["kind"],
        str(view["live"] or "-"),
        str(view["building"] or "-"),
        view["phase"] or "-",
        "-" if told is None else f"{told['scanned']:,} ({told['scanned_segments']}{segments})",
        "-" if told is None else f"{told['verified']:,} ({told['verified_segments']}{segments})",
        "-" if told is None else f"{told['differences']:,}",
        "-" if at is None else f"{age(max(0, now - at))} ago",
        view["by"].rsplit("/", 1)[-1] or "-",
        view["reason"] or "-",
    )
