"""What the same code prints in processes of another hash seed."""

import subprocess
import sys
from pathlib import Path

__all__ = ["printed_by"]

ROOT = Path(__file__).parents[2]


def printed_by(code: str) -> set[str]:
    """One text if nothing hangs on the seed. The runtime is this checkout's, whatever else is installed."""
    path = f"{ROOT}:{ROOT / 'lambda_src'}"
    return {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": number, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    }
