"""The tests that `docs/testing.md` shows pass, in a project that consists of that page's files."""

import subprocess
import sys
from pathlib import Path

from tests.documented import ROOT, write_files


def test_the_documented_tests_pass(tmp_path: Path) -> None:
    write_files(ROOT / "docs/testing.md", tmp_path)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
