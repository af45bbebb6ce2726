"""A function's code asset: the user's folder, and the libraries that its requirements file locks."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling, Stack, Validations
from aws_cdk import aws_lambda as lambda_

from ._requirements import Target, brings, fingerprint, installed
from ._runtime import python_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs import Construct

    from .handler import Handler

_LOCAL_CONTEXT = "serverless-patterns:local"
# Whatever running or testing the code leaves behind: it would move the asset's hash, and with it every deployment.
_LEFT_BEHIND = ("__pycache__", "*.pyc", ".*_cache", ".DS_Store")


def runs_here(scope: Construct) -> bool:
    """Whether functions run on this machine's Python: `serverless_patterns.testing` says so by context."""
    return str(scope.node.try_get_context(_LOCAL_CONTEXT)).lower() == "true"


def running_python(scope: Construct, handler: Handler) -> str:
    """The Python that really runs the function, such as `3.14`."""
    if runs_here(scope):
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    return python_version(handler.runtime)


def function_code(scope: Construct, handler: Handler, beside: Mapping[str, str]) -> lambda_.Code:
    """The code asset. Its hash depends on content only: the same source gives the same template anywhere.

    Args:
        scope: Somewhere in the stack.
        handler: What the user wants to run.
        beside: Texts by file name that the pattern puts beside the user's code.
    """
    if handler.requirements is None and not beside:
        return lambda_.Code.from_asset(str(handler.code), exclude=[f"**/{name}" for name in _LEFT_BEHIND])
    libraries, packages = _libraries(scope, handler, handler.requirements) if handler.requirements else ("", None)
    bundling = cast(ILocalBundling, _Copy(handler.code, packages, beside))
    return lambda_.Code.from_asset(
        str(handler.code),
        asset_hash=_content_hash(handler.code, libraries, beside),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(image=DockerImage.from_registry("never-used"), local=bundling),
    )


def _libraries(scope: Construct, handler: Handler, requirements: Path) -> tuple[str, Path | None]:
    """What names the libraries of a requirements file, and the folder with them."""
    if brings(requirements, "aws-lambda-powertools"):
        Validations.of(scope).add_warning(
            "serverless-patterns:own-powertools",
            f"{requirements} brings its own aws-lambda-powertools, which hides the one that these patterns are "
            "tested with: take it out unless you need another version, or a part that the layer leaves out",
        )
    target = _target(scope, handler)
    packages = None
    if Stack.of(scope).bundling_required:  # `cdk list` and `cdk destroy` need no libraries
        packages = installed(requirements, target, f"{scope.node.path}: {handler}")
    return fingerprint(requirements, target), packages


@jsii.implements(ILocalBundling)
class _Copy:
    """Puts the libraries, the user's code and the pattern's files into one folder: no Docker, no build."""

    def __init__(self, code: Path, packages: Path | None, beside: Mapping[str, str]) -> None:
        self._folders = [folder for folder in (packages, code) if folder is not None]  # the user's files win
        self._beside = beside

    def try_bundle(self, output_dir: str, options: Any) -> bool:
        del options
        for folder in self._folders:
            shutil.copytree(folder, output_dir, ignore=shutil.ignore_patterns(*_LEFT_BEHIND), dirs_exist_ok=True)
        for name, text in self._beside.items():
            Path(output_dir, name).write_text(text, encoding="utf-8", newline="\n")
        return True


def _target(scope: Construct, handler: Handler) -> Target:
    if runs_here(scope):
        return Target(platform.python_version(), "")
    return Target(python_version(handler.runtime), {"arm64": "aarch64"}.get(handler.architecture.name, "x86_64"))


def _content_hash(code: Path, libraries: str, beside: Mapping[str, str]) -> str:
    digest = hashlib.sha256(libraries.encode())
    contents = [(name, file.read_bytes()) for name, file in sorted(_files(code))]
    for name, content in [*contents, *((name, text.encode()) for name, text in sorted(beside.items()))]:
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _files(code: Path) -> Iterator[tuple[str, Path]]:
    """What is copied: through symbolic links too."""
    for folder, _, names in os.walk(code, followlinks=True):
        for file in (Path(folder, name) for name in names):
            parts = file.relative_to(code).parts
            if not any(fnmatch(part, pattern) for part in parts for pattern in _LEFT_BEHIND):
                yield "/".join(parts), file
