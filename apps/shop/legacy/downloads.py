"""Files to download: every byte there is, and a list of prices. With a tag, and in parts if somebody asks for one."""

import functools
import hashlib
import re
from collections.abc import Mapping

from legacy.answer import Answer, Asked
from legacy.stocklist import products

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@functools.cache
def files() -> Mapping[str, tuple[str, bytes]]:
    """Type and content by name."""
    lines = [f"{one['product_id']};{one['name']};{one['price_cents'] / 100:.2f}\r\n" for one in products()]
    return {
        "every-byte.bin": ("application/octet-stream", bytes(range(256)) * 40),
        "prices.csv": ("text/csv; charset=iso-8859-15", "".join(lines).encode("iso-8859-15", "replace")),
    }


def download(asked: Asked, name: str) -> Answer | None:
    """None: no such file."""
    if name not in files():
        return None
    kind, content = files()[name]
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = [
        ("Content-Type", kind),
        ("Content-Disposition", f'attachment; filename="{name}"'),
        ("ETag", tag),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "private, max-age=60"),
    ]
    if tag in asked.header("If-None-Match"):
        return Answer(304, headers[2:])
    span = _span(asked.header("Range"), len(content))
    if span is None:
        return Answer(200, headers, content)
    first, last = span
    if first > last:
        return Answer(416, [("Content-Range", f"bytes */{len(content)}")])
    headers.append(("Content-Range", f"bytes {first}-{last}/{len(content)}"))
    return Answer(206, headers, content[first : last + 1])


def _span(asked_for: str, length: int) -> tuple[int, int] | None:
    """First and last byte; the first after the last for what is not there. None: all, as for what we do not read."""
    asked = _ONE_RANGE.fullmatch(asked_for.strip())
    if not asked or asked_for.strip() == "bytes=-":
        return None
    first, last = asked.groups()
    if not first:
        return (max(0, length - int(last)), length - 1) if int(last) else (1, 0)
    end = min(int(last), length - 1) if last else length - 1
    return (int(first), end) if int(first) < length else (1, 0)
