"""For all tests: the layer that they look at, deploy and run is built from the source that they import."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def pytest_configure() -> None:
    subprocess.run([sys.executable, ROOT / "tools/layers.py"], check=True)
