"""Which answers are kept under a key, and how. Without AWS: unit tests hold functions against it."""

from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.effects import Effects

__all__ = ["FAILED", "MAX_STORED_BYTES", "answer_of_effects", "kept_text"]

MAX_STORED_BYTES = 300 * 1024
"""Of an answer that is kept. An item holds 400 KB, and the key and DynamoDB's own way of counting need room."""

FAILED = 500
"""From here on a status says that the work was not done: it is answered, and never kept."""


def answer_of_effects(effects: Effects) -> Answer:
    """Raises UnusableResult."""
    answer = Answer.of(effects.result)
    if answer.status >= FAILED:
        raise UnusableResult(f"the function returned Effects and the status {answer.status}: raise an error instead")
    return answer


def kept_text(answer: Answer) -> str:
    """Raises UnusableResult for more than is kept."""
    text = answer.to_json()
    size = len(text.encode())
    if size > MAX_STORED_BYTES:
        raise UnusableResult(
            f"an answer under an idempotency key holds at most {MAX_STORED_BYTES // 1024} KB, to be kept for who asks"
            f" again; got {size:,} bytes: answer with less, or switch the key off for this route"
        )
    return text
