"""The report of a run: one HTML page with everything in it, for people; and one JSON file, for machines."""

import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from demo import api_report, saga_report, timeline
from demo.api_checks import answers_202
from demo.api_figures import percentile
from demo.architecture import Flow, picture
from demo.check import Check
from demo.history import History
from demo.markup import element
from demo.move import report as move_report
from demo.outcome import DeadLetter, Outcome

_PAGE = Path(__file__).with_name("report.html")


def results(checks: Sequence[Check]) -> dict[str, Any]:
    """What `results.json` holds."""
    listed = [{"name": one.name, "ok": one.ok, "value": one.value, "expected": one.expected} for one in checks]
    return {"ok": all(one.ok for one in checks), "checks": listed}


def write(folder: Path, outcome: Outcome, checks: Sequence[Check], about: str) -> tuple[Path, Path]:
    """Write `report.html` and `results.json` into the folder; `about` says in a line what ran, where and when."""
    folder.mkdir(parents=True, exist_ok=True)
    html, machine = folder / "report.html", folder / "results.json"
    html.write_text(page(outcome, checks, about), encoding="utf-8")
    machine.write_text(json.dumps(results(checks), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return html, machine


def page(outcome: Outcome, checks: Sequence[Check], about: str) -> str:
    failed = [one for one in checks if not one.ok]
    verdict = f"{len(failed)} of {len(checks)} checks failed" if failed else f"All {len(checks)} checks hold"
    history = History(outcome)
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        verdict=verdict,
        verdict_class="bad" if failed else "good",
        about=escape(about),
        tiles=_tiles(outcome),
        routes=api_report.route_rows(outcome),
        refusals=api_report.refusal_rows(outcome),
        charts=history.charts(),
        architecture=picture(_flow(outcome)),
        saga=saga_report.saga(outcome.checkouts),
        troubles=saga_report.trouble_rows(outcome.checkouts),
        move=move_report.section(outcome.move) if outcome.move else "",
        faults=_fault_rows(outcome),
        letters=_letter_rows(outcome),
        checks="".join(map(_check_row, checks)),
        data=json.dumps(_figures(outcome, history)).replace("<", "\\u003c"),
    )


def _figures(outcome: Outcome, history: History) -> dict[str, Any]:
    """What stands beside the cursor, by section."""
    return {"day": history.figures()} | ({"move": move_report.Story(outcome.move).figures()} if outcome.move else {})


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
    )


def _told(outcome: Outcome, route: str) -> int:
    return sum(answer.ok for answer in outcome.answers if answer.call.route == route)


def _tiles(outcome: Outcome) -> str:
    peak = timeline.peak(timeline.in_flight(outcome.invocations))
    strikes = sum(fault.fired for fault in outcome.faults)
    start, end = outcome.phases["send"]
    times = [1000 * answer.seconds for answer in outcome.answers]
    tiles = [
        (f"{len(outcome.answers):,}", "calls to the API", f"95% answered in {percentile(times, 95):,.0f}\u00a0ms"),
        (f"{len(outcome.sent):,}", "messages queued", f"in {end - start:.1f}\u00a0s"),
        (f"{len(outcome.final.orders):,}", "orders fulfilled", f"once each; {_typical_wait(outcome)}"),
        (f"{peak:g} of {outcome.cap}", "invocations at once", f"at most; {len(outcome.invocations):,} in all"),
        (f"{strikes:,}", "faults injected", f"of {len(outcome.faults)} kinds"),
        (f"{len(outcome.drained.dead_letters):,}", "dead letters", f"{len(outcome.redriven)} came back by redrive"),
        saga_report.tile(outcome.checkouts),
        *([move_report.tile(outcome.move)] if outcome.move else []),
    ]
    return "".join(
        element("div", element("b", value), element("span", name), element("small", escape(note)), class_="tile")
        for value, name, note in tiles
    )


def _typical_wait(outcome: Outcome) -> str:
    waits = sorted(at - outcome.sent_at[message] for message, at in outcome.settled_at.items())
    return f"95% in {waits[int(0.95 * (len(waits) - 1))]:.0f}\u00a0s" if waits else "none timed"


def _fault_rows(outcome: Outcome) -> str:
    return "".join(
        _row(
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
        _row(
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


def _check_row(one: Check) -> str:
    mark = element("span", "✓", class_="ok") if one.ok else element("span", "✗", class_="no")
    return _row(mark, escape(one.name), one.value, one.expected, figures=(2, 3))


def _row(*cells: Any, figures: Sequence[int] = ()) -> str:
    """Cells that are text are markup already; numbers, and the cells in `figures`, are set as figures."""
    return element(
        "tr", *[_figure(c) if n in figures or not isinstance(c, str) else element("td", c) for n, c in enumerate(cells)]
    )


def _figure(value: Any) -> str:
    shown = f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else escape(str(value))
    return element("td", shown, class_="figure")
