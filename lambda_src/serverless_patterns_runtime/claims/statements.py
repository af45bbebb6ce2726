"""Batches of PartiQL statements: each succeeds or fails on its own, and nobody else tries a throttled one again."""

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

__all__ = ["Refusal", "Statement", "Statements"]

BATCH = 25
"""Statements that DynamoDB takes in one request."""

TRIES = 4
"""The SDK sees one answer for the whole batch, so it never repeats a throttled statement: we do."""

FIRST_PAUSE_SECONDS = 0.05

_TRY_AGAIN = {
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionConflict",
}


class Statement(NamedTuple):
    text: str
    parameters: Sequence[dict[str, Any]]

    def request(self) -> dict[str, Any]:
        return {
            "Statement": self.text,
            "Parameters": list(self.parameters),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


class Refusal(NamedTuple):
    """Why one statement was not carried out; `item` is what its condition found, where there is one."""

    code: str
    message: str
    item: dict[str, Any] | None


class Statements(NamedTuple):
    dynamodb: Any
    sleep: Callable[[float], None]
    random: random.Random

    def execute(self, statements: Sequence[Statement]) -> list[Refusal | None]:
        """One answer a statement, None for success. Raises ClientError when a whole request fails."""
        batches = (statements[start : start + BATCH] for start in range(0, len(statements), BATCH))
        return [answer for batch in batches for answer in self._execute_batch(batch)]

    def _execute_batch(self, batch: Sequence[Statement]) -> list[Refusal | None]:
        answers: list[Refusal | None] = [None] * len(batch)
        open_positions = list(range(len(batch)))
        for number in range(TRIES):
            if number:
                self.sleep(self.random.uniform(0, FIRST_PAUSE_SECONDS * 2**number))
            response = self.dynamodb.batch_execute_statement(Statements=[batch[at].request() for at in open_positions])
            for at, answer in zip(open_positions, response["Responses"], strict=True):
                answers[at] = _refusal(answer)
            open_positions = [at for at in open_positions if _worth_another_try(answers[at])]
            if not open_positions:
                break
        return answers


def _refusal(answer: dict[str, Any]) -> Refusal | None:
    error = answer.get("Error")
    if error is None:
        return None
    return Refusal(error.get("Code", ""), error.get("Message", ""), error.get("Item"))


def _worth_another_try(answer: Refusal | None) -> bool:
    return answer is not None and answer.code in _TRY_AGAIN
