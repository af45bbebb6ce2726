"""A handler's own libraries: installed for the function's platform, without Docker, from a file that locks hashes."""

from __future__ import annotations

import re
from pathlib import Path

from ._checks import Problems


def check_requirements(file: Path | None, problems: Problems) -> None:
    """Refuse a file that does not say exactly what is installed."""
    if file is None:
        return
    fix = "make it with: uv pip compile --generate-hashes requirements.in -o requirements.txt"
    if not file.is_file():
        problems.add("requirements", "be an existing file", str(file), fix)
