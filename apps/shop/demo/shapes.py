"""What the pictures of the shop's architecture are drawn with, as inline SVG."""

from collections.abc import Sequence

from showing.markup import element, text

ARROW_HEAD = element(
    "defs",
    element(
        "marker",
        element("path", class_="tip", d="M0 0 8 4 0 8z"),
        id="tip",
        viewBox="0 0 8 8",
        refX=7,
        refY=4,
        markerWidth=7,
        markerHeight=7,
        orient="auto",
    ),
)


def box(x: int, y: int, width: int, height: int, name: str, note: str, kind: str) -> list[str]:
    """`kind`: class of the page's style."""
    middle = x + width // 2
    named = [frame(x, y, width, height, kind), text(middle, y + 24, name, "name", "middle")]
    return [*named, text(middle, y + 43, note, "note", "middle")] if note else named


def code(x: int, y: int, width: int, name: str) -> list[str]:
    """What the shop brings, in a box of the library's."""
    drawn = element("rect", class_="code", x=x, y=y, width=width, height=26, rx=5)
    return [drawn, text(x + width // 2, y + 17, name, "code-name", "middle")]


def function(x: int, y: int, route: str, name: str) -> list[str]:
    return [*box(x, y, 176, 70, route, "", "consumer"), *code(x + 12, y + 34, 152, name)]


def table(x: int, y: int, name: str, note: str, kind: str) -> list[str]:
    shown = text(x + 12, y + 23, name, "name")
    return [frame(x, y, 174, 36, kind), shown, text(x + 164, y + 23, note, "note small", "end")]


def transaction(y: int, tables: Sequence[tuple[str, str, str]]) -> list[str]:
    """By name, note and kind."""
    return [
        element("rect", class_="transaction", x=752, y=y, width=214, height=40 + 44 * len(tables), rx=12),
        text(859, y + 20, "one transaction, or nothing", "note", "middle"),
        *[part for number, one in enumerate(tables) for part in table(772, y + 32 + 44 * number, *one)],
    ]


def border(height: int, name: str) -> list[str]:
    """Of a construct."""
    drawn = element("rect", class_="border", x=196, y=14, width=790, height=height, rx=14)
    return [drawn, text(970, 36, name, "border-name", "end")]


def frame(x: int, y: int, width: int, height: int, kind: str) -> str:
    return element("rect", class_=f"box {kind}", x=x, y=y, width=width, height=height, rx=9)


def arrow(
    path: str, label: str = "", x: int = 0, y: int = 0, *, anchor: str = "middle", kind: str = "arrow"
) -> list[str]:
    drawn = element("path", class_=kind, d=path, marker_end="url(#tip)")
    return [drawn, text(x, y, label, "flow", anchor)] if label else [drawn]
