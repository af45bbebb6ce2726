"""`bare_consumer` with a line in the log for each invocation: the emulator answers sooner where there is one."""

from typing import Any

from bare_consumer import lambda_handler as handle

__all__ = ["lambda_handler"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    answer = handle(event, context)
    print(f"{len(event['Records'])} orders, {len(answer['batchItemFailures'])} failed")
    return answer
