"""A function's failure as Lambda tells it: the class of the exception, its message, its stack.

State machines retry and catch by that class; the emulator would call every exception `Runtime.HandlerError`. It would
also end the process that has raised one, where Lambda goes on with it.
"""

from contextvars import ContextVar
from typing import Any

HOOKS = {
    "ministack.core.lambda_runtime": ("_PYTHON_WORKER_SCRIPT", "Worker"),
    "ministack.services.lambda_svc": ("_execute_function_warm",),
}
TOLD = '"status": "error", "error": str(e), "trace": traceback.format_exc()'
"""In the script that runs a handler, once. An `errorMessage` of AWS has no class in front either."""

# "ok" for the process, which is kept then.
RAISED = (
    '"status": "ok", "raised": [type(e).__name__, traceback.format_list(traceback.extract_tb(e.__traceback__)[1:])], '
)
GONE = ("Worker process died", "Worker process exited immediately")

Raised = tuple[str, list[str]]
EXITED: Raised = ("Runtime.ExitError", [])
FAILURE: ContextVar[Raised | None] = ContextVar("FAILURE", default=None)


def name_errors(runtime: Any, functions: Any) -> None:
    """Answer `errorType`, `errorMessage`, `requestId` and `stackTrace`, as Lambda's own Python does."""
    script: str = runtime._PYTHON_WORKER_SCRIPT
    if script.count(TOLD) != 1:
        raise SystemExit("the emulator does not tell a function's error as expected")
    runtime._PYTHON_WORKER_SCRIPT = script.replace(TOLD, RAISED + TOLD.removeprefix('"status": "error", '))
    invoke, execute = runtime.Worker.invoke, functions._execute_function_warm

    def invoke_noting(worker: Any, *invocation: Any, **more: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = invoke(worker, *invocation, **more)
        except RuntimeError as error:
            FAILURE.set(EXITED if str(error).startswith(GONE) else None)
            raise
        if "raised" in answer:
            answer["status"] = "error"
        FAILURE.set(answer.get("raised") or (EXITED if str(answer.get("error")).startswith(GONE) else None))
        return answer

    def execute_named(function: Any, event: Any, request_id: str) -> dict[str, Any]:
        FAILURE.set(None)
        result: dict[str, Any] = execute(function, event, request_id)
        raised = FAILURE.get()
        if raised and result.get("error"):
            kind, stack = raised
            result["body"] |= {"errorType": kind, "requestId": request_id, "stackTrace": stack}
        return result

    runtime.Worker.invoke, functions._execute_function_warm = invoke_noting, execute_named
