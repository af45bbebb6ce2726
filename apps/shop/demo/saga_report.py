"""The page's section on the checkouts: which way each went, and what befell them."""

from collections import Counter
from html import escape

from showing.markup import element

from demo.checkouts import Checkouts
from demo.saga_picture import picture
from demo.troubles import COLUMNS, COMPENSATED, ENDS, NONE, SUCCEEDED, TROUBLES, Trouble

TIMES = "\N{MULTIPLICATION SIGN}"


def saga(seen: Checkouts) -> str:
    """The picture."""
    resumed = Counter((seen.executions[id].status, seen.final(id)) for id in seen.resumed)
    return picture([*seen.executions.values()], COLUMNS, resumed)


def trouble_rows(seen: Checkouts) -> str:
    """One row for each kind of trouble: whom it befell, how often it struck, and how those checkouts ended."""
    return "".join(_row(seen, trouble) for trouble in (NONE, *TROUBLES))


def tile(seen: Checkouts) -> tuple[str, str, str]:
    """Figure, name, and a few words."""
    undone, parked = len(seen.of_status(COMPENSATED)), sum(len(seen.of_status(status)) for status in ENDS[2:])
    return f"{len(seen.executions):,}", "checkouts", f"{undone} undone, {parked} parked, {len(seen.resumed)} resumed"


def _row(seen: Checkouts, trouble: Trouble) -> str:
    befallen = [one.checkout_id for one in seen.shoppers if one.trouble is trouble]
    ends = Counter(seen.executions[id].status for id in befallen if id in seen.executions)
    struck = sum(each.fired for each in seen.struck if each.trouble is trouble)
    return element(
        "tr",
        element("td", escape(trouble.step)),
        element("td", escape(trouble.name)),
        element("td", f"{len(befallen):,}", class_="figure"),
        element("td", f"{struck:,}" if trouble.breaks else "", class_="figure"),
        element("td", " ".join(_chip(status, count) for status, count in ends.items())),
    )


def _chip(status: str, count: int) -> str:
    kind = {SUCCEEDED: "good", COMPENSATED: "refused"}.get(status, "bad")
    return element("span", element("b", escape(status)), f" {TIMES} {count:,}", class_=f"chip {kind}")
