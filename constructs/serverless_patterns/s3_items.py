"""`S3Items`: items of a `ParallelMap` that are in an object in S3."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aws_cdk import aws_s3 as s3

__all__ = ["S3Items"]

Format = Literal["json", "jsonl"]
FORMATS: tuple[Format, ...] = ("json", "jsonl")


@dataclass(frozen=True, eq=False)
class S3Items:
    """Items in an object, which the execution's input names. A description.

    ```python
    S3Items(bucket, "$.manifest", prefix="manifests/")
    ```

    Nobody may write the object again while its execution runs: it is read twice.

    Args:
        bucket: Where it is.
        key: Path of the object's key in the input.
        format: `json`, a list; or `jsonl`, a value a line.
        prefix: With which all keys begin: the functions may read nothing else.
    """

    bucket: s3.IBucket
    key: str = "$.key"
    _: KW_ONLY
    format: Format = "json"
    prefix: str = ""
