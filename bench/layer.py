"""The layer that functions get: its size, and the zip of this interpreter's Python."""

import io
import sys
import zipfile
from pathlib import Path

from bench.figure import Figure
from bench.peers import ROOT, powertools_folder

__all__ = ["layer_zip"]

NAMES = ("layer_bytes",)


def figures() -> list[Figure]:
    size = layer_zip().stat().st_size
    peer = _zipped_bytes(powertools_folder())
    figure = Figure(
        name=NAMES[0],
        value=size,
        unit="bytes",
        peer=peer,
        better="lower",
        goal=1_500_000,
        measured=f"Python 3.{sys.version_info.minor}; peer: Powertools as pip installs it, zipped with its bytecode",
    )
    return [figure]


def layer_zip() -> Path:
    """The layer whose bytecode this interpreter can run."""
    archive = ROOT / f"constructs/serverless_patterns/_layers/layer-python3.{sys.version_info.minor}.zip"
    if not archive.is_file():
        raise FileNotFoundError(f"no {archive.name}: run `make setup`")
    return archive


def _zipped_bytes(folder: Path) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return len(buffer.getvalue())
