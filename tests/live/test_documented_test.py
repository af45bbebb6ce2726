"""The test that `docs/testing.md` shows passes, in a project that consists of that page's files."""

import subprocess
import sys
from pathlib import Path

from tests.documented import ROOT, write_files


def test_the_documented_test_passes(tmp_path: Path) -> None:
    write_files(ROOT / "docs/testing.md", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_shop.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
