"""What `docs/testing.md` shows works, in a project that consists of that page's files."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.documented import ROOT, write_files


def test_the_documented_tests_pass(tmp_path: Path) -> None:
    write_files(ROOT / "docs/testing.md", tmp_path)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_documented_stack_stays_up_until_it_is_stopped(tmp_path: Path) -> None:
    write_files(ROOT / "docs/testing.md", tmp_path)
    done = subprocess.run([sys.executable, "up.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    *_, curl, endpoint, stop = done.stdout.splitlines()
    ask = ["curl", "--silent", *shlex.split(curl)[1:]]
    try:
        answered = subprocess.run(ask, capture_output=True, text=True)
        assert answered.stdout == '{"order_id":"o-1"}', answered
        environment = os.environ | {"LIVE_ENDPOINT": endpoint.removeprefix("LIVE_ENDPOINT=").split()[0]}
        again = subprocess.run(
            [sys.executable, "again.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert again.returncode == 0, again.stdout + again.stderr
    finally:
        subprocess.run(["sh", "-c", stop], check=True)
    home = stop.rpartition("rm -rf ")[2]
    assert not Path(shlex.split(home)[0]).exists()
