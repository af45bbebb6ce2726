"""A guard for checkouts: a layer built before the runtime's last edit is neither tested nor deployed."""

import zipfile
import zlib
from functools import cache
from pathlib import Path

import serverless_patterns_runtime


@cache
def check_current(archive: Path) -> None:
    """Refuse a layer that holds another runtime than the one this process imports.

    Raises:
        RuntimeError: The two differ; says what to run.
    """
    source = Path(serverless_patterns_runtime.__file__).parent
    with zipfile.ZipFile(archive) as layer:
        packed = {entry.filename: entry.CRC for entry in layer.infolist() if entry.filename.endswith(".py")}
    ours = {name: checksum for name, checksum in packed.items() if name.startswith(f"python/{source.name}/")}
    here = {
        f"python/{path.relative_to(source.parent).as_posix()}": zlib.crc32(path.read_bytes())
        for path in source.rglob("*.py")
    }
    if ours != here:
        raise RuntimeError(
            f"{archive} was built from another version of {source}: "
            "run `python tools/layers.py` in the checkout, or install cdk-serverless-patterns anew"
        )
