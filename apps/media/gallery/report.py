"""The page of the media app's demo: a contact sheet, how each function kept up, and what became of broken files."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from showing import page as shown
from showing.charts import Axis, Series, Span, chart
from showing.check import Check
from showing.markup import element
from showing.page import heads, row
from showing.timeline import Point

from gallery.outcome import BRANCHES, METADATA, SCAN, THUMBNAIL, Gallery

COLOURS = {THUMBNAIL: "waiting", METADATA: "received", SCAN: "running"}
CHIPS = {"CATALOGUED": "good", "QUARANTINED": "bad", "UNREADABLE": "refused", "INCOMPLETE": "refused"}
ENDED = "in the catalogue"
SHEET = (
    "Every upload has one card, which is its row in the catalogue. Thumbnail, Metadata and Scan look at it beside each"
    " other; the row is written when all of them are done, or at the deadline with what is missing by name. What may be"
    " harmful is not shown."
)
STOOD = (
    "Each function has a queue of its own. Then Scan stands still: the others do not notice, and at the deadline the"
    " uploads go on without it. What it does later is done, and no longer counts."
)


def page(seen: Gallery, checks: Sequence[Check], about: str) -> str:
    """`about` says in a line what ran, where and when."""
    pace = Pace(seen)
    body = "".join([_sheet(seen), _pace(seen, pace), _dead_letters(seen)])
    return shown.page("Media demo", about, _tiles(seen), body, checks, {"media": pace.figures()})


class Pace:
    """All times are seconds since the first upload."""

    def __init__(self, seen: Gallery) -> None:
        self._seen = seen
        self._zero = min(begin for begin, _ in seen.phases.values())
        ends = sorted(line.at for line in seen.completions.handled if line.outcome == "Succeeded")
        self._done = {name: self._steps(seen.done(name)) for name in BRANCHES} | {ENDED: self._steps(ends)}

    def chart(self) -> str:
        series = [Series(name, self._done[name], COLOURS[name]) for name in BRANCHES]
        ended = Series(ENDED, self._done[ENDED], "age")
        return chart("Uploads done, by function", [ended, *series], self._axis(), height=230)

    def figures(self) -> dict[str, Any]:
        """What the page shows beside the cursor."""
        return {"until": self._axis().until, "charts": [self._done]}

    def _axis(self) -> Axis:
        spans = [Span(begin - self._zero, end - self._zero, name) for name, (begin, end) in self._seen.phases.items()]
        return Axis(until=max(span.end for span in spans), spans=spans)

    def _steps(self, times: Sequence[float]) -> list[Point]:
        counted = [(round(at - self._zero, 2), float(number)) for number, at in enumerate(times, 1)]
        return [(0.0, 0.0), *counted, (round(self._axis().until, 2), float(len(times)))]


def _tiles(seen: Gallery) -> list[shown.Tile]:
    statuses = Counter(row["status"] for row in seen.rows.values())
    named = sum(bool(row["missing"]) for row in seen.rows.values())
    return [
        (f"{len(seen.uploads)}", "uploads", f"{len(seen.rows)} rows in the catalogue"),
        (f"{statuses['CATALOGUED']}", "catalogued", "with thumbnail, facts and scan"),
        (f"{statuses['QUARANTINED']}", "in quarantine", "found by their signatures"),
        (f"{statuses['UNREADABLE']}", "unreadable", "empty, cut off, no image, a bomb"),
        (f"{named}", "ended at the deadline", "with what is missing by name"),
        (f"{seen.late}", "late results", "done, and refused"),
    ]


def _sheet(seen: Gallery) -> str:
    cards = [_card(seen, seen.rows[upload.image]) for upload in seen.uploads if upload.image in seen.rows]
    sheet = element("div", *cards, class_="sheet")
    return element("section", element("h2", "Contact sheet"), element("p", escape(SHEET)), sheet)


def _card(seen: Gallery, of: Mapping[str, Any]) -> str:
    name = str(of["image"]).rpartition("/")[2]
    content = seen.thumbnails.get(of.get("thumbnail", ""))
    facts = [f"{of['width']} \N{MULTIPLICATION SIGN} {of['height']} {of['format']}"] if "width" in of else []
    facts += ["not what its name says"] if of.get("misnamed") else []
    facts += [str(of["problem"])] if "problem" in of else []
    facts += [f"found: {', '.join(of['findings'])}"] if of["findings"] else []
    facts += [f"missing: {', '.join(of['missing'])}"] if of["missing"] else []
    unmade = f"thumbnails/{of['image']}.jpg" not in seen.thumbnails
    chip = element("span", element("b", escape(of["status"])), class_=f"chip {CHIPS[of['status']]}")
    return element(
        "figure",
        _picture(content, name) if content else element("div", "no thumbnail" if unmade else "not shown"),
        element("figcaption", element("b", escape(name)), chip, *[element("small", escape(fact)) for fact in facts]),
    )


def _picture(content: bytes, name: str) -> str:
    data = base64.b64encode(content).decode()
    return f'<img alt="{escape(name)}" src="data:image/jpeg;base64,{data}">'


def _pace(seen: Gallery, pace: Pace) -> str:
    rows = [
        row(escape(name), len(seen.done(name)), len(seen.buried(name)), seen.branches[name].undelivered)
        for name in BRANCHES
    ]
    head = heads("Function", "Processed", "Dead letters", "Not delivered", figures=[1, 2, 3])
    struck = [row(f"<b>{escape(one.name)}</b><br><small>{escape(one.how)}</small>", one.fired) for one in seen.struck]
    return element(
        "section",
        element("h2", "How each function kept up"),
        element("p", escape(STOOD)),
        pace.chart(),
        element("table", head, element("tbody", *rows)),
        element("h3", "What was broken on purpose meanwhile"),
        element("table", heads("Broken on the wire", "Strikes", figures=[1]), element("tbody", *struck)),
        data_run="media",
    )


def _dead_letters(seen: Gallery) -> str:
    reasons = Counter(letter.reason for name in BRANCHES for letter in seen.branches[name].dead_letters)
    rows = [row(escape(reason), count) for reason, count in reasons.most_common()]
    table = element("table", heads("Reason", "Dead letters", figures=[1]), element("tbody", *rows))
    told = "Files that no thumbnail can be made of. The catalogue has them all the same, and says what is missing."
    return element("section", element("h2", "Dead letters by reason"), element("p", told), table)
