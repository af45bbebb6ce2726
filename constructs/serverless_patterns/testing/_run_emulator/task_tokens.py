"""Tasks that wait for a callback: heartbeats, tokens that are used up, and what is to send them failing."""

from collections.abc import Callable
from contextvars import ContextVar
from threading import Event, Thread
from time import monotonic
from typing import Any

HOOKS = {
    "ministack.core.iam_actions": ("extract_resource_arn", "_safe_json_field"),
    "ministack.services.stepfunctions": (
        "_call_lambda",
        "_ExecutionError",
        "_executions",
        "_invoke_with_callback",
        "_run_execution",
        "_send_task_failure",
        "_send_task_heartbeat",
        "_send_task_success",
        "_task_tokens",
        "error_response_json",
    ),
}
TOKEN: ContextVar[str | None] = ContextVar("TOKEN", default=None)
"""Of the task that waits, in the thread that waits."""

MACHINE: ContextVar[str] = ContextVar("MACHINE", default="*")
"""ARN, of the machine whose execution this thread runs."""

ISSUED: dict[str, str] = {}
"""The machine of each token."""


def wait_as_told(states: Any) -> None:
    """Give a task up after HeartbeatSeconds without a word, and at once when its function fails."""
    wait, call = states._invoke_with_callback, states._call_lambda

    def wait_with_heartbeat(resource: str, given: Any, token: str, state: dict[str, Any]) -> Any:
        ISSUED[token] = MACHINE.get()
        if "HeartbeatSeconds" in state:
            watch = (states._task_tokens, token, state["HeartbeatSeconds"])
            Thread(target=_give_up_without_heartbeat, args=watch, daemon=True).start()
        before = TOKEN.set(token)
        try:
            return wait(resource, given, token, state)
        finally:
            TOKEN.reset(before)

    def call_or_fail(function: Any, event: Any) -> Any:
        try:
            return call(function, event)
        except states._ExecutionError as error:
            # The emulator goes on waiting for a callback that nobody is there to send.
            _end(states._task_tokens.get(TOKEN.get()), error.error, error.cause)
            raise

    states._invoke_with_callback, states._call_lambda = wait_with_heartbeat, call_or_fail


def authorize_answers(states: Any, actions: Any) -> None:
    """Check an answer to a task on the machine whose token it is. The emulator knows no resource, and asks for `*`."""
    run, resource_of = states._run_execution, actions.extract_resource_arn

    def run_as_machine(arn: str) -> None:
        before = MACHINE.set(states._executions[arn]["stateMachineArn"])
        try:
            run(arn)
        finally:
            MACHINE.reset(before)

    def of_token(service: str, method: str, path: str, *rest: Any, **more: Any) -> Any:
        found = resource_of(service, method, path, *rest, **more)
        if service != "states" or found != "*":
            return found
        body = next((each for each in (*rest, *more.values()) if isinstance(each, bytes)), b"")
        return ISSUED.get(str(actions._safe_json_field(body, "taskToken")), found)

    states._run_execution, actions.extract_resource_arn = run_as_machine, of_token


def _give_up_without_heartbeat(waiting: dict[str, Any], token: str, seconds: float) -> None:
    task = None
    end, heard = monotonic() + seconds, None
    while monotonic() < end:
        task = waiting.get(token, task)
        if task and (task["event"].is_set() or token not in waiting):
            return
        if task and task["heartbeat"] != heard:
            end, heard = monotonic() + seconds, task["heartbeat"]
        Event().wait(0.02)
    _end(task, "States.HeartbeatTimeout", "")


def _end(task: dict[str, Any] | None, error: str, cause: str) -> None:
    if task and not task["event"].is_set():
        task["error"] = {"Error": error, "Cause": cause}
        task["event"].set()


def answer_once(states: Any) -> None:
    """Refuse every word on a task that has had its answer or is over: `TaskTimedOut`, as on AWS."""

    def only_open(as_shipped: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def send(request: dict[str, Any]) -> Any:
            token = request.get("taskToken")
            task = states._task_tokens.get(token)
            if task and not task["event"].is_set():
                return as_shipped(request)
            if token in ISSUED:
                return states.error_response_json(
                    "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400
                )
            return states.error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)

        return send

    for name in ("_send_task_success", "_send_task_failure", "_send_task_heartbeat"):
        setattr(states, name, only_open(getattr(states, name)))
