"""What a person reads: tables and lines, the same in a terminal and in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from serverless_patterns.cli._survey import Group, Survey, by_age, by_reason

if TYPE_CHECKING:
    from serverless_patterns.cli._letters import Letter
    from serverless_patterns.cli._outcome import Outcome
    from serverless_patterns.cli._route import Route
    from serverless_patterns.cli._selection import Selection

__all__ = [
    "ID_LENGTH",
    "age",
    "bodies",
    "console",
    "left_lines",
    "messages",
    "outcome_lines",
    "plain",
    "route_lines",
    "show",
    "show_survey",
]

ID_LENGTH = 8
"""Characters of a message id that are shown, and that select it."""

_REASONS_SHOWN = 20
_IDS_SHOWN = 5


def console(*, stderr: bool = False) -> Console:
    """In a pipe nothing is wrapped or cut, so that lines can be searched."""
    result = Console(stderr=stderr, highlight=False)
    return result if result.is_terminal else Console(stderr=stderr, highlight=False, width=10_000)


def show(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, markup=False)


def show_survey(
    console: Console, survey: Survey, route: Route, *, limited: bool, selection: Selection | None = None
) -> None:
    console.print()
    if survey.letters:
        console.print(_table(survey, None if selection is None or selection.everything else selection))
    else:
        console.print("There is nothing in it.")
    console.print()
    show(console, _survey_lines(survey, route, limited=limited))


def plain(text: str) -> str:
    """Dead letters come from anywhere: control characters in them must not reach the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def age(seconds: float) -> str:
    """The two largest units: `3 h 12 min`."""
    left = int(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:2])) or "under 1 s"


def route_lines(route: Route) -> Iterator[str]:
    yield f"Dead-letter queue  {route.dead_letters.name}"
    if route.queue is not None:
        yield f"Queue              {route.queue.name}"


def _table(survey: Survey, selection: Selection | None = None) -> Table:
    """One row for each reason; with a selection, how many of them it takes."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    result.add_column("Messages", justify="right", no_wrap=True)
    if selection is not None:
        result.add_column("Selected", justify="right", no_wrap=True)
    result.add_column("Reason", overflow="fold")
    result.add_column("Error type", no_wrap=True)
    result.add_column("Oldest", justify="right", no_wrap=True)
    result.add_column("First id", no_wrap=True)
    for group in by_reason(survey.letters)[:_REASONS_SHOWN]:
        selected = [] if selection is None else [f"{sum(map(selection.includes, group.letters)):,}"]
        result.add_row(f"{len(group.letters):,}", *selected, *_cells(group, survey.started))
    return result


def _cells(group: Group, now: float) -> tuple[Text, Text, str, str]:
    first = group.oldest
    return (
        Text(plain(group.reason)),
        Text(plain(group.error_type or "-")),
        age(now - first.sent_at),
        plain(first.message_id[:ID_LENGTH]),
    )


def _survey_lines(survey: Survey, route: Route, *, limited: bool) -> Iterator[str]:
    """What the table does not tell."""
    rest = by_reason(survey.letters)[_REASONS_SHOWN:]
    if rest:
        others = messages(sum(len(group.letters) for group in rest))
        yield f"and {others} with {len(rest):,} other reasons (all of them: peek --json)"
    if survey.letters and route.dead_letters.retention is not None:
        oldest = min(letter.sent_at for letter in survey.letters)
        left = route.dead_letters.retention - (survey.started - oldest)
        yield f"{messages(len(survey.letters))}. SQS deletes the oldest in {age(left)}."
    if survey.hidden:
        yield (
            f"About {survey.hidden:,} more are hidden: another run or a consumer has received them, or had."
            " They show again when it ends or its visibility timeout is over."
        )
    behind = survey.visible - len(survey.letters)
    if behind > 0 and limited:
        yield f"SQS counts about {behind:,} more."
    elif behind > 0 and route.dead_letters.fifo:
        yield f"About {behind:,} more are behind these: SQS shows at most ten messages of a group at a time."


def bodies(letters: list[Letter]) -> Iterator[str]:
    for letter in sorted(letters, key=by_age):
        yield ""
        yield f"{plain(letter.message_id)}  {plain(letter.reason)}"
        for line in letter.body.splitlines() or [""]:
            yield f"  {plain(line)}"


def outcome_lines(outcome: Outcome, route: Route, seconds: float) -> Iterator[str]:
    target = route.queue.name if route.queue else ""
    yield f"Moved {messages(len(outcome.moved))} to {target} in {age(seconds)}."
    if outcome.stopped:
        yield f"Stopped: {plain(outcome.stopped).rstrip('.')}."
    yield from left_lines(outcome)
    yield from _by_cause("In both queues", outcome.undeleted)
    if outcome.undeleted:
        yield "  The next run sends these again; the consumer knows them by their idempotency keys."
    yield from _by_cause("Came back", outcome.came_back)
    if outcome.came_back:
        yield "  The cause is still there. This run did not move them again."
    if outcome.missing and not outcome.stopped:
        yield f"{messages(outcome.missing)} could not be received again: somebody else has them, or they are gone."
    if outcome.arrived:
        yield f"{messages(len(outcome.arrived))} arrived meanwhile and stayed."
    if outcome.stopped:
        yield "What was not moved is where it was: the same command goes on from here."


def left_lines(outcome: Outcome) -> Iterator[str]:
    yield from _by_cause("Left", outcome.left)
    if outcome.unseen:
        yield (
            f"About {messages(outcome.unseen)} are behind others of their group that were not moved,"
            " where SQS does not show them. Move those in front first."
        )


def _by_cause(title: str, causes: Mapping[str, str]) -> Iterator[str]:
    ids: dict[str, list[str]] = {}
    for message_id, cause in sorted(causes.items()):
        ids.setdefault(cause, []).append(message_id[:ID_LENGTH])
    for cause, some in ids.items():
        more = "" if len(some) <= _IDS_SHOWN else f" and {len(some) - _IDS_SHOWN:,} more"
        yield f"{title}: {messages(len(some))} ({plain(', '.join(some[:_IDS_SHOWN]))}{more}): {plain(cause)}"


def messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
