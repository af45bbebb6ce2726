"""The report of a run: one HTML page with everything in it, for people; and one JSON file, for machines."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from showing.check import Check
from showing.markup import element

_PAGE = Path(__file__).with_name("page.html")
Tile = tuple[str, str, str]
"""Figure, name, and a few words."""


def results(checks: Sequence[Check]) -> dict[str, Any]:
    """What `results.json` holds."""
    listed = [{"name": one.name, "ok": one.ok, "value": one.value, "expected": one.expected} for one in checks]
    return {"ok": all(one.ok for one in checks), "checks": listed}


def write(folder: Path, html: str, checks: Sequence[Check]) -> tuple[Path, Path]:
    """Write `report.html` and `results.json` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    page, machine = folder / "report.html", folder / "results.json"
    page.write_text(html, encoding="utf-8")
    machine.write_text(json.dumps(results(checks), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return page, machine


def page(
    title: str, about: str, tiles: Iterable[Tile], body: str, checks: Sequence[Check], runs: Mapping[str, Any]
) -> str:
    """The verdict, the tiles, the demo's own sections, the checks.

    Args:
        title: Of the demo.
        about: A line on what ran, where and when.
        tiles: Beside each other.
        body: Markup.
        checks: In the order in which a reader wants them.
        runs: What stands beside the cursor, by section (`data-run`): `until` in seconds, and for each of its `charts`
            points by name.
    """
    failed = [one for one in checks if not one.ok]
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        verdict=f"{len(failed)} of {len(checks)} checks failed" if failed else f"All {len(checks)} checks hold",
        verdict_class="bad" if failed else "good",
        about=escape(about),
        tiles="".join(map(_tile, tiles)),
        body=body,
        checks="".join(map(_check_row, checks)),
        data=json.dumps(runs).replace("<", "\\u003c"),
    )


def row(*cells: Any, figures: Sequence[int] = ()) -> str:
    """Cells that are text are markup already; numbers, and the cells in `figures`, are set as figures."""
    return element(
        "tr", *[_figure(c) if n in figures or not isinstance(c, str) else element("td", c) for n, c in enumerate(cells)]
    )


def heads(*names: str, figures: Sequence[int] = ()) -> str:
    """The head of a table."""
    cells = [element("th", escape(name), class_="figure" if n in figures else "") for n, name in enumerate(names)]
    return element("thead", element("tr", *cells))


def _tile(tile: Tile) -> str:
    value, name, note = tile
    return element("div", element("b", value), element("span", name), element("small", escape(note)), class_="tile")


def _check_row(one: Check) -> str:
    mark = element("span", "✓", class_="ok") if one.ok else element("span", "✗", class_="no")
    why = f"<br><small>{escape(one.why)}</small>" if one.why and not one.ok else ""
    return row(mark, escape(one.name) + why, one.value, one.expected, figures=(2, 3))


def _figure(value: Any) -> str:
    shown = f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else escape(str(value))
    return element("td", shown, class_="figure")
