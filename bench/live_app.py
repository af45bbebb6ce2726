"""A benchmark's own app on an embedded cloud of its own."""

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from serverless_patterns.testing import Deployment, EmbeddedCloud

if TYPE_CHECKING:
    from aws_cdk import App  # not at the top: the CDK is a second that other benchmarks need not wait

__all__ = ["deployed"]

Stack = TypeVar("Stack")


@contextmanager
def deployed(define: "Callable[[App, str], Stack]", id: str) -> Generator[tuple[EmbeddedCloud, Deployment, Stack]]:
    """In here it runs. `define`: the class of its stack."""
    with EmbeddedCloud.start(progress=print) as cloud, tempfile.TemporaryDirectory() as out:
        app = cloud.app(Path(out))
        stack = define(app, id)
        yield cloud, cloud.deploy(app, progress=print), stack
