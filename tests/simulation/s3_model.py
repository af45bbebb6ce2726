"""S3 in memory: objects of some buckets."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from .aws_errors import ServiceError

__all__ = ["S3"]

PAGE = 3
"""Names of a listing; S3 has a thousand."""


class S3:
    def __init__(self, buckets: Iterable[str]) -> None:
        self.objects: dict[str, dict[str, bytes]] = {bucket: {} for bucket in buckets}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str = "") -> dict[str, Any]:  # noqa: ARG002
        self._bucket(Bucket)[Key] = Body
        return {}

    def delete_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """Of what is not there too."""
        self._bucket(Bucket).pop(Key, None)
        return {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        objects = self._bucket(Bucket)
        if Key not in objects:
            raise ServiceError("NoSuchKey", "The specified key does not exist.", 404)
        content = objects[Key]
        return {"Body": io.BytesIO(content), "ContentLength": len(content)}

    def list_objects_v2(
        self, *, Bucket: str, Prefix: str = "", StartAfter: str = "", ContinuationToken: str = ""
    ) -> dict[str, Any]:
        found = sorted(self._bucket(Bucket))
        names = [name for name in found if name.startswith(Prefix) and name > max(StartAfter, ContinuationToken)]
        page = names[:PAGE]
        more = {"NextContinuationToken": page[-1]} if len(page) < len(names) else {}
        contents = [{"Key": name, "LastModified": datetime.fromtimestamp(0, UTC)} for name in page]
        return {"Contents": contents, "IsTruncated": bool(more), **more}

    def _bucket(self, name: str) -> dict[str, bytes]:
        if name not in self.objects:
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404)
        return self.objects[name]
