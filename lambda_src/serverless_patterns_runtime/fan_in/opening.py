"""The announcement of an end becomes what `on_complete` is given."""

from typing import Any, NamedTuple

from serverless_patterns_runtime.completion import Completion
from serverless_patterns_runtime.errors import MalformedPayload, PermanentError
from serverless_patterns_runtime.fan_in.head import Head
from serverless_patterns_runtime.fan_in.heads import Heads
from serverless_patterns_runtime.fan_in.results import Results
from serverless_patterns_runtime.load_leveled_queue.opening import Open
from serverless_patterns_runtime.payload import parse

__all__ = ["Completions", "NoSuchEnd"]


class NoSuchEnd(PermanentError):
    """No fan-in has ended like this, or it is forgotten."""


class Completions(NamedTuple):
    heads: Heads
    results: Results
    open_message: Open | None = None
    """What the branches open the message with."""

    def open(self, payload: Any) -> Completion:
        """Raises MalformedPayload, NoSuchEnd, ResultGone; ClientError and BotoCoreError."""
        match payload:
            case {"key": str(key), "outcome": "complete" | "deadline" as outcome, **others} if not others:
                pass
            case _:
                raise MalformedPayload("this is no announcement of a fan-in's end")
        head = self._ended(key, outcome)
        return Completion(
            key=key,
            outcome=outcome,
            results={branch: self.results.load(key, branch, kept) for branch, kept in sorted(head.results.items())},
            missing=tuple(sorted(head.missing)),
            message=self._message(key),
        )

    def _ended(self, key: str, outcome: str) -> Head:
        """A head is complete as soon as all is there: before that is written down too, it may be announced."""
        head = self.heads.find(key)
        if head is None:
            raise NoSuchEnd("no fan-in of this key is known, or not any more")
        if outcome != ("complete" if not head.missing else head.state):
            raise NoSuchEnd(f"the fan-in of this key has not ended as {outcome!r}")
        return head

    def _message(self, key: str) -> Any:
        text = self.heads.message(key)
        if text is None:
            raise NoSuchEnd("the message of this key is not known any more")
        payload = parse(text)
        return payload if self.open_message is None else self.open_message(payload)
