"""The key that signs cursors, and the one before it, so that nobody notices when it is changed."""

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from serverless_patterns_runtime.error_codes import error_code

__all__ = ["SigningKeys"]

KEPT_SECONDS = 300.0
"""As other secrets."""

AGAIN_SECONDS = 10.0
"""Forged cursors make a function read the secret no more often than this."""

_STAGES = ("AWSCURRENT", "AWSPREVIOUS")


class SigningKeys:
    def __init__(self, client: Callable[[], Any], secret: str, clock: Callable[[], float]) -> None:
        """`secret`: its ARN; `clock`: epoch seconds."""
        self._client = client
        self._secret = secret
        self._clock = clock
        self._kept: Sequence[bytes] = ()
        self._read_at = float("-inf")

    def known(self) -> Sequence[bytes]:
        """At least one, the present one first."""
        return self._younger_than(KEPT_SECONDS)

    def newest(self) -> Sequence[bytes]:
        """As of the last few seconds, those of before too: the one who signed may have read them earlier or later."""
        return self._younger_than(AGAIN_SECONDS)

    def _younger_than(self, seconds: float) -> Sequence[bytes]:
        now = self._clock()
        if not 0 <= now - self._read_at < seconds:
            self._kept, self._read_at = self._read(), now
        return self._kept

    def _read(self) -> Sequence[bytes]:
        keys = [self._stage(stage) for stage in _STAGES]
        return [key for key in keys if key is not None]

    def _stage(self, stage: str) -> bytes | None:
        try:
            answer = self._client().get_secret_value(SecretId=self._secret, VersionStage=stage)
        except ClientError as error:
            if stage == "AWSPREVIOUS" and error_code(error) == "ResourceNotFoundException":
                return None  # it was never changed
            raise
        return answer["SecretString"].encode()
