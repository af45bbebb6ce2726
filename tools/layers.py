"""Builds the Lambda layers that travel inside the wheel: `python tools/layers.py`, or hatchling by `hatch_build.py`.

One zip per CPython that this machine can run, with source and bytecode, and one with source only for all others.
The bytecode is of the unchecked-hash kind: Lambda's disk is read-only and the CDK stamps zip entries 1980-01-01, so
ordinary bytecode would be stale and every cold start would compile anew. Same input, same bytes, in any folder.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import re
import tomllib
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path

import interpreters

RUNTIME = Path("lambda_src/serverless_patterns_runtime")
LAYERS = Path("constructs/serverless_patterns/_layers")
OURS = f"python/{RUNTIME.name}/"
LIBRARIES = ("aws-lambda-powertools", "jmespath", "typing-extensions")
# Three quarters of the size, and nothing that stays needs them: what the patterns do themselves (routes, batches,
# idempotency, a breaker, the events of triggers), and what works only with libraries that the layer does not hold.
LEFT_OUT = tuple(
    f"aws_lambda_powertools/{part}/"
    for part in (
        "event_handler",
        "utilities/auth_alpha",
        "utilities/batch",
        "utilities/circuit_breaker",
        "utilities/data_classes",
        "utilities/data_masking",
        "utilities/feature_flags",
        "utilities/idempotency",
        "utilities/kafka",
        "utilities/parser",
        "utilities/streaming",
        "utilities/validation",
    )
)
# Source without bytecode, for the size's sake: who imports it all the same pays at a cold start.
SOURCE_ONLY = (
    *(
        f"python/aws_lambda_powertools/{part}"
        for part in (
            # They work only with Datadog's library.
            "logging/formatters/datadog.",
            "metrics/provider/datadog/",
        )
    ),
    # For unit tests: no function runs it.
    *(
        f"python/serverless_patterns_runtime/{module}."
        for module in (
            "api_proxy/fake_route",
            "condition_truth",
            "cqrs_queries/given_views",
            "cqrs_table/decided",
            "cqrs_views/projected",
            "testing",
            "update_result",
        )
    ),
    # For those few whose views are in OpenSearch; nobody waits for their projectors.
    "python/serverless_patterns_runtime/cqrs_open_search/",
)


def build(root: Path) -> list[Path]:
    """Write all layers and their manifest below `root`; return the zips."""
    manifest: dict[str, object] = {"inputs": inputs(root), "libraries": pins(root)}
    source = layer_source(root)
    found = interpreters.find_interpreters()
    contents = {"layer-source.zip": source}
    for minor, compiled in interpreters.bytecode(found, source).items():
        worth = {n: data for n, data in compiled.items() if not n.replace("__pycache__/", "").startswith(SOURCE_ONLY)}
        contents[f"layer-python3.{minor}.zip"] = _sourceless(source | worth)
    folder = root / LAYERS
    folder.mkdir(parents=True, exist_ok=True)
    for stale in set(folder.glob("layer-*.zip")) - {folder / name for name in contents}:
        stale.unlink()
    for name, files in contents.items():
        with _replacing(folder / name) as draft:
            write_zip(draft, files)
    manifest["interpreters"] = {f"3.{i.minor}": f"3.{i.minor}.{i.micro}" for i in found}
    with _replacing(folder / "manifest.json") as draft:
        draft.write_text(json.dumps(manifest, indent=2) + "\n")
    return [folder / name for name in contents]


def _sourceless(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the source of others' modules that have bytecode, which then has the source's place and name."""
    kept = dict(files)
    for name in files:
        module = re.fullmatch(r"(.*?)__pycache__/(.+)\.cpython-3\d+\.pyc", name)
        if module and not name.startswith(OURS):
            del kept[f"{module[1]}{module[2]}.py"]
            kept[f"{module[1]}{module[2]}.pyc"] = kept.pop(name)
    return kept


def is_current(root: Path) -> bool:
    """Whether the layers below `root` were built from what is there now."""
    try:
        manifest = json.loads((root / LAYERS / "manifest.json").read_text())
    except (OSError, ValueError):
        return False
    layers = ["layer-source.zip", *(f"layer-python{minor}.zip" for minor in manifest["interpreters"])]
    return manifest["inputs"] == inputs(root) and all((root / LAYERS / layer).is_file() for layer in layers)


def inputs(root: Path) -> str:
    """Hash of all that a layer is made from, the interpreters aside."""
    digest = hashlib.sha256(repr(pins(root)).encode())
    for tool in (__file__, interpreters.__file__):
        digest.update(Path(tool).read_bytes())
    for name, data in sorted(runtime_source(root).items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def pins(root: Path) -> dict[str, str]:
    """The libraries' versions as the build requirements of pyproject.toml pin them."""
    requires: list[str] = tomllib.loads((root / "pyproject.toml").read_text())["build-system"]["requires"]
    pinned = dict(requirement.split("==") for requirement in requires if "==" in requirement)
    return {name: pinned[name] for name in LIBRARIES}


def layer_source(root: Path) -> dict[str, bytes]:
    """Every file of the source-only layer: path in the zip, content."""
    files = {"licenses/cdk-serverless-patterns/LICENSE": (root / "LICENSE").read_bytes()} | runtime_source(root)
    for name, version in pins(root).items():
        files |= dict(_library(name, version))
    return files


def runtime_source(root: Path) -> dict[str, bytes]:
    """Our own part of the layer: path in the zip, content."""
    return {
        f"python/{path.relative_to(root / RUNTIME.parent).as_posix()}": path.read_bytes()
        for path in (root / RUNTIME).rglob("*")
        if path.suffix in (".py", ".typed", ".json")
    }


def _library(name: str, version: str) -> Iterator[tuple[str, bytes]]:
    distribution = importlib.metadata.distribution(name)
    if distribution.version != version:
        raise RuntimeError(
            f"{name} {distribution.version} is installed, but the build requirements in pyproject.toml pin {version}: "
            "make these and requirements-dev.lock say the same, then run `make setup`"
        )
    for file in distribution.files or ():
        path = file.as_posix()
        if ".dist-info/" in path:
            if file.name.startswith("LICENSE"):
                yield f"licenses/{name}/{file.name}", file.read_binary()
        elif not path.startswith(("..", *LEFT_OUT)) and file.suffix != ".pyc":
            yield f"python/{path}", file.read_binary()


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """A zip whose bytes depend on nothing but `files`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)


@contextlib.contextmanager
def _replacing(path: Path) -> Generator[Path]:
    """Write beside, then swap: a reader sees the old file or the new one, never half of one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    yield draft
    draft.replace(path)


def main(root: Path) -> None:
    """Bring the layers up to date, and say so only when there was something to do."""
    if is_current(root):
        return
    for path in build(root):
        print(f"layer {path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
