"""S3 in memory: objects of some buckets."""

import io
from collections.abc import Iterable
from typing import Any

from .aws_errors import ServiceError

__all__ = ["S3"]


class S3:
    def __init__(self, buckets: Iterable[str]) -> None:
        self.objects: dict[str, dict[str, bytes]] = {bucket: {} for bucket in buckets}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str = "") -> dict[str, Any]:  # noqa: ARG002
        self._bucket(Bucket)[Key] = Body
        return {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        objects = self._bucket(Bucket)
        if Key not in objects:
            raise ServiceError("NoSuchKey", "The specified key does not exist.", 404)
        content = objects[Key]
        return {"Body": io.BytesIO(content), "ContentLength": len(content)}

    def delete_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self._bucket(Bucket).pop(Key, None)
        return {}

    def _bucket(self, name: str) -> dict[str, bytes]:
        if name not in self.objects:
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404)
        return self.objects[name]
