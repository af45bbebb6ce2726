"""Elements of HTML and SVG as text, with everything escaped that comes from outside."""

from html import escape
from typing import Any


def element(name: str, *inside: str, **attributes: Any) -> str:
    """`inside` is markup already. Attributes are escaped; `class_` is `class`, and `text_anchor` is `text-anchor`."""
    written = "".join(f' {key.strip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inside)}</{name}>"


def text(x: float, y: float, content: str, kind: str, anchor: str = "start") -> str:
    """SVG text; `content` is plain."""
    return element("text", escape(content), class_=kind, x=x, y=y, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return element("line", class_=kind, x1=x1, y1=y1, x2=x2, y2=y2)


def _value(value: Any) -> str:
    return f"{value:.1f}" if isinstance(value, float) else escape(str(value))
