"""The report of a run of the shop: what its day, its evening and its move were like."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from showing import page as shown
from showing import timeline
from showing.check import Check
from showing.deployed import DeadLetter
from showing.markup import element
from showing.page import row

from demo import api_report, saga_report
from demo.api_checks import answers_202
from demo.api_figures import percentile
from demo.architecture import Flow, picture
from demo.book import report as book_report
from demo.followers import BookFlow, TopicFlow
from demo.history import History
from demo.move import report as move_report
from demo.outcome import Outcome
from demo.placed import report as placed_report

_SECTIONS = Path(__file__).with_name("report.html")


def page(outcome: Outcome, checks: Sequence[Check], about: str) -> str:
    """`about` says in a line what ran, where and when."""
    history = History(outcome)
    sections = Template(_SECTIONS.read_text(encoding="utf-8")).substitute(
        routes=api_report.route_rows(outcome),
        refusals=api_report.refusal_rows(outcome),
        charts=history.charts(),
        architecture=picture(_flow(outcome)),
        saga=saga_report.saga(outcome.checkouts),
        troubles=saga_report.trouble_rows(outcome.checkouts),
        placed=placed_report.section(outcome.placed),
        book=book_report.section(outcome.book),
        move=move_report.section(outcome.move) if outcome.move else "",
        faults=_fault_rows(outcome),
        letters=_letter_rows(outcome),
    )
    return shown.page("Shop demo", about, _tiles(outcome), sections, checks, _figures(outcome, history))


def _figures(outcome: Outcome, history: History) -> dict[str, Any]:
    """What stands beside the cursor, by section."""
    stories = {
        "day": history.figures(),
        "placed": placed_report.Story(outcome.placed).figures(),
        "book": book_report.Story(outcome.book).figures(),
    }
    return stories | ({"move": move_report.Story(outcome.move).figures()} if outcome.move else {})


def _flow(outcome: Outcome) -> Flow:
    return Flow(
        calls=len(outcome.answers),
        accepted=len(answers_202(outcome.answers)),
        shown=_told(outcome, "GET /orders/{order_id}"),
        paid=_told(outcome, "POST /payments"),
        past_the_api=len(outcome.traffic.past_the_api),
        cap=outcome.cap,
        fulfilled=len(outcome.final.orders),
        dead_lettered=len(outcome.drained.dead_letters),
        redriven=len(outcome.redriven),
        topic=TopicFlow(told=len(outcome.placed.answers), ended=len(outcome.placed.rows)),
        book=BookFlow(
            commands=sum(answer.call.method == "POST" for answer in outcome.book.answers),
            changes=len(outcome.book.entries),
            pages=sum(answer.call.method == "GET" and answer.ok for answer in outcome.book.answers),
            rows=len(outcome.book.rows),
        ),
    )


def _told(outcome: Outcome, route: str) -> int:
    return sum(answer.ok for answer in outcome.answers if answer.call.route == route)


def _tiles(outcome: Outcome) -> list[shown.Tile]:
    peak = timeline.peak(timeline.in_flight(outcome.invocations))
    strikes = sum(fault.fired for fault in outcome.faults)
    start, end = outcome.phases["send"]
    times = [1000 * answer.seconds for answer in outcome.answers]
    return [
        (f"{len(outcome.answers):,}", "calls to the API", f"95% answered in {percentile(times, 95):,.0f}\u00a0ms"),
        (f"{len(outcome.sent):,}", "messages queued", f"in {end - start:.1f}\u00a0s"),
        (f"{len(outcome.final.orders):,}", "orders fulfilled", f"once each; {_typical_wait(outcome)}"),
        (f"{peak:g} of {outcome.cap}", "invocations at once", f"at most; {len(outcome.invocations):,} in all"),
        (f"{strikes:,}", "faults injected", f"of {len(outcome.faults)} kinds"),
        (f"{len(outcome.drained.dead_letters):,}", "dead letters", f"{len(outcome.redriven)} came back by redrive"),
        saga_report.tile(outcome.checkouts),
        placed_report.tile(outcome.placed),
        book_report.tile(outcome.book),
        *([move_report.tile(outcome.move)] if outcome.move else []),
    ]


def _typical_wait(outcome: Outcome) -> str:
    waits = sorted(at - outcome.sent_at[message] for message, at in outcome.settled_at.items())
    return f"95% in {waits[int(0.95 * (len(waits) - 1))]:.0f}\u00a0s" if waits else "none timed"


def _fault_rows(outcome: Outcome) -> str:
    return "".join(
        row(
            element("span", str(number), class_="flag"),
            element("b", escape(fault.name)) + "<br>" + element("small", escape(fault.how)),
            fault.fired,
            escape(fault.evidence),
        )
        for number, fault in enumerate(outcome.faults, 1)
    )


def _letter_rows(outcome: Outcome) -> str:
    """Dead letters by error type and reason, product numbers and positions folded together."""
    first = Counter(map(_kind, outcome.drained.dead_letters))
    left = Counter(map(_kind, outcome.final.dead_letters))
    most = max(first.values(), default=1)
    return "".join(
        row(
            escape(reason) + "<br>" + element("small", escape(error_type)),
            _bar("bar back", (count - left[error_type, reason]) / most) + _bar("bar", left[error_type, reason] / most),
            count,
            left[error_type, reason],
        )
        for (error_type, reason), count in first.most_common()
    )


def _kind(letter: DeadLetter) -> tuple[str, str]:
    reason = letter.reason.partition(":")[0] if letter.reason.startswith("out of stock") else letter.reason
    return letter.error_type, reason.partition(" at character")[0]


def _bar(kind: str, share: float) -> str:
    return element("i", class_=kind, style=f"width:{100 * share:.1f}%")
