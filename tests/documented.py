"""Python blocks of a page: files, and code that runs."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
_FILE_NAME = re.compile(r"# (?P<name>[\w/.-]+\.\w+)\n")


def write_files(page: Path, folder: Path) -> None:
    """Write every block whose first line is a comment with a file's name: `# handlers/orders.py`."""
    for code, name in _blocks(page):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(code)


def code(page: Path) -> list[str]:
    """Every other block, with as many empty lines before it as put its errors on the page's own line."""
    return [code for code, name in _blocks(page) if not name]


def examples(page: Path) -> list[str]:
    """What the tables of arguments show in their column `example`."""
    rows = [[cell.strip() for cell in _CELL.split(line)[1:-1]] for line in page.read_text().splitlines()]
    found, at = list[str](), None
    for row in rows:
        if not row or "example" in row:
            at = row.index("example") if row else None
        elif at is not None:
            found += [row[at].strip("`")] if row[at].startswith("`") else []
    return found


def _blocks(page: Path) -> Iterator[tuple[str, str | None]]:
    text = page.read_text()
    for block in _BLOCK.finditer(text):
        name = _FILE_NAME.match(block["code"])
        if name:
            yield block["code"], name["name"]
        else:
            yield "\n" * text.count("\n", 0, block.start("code")) + block["code"], None
