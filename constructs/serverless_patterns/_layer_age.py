"""A guard for checkouts: a layer built before the runtime's last edit is neither tested nor deployed."""

import zipfile
import zlib
from functools import cache
from pathlib import Path

import serverless_patterns_runtime

_SUFFIXES = (".py", ".typed", ".json")  # bytecode says nothing that its source does not


@cache
def check_current(archive: Path) -> None:
    """Refuse a layer that is not there, or holds another runtime than the one this process imports.

    Raises:
        RuntimeError: says what to run.
    """
    source = Path(serverless_patterns_runtime.__file__).parent
    here = {
        f"python/{path.relative_to(source.parent).as_posix()}": zlib.crc32(path.read_bytes())
        for path in source.rglob("*")
        if path.suffix in _SUFFIXES
    }
    if not archive.is_file() or _packed(archive, f"python/{source.name}/") != here:
        raise RuntimeError(
            f"{archive} does not hold the runtime that is in {source}: run `make setup` in the checkout of "
            "serverless_patterns, or install cdk-serverless-patterns anew"
        )


def _packed(archive: Path, folder: str) -> dict[str, int]:
    with zipfile.ZipFile(archive) as layer:
        entries = [entry for entry in layer.infolist() if entry.filename.startswith(folder)]
    return {entry.filename: entry.CRC for entry in entries if entry.filename.endswith(_SUFFIXES)}
