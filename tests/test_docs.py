"""Every Python example in the README and in `docs/` runs, top to bottom, in an empty folder.

A block whose first line is a comment with a file's name (`# handlers/orders.py`) becomes that file; every other one is
executed, and sees what the blocks above it defined.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"# (?P<name>[\w/.-]+\.\w+)\n")
_LINK = re.compile(r"\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")


def blocks(page: Path) -> list[re.Match[str]]:
    return list(_BLOCK.finditer(page.read_text()))


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page: Path, empty_folder: Path) -> None:
    text = page.read_text()
    namespace = {"__name__": "example", "__file__": str(empty_folder / "app.py")}
    for block in blocks(page):
        code = block["code"]
        if name := _FILE_NAME.match(code):
            target = empty_folder / name["name"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(code)
            continue
        line = text.count("\n", 0, block.start("code"))
        exec(compile("\n" * line + code, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    broken = [
        link["target"] for link in _LINK.finditer(page.read_text()) if not (page.parent / link["target"]).exists()
    ]
    assert not broken, f"{page.name} links to what does not exist: {broken}"
