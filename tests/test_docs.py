"""Every Python example in the README and in `docs/` runs, top to bottom, in an empty folder; every link leads on."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documented import PAGES, ROOT, code, write_files

SHOWN = ("handlers", "shop")
"""Modules and packages that the pages show."""

_LINK = re.compile(r"\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with nothing of the reference app in sight: it has `handlers` too."""
    monkeypatch.chdir(tmp_path)
    elsewhere = [entry for entry in sys.path if Path(entry) != ROOT / "apps/shop"]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *elsewhere])
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in SHOWN}
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in SHOWN]:
        del sys.modules[name]
    sys.modules.update(hidden)


@pytest.mark.parametrize("page", [page for page in PAGES if code(page)], ids=name_of)
def test_the_examples_of_a_page_run(page: Path, empty_folder: Path) -> None:
    write_files(page, empty_folder)
    namespace = {"__name__": "example", "__file__": str(empty_folder / "app.py")}
    for block in code(page):
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = _LINK.finditer(page.read_text())
    broken = [link["target"] for link in links if not (page.parent / link["target"]).exists()]
    assert not broken, f"{page.name} links to what does not exist: {broken}"
