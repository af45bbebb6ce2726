"""Results of branches: in the head while they are small, else in S3 under their own digest."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from serverless_patterns_runtime.business_function.json_text import json_text
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_in.contract import KeptResult

__all__ = ["ResultGone", "Results"]


class ResultGone(PermanentError):
    """A result that was kept in S3 is not there any more, or is another."""


class Results(NamedTuple):
    s3: Callable[[], Any]
    """The client, when it is needed: most results are small."""
    bucket: str
    namespace: str

    def keep(self, key: str, branch: str, result: Any, most_bytes: int) -> str:
        """JSON of the `KeptResult`. In S3 before anybody hears of it; there the same result has the same object.

        Raises UnusableResult for what has no JSON, ClientError and BotoCoreError.
        """
        text = json_text(result)
        kept = f'{{"value":{text}}}'
        content = text.encode()
        if len(kept) <= most_bytes and len(content) + len(kept) - len(text) <= most_bytes:
            return kept
        digest = hashlib.sha256(content).hexdigest()
        self.s3().put_object(
            Bucket=self.bucket,
            Key=self._object_key(key, branch, digest),
            Body=content,
            ContentType="application/json",
        )
        return json.dumps(KeptResult(s3=digest))

    def load(self, key: str, branch: str, kept: str) -> Any:
        """What the branch has returned. Raises ResultGone, ClientError and BotoCoreError."""
        said = cast("KeptResult", json.loads(kept))
        if "s3" not in said:
            return said.get("value")
        content = self._content(self._object_key(key, branch, said["s3"]))
        if hashlib.sha256(content).hexdigest() != said["s3"]:
            raise ResultGone(f"the result of {branch!r} in S3 is not the one that was kept")
        return json.loads(content)

    def _content(self, object_key: str) -> bytes:
        try:
            answer = self.s3().get_object(Bucket=self.bucket, Key=object_key)
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                raise ResultGone(f"a result is not in S3 any more: {object_key}") from error
            raise
        with answer["Body"] as body:
            return body.read()

    def _object_key(self, key: str, branch: str, digest: str) -> str:
        return f"{self.namespace}/{hashlib.sha256(key.encode()).hexdigest()}/{branch}/{digest}"
