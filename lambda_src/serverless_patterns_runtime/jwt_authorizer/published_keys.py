"""The issuer's keys, as it publishes them: kept for a while, asked for again when a new one may be there."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.jwt_authorizer.keys import VerificationKey, read, with_id
from serverless_patterns_runtime.telemetry import describe

__all__ = ["FixedKeys", "Keys", "KeysUnavailable", "PublishedKeys"]

_FRESH_SECONDS = 600
_USABLE_SECONDS = 3600  # a key that the issuer took back is trusted no longer than this, whatever is down
_SECONDS_BETWEEN = 60  # anybody can name unknown keys, and must not make us ask the issuer each time
_SECONDS_BETWEEN_WITHOUT_KEYS = 5


class KeysUnavailable(PermanentError):
    """Nothing is known about the token: the gateway answers 500, and lets nobody in."""

    def __init__(self, message: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(message, status=500)


class Keys(Protocol):
    def with_id(self, id: str | None) -> Sequence[VerificationKey]:
        """The keys of this `kid`. Raises KeysUnavailable."""
        ...


class FixedKeys:
    def __init__(self, text: str) -> None:
        self._keys = read(text)

    def with_id(self, id: str | None) -> Sequence[VerificationKey]:
        return with_id(self._keys, id)


class PublishedKeys:
    def __init__(self, fetch: Callable[[], str], clock: Callable[[], float], logger: Any) -> None:
        """`fetch`: the text of the set, or any error. `clock`: epoch seconds."""
        self._fetch = fetch
        self._clock = clock
        self._logger = logger
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetched_at = 0.0
        self._asked_at = 0.0
        self._answered = False

    def with_id(self, id: str | None) -> Sequence[VerificationKey]:
        if not self._within(_FRESH_SECONDS, self._fetched_at):
            self._ask()
        found = with_id(self._known(), id)
        if not found:
            self._ask()
            found = with_id(self._known(), id)
        if not found and not self._answered:
            raise KeysUnavailable("the issuer did not answer, which may have a new key")
        return found

    def _known(self) -> Sequence[VerificationKey]:
        if not self._keys or not self._within(_USABLE_SECONDS, self._fetched_at):
            raise KeysUnavailable("the issuer's keys are not known")
        return self._keys

    def _ask(self) -> None:
        """Leaves all as it was when the issuer does not answer, or was asked a moment ago."""
        pause = _SECONDS_BETWEEN if self._keys else _SECONDS_BETWEEN_WITHOUT_KEYS
        if self._within(pause, self._asked_at):
            return
        self._asked_at = self._clock()
        self._answered = False
        try:
            self._keys = read(self._fetch())
        except Exception as error:  # it is another machine, and may do anything
            self._logger.warning("the issuer's keys could not be read", extra=_why(error))
            return
        self._answered = True
        self._fetched_at = self._asked_at

    def _within(self, seconds: float, since: float) -> bool:
        """Not so when the clock was set back: then nothing is known about the time that has passed."""
        return 0 <= self._clock() - since < seconds


def _why(error: Exception) -> dict[str, Any]:
    return describe(error, with_message=True)  # of the issuer's address and our settings, never of a request
