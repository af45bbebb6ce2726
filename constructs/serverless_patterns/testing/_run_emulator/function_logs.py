"""A function's log is whole when it has answered: each line that a run wrote, with that run, and none elsewhere.

The emulator gathers lines for as long as they keep coming, in milliseconds. On a busy machine what was late would come
with the next run of that process, or with none. So here each run of Python ends its lines itself.
"""

import queue
import time
from typing import Any

HOOKS = {
    "ministack.core.lambda_runtime": ("_PYTHON_WORKER_SCRIPT", "Worker"),
}
ANSWERS = "        _real_stdout.flush()\n\nrun()\n"
"""In the script that runs a handler, once: what a run does last."""

END = "\x1eEND RequestId: "
ENDS = f"""\
        try:
            sys.__stderr__.flush()
            os.write(2, ({END!r} + _ms_ctx.get("request_id", "") + "\\n").encode())
        except (OSError, ValueError):
            pass  # closed by the handler: no line comes any more
"""
PATIENCE_SECONDS = 5.0
"""With a process whose lines do not end: a child of its may hold them open."""


def keep_lines_together(runtime: Any) -> None:
    script: str = runtime._PYTHON_WORKER_SCRIPT
    if script.count(ANSWERS) != 1:
        raise SystemExit("the emulator does not answer for a function as expected")
    runtime._PYTHON_WORKER_SCRIPT = script.replace(ANSWERS, ENDS + ANSWERS)
    worker_class = runtime.Worker
    invoke, at_once, bounded = worker_class.invoke, worker_class._drain_stderr, worker_class._drain_stderr_bounded

    def invoke_named(worker: Any, event: Any, request_id: str, **more: Any) -> dict[str, Any]:
        worker._run = request_id
        answer: dict[str, Any] = invoke(worker, event, request_id, **more)
        return answer

    def whole_or(as_shipped: Any) -> Any:
        def lines(worker: Any, *arguments: Any, **named: Any) -> str:
            if str(worker.config.get("Runtime", "python")).startswith("python"):
                return "\n".join(_lines(worker))
            return str(as_shipped(worker, *arguments, **named))

        return lines

    worker_class.invoke = invoke_named
    worker_class._drain_stderr, worker_class._drain_stderr_bounded = whole_or(at_once), whole_or(bounded)


def _lines(worker: Any) -> list[str]:
    """Up to the end of the run, or of a process that was stopped in it."""
    found: list[str] = []
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        more_may_come = worker._stderr_thread.is_alive()
        try:
            line, ended, run = worker._stderr_queue.get(timeout=0.02).partition(END)
        except queue.Empty:
            if not more_may_come:
                break
            continue
        if line or not ended:
            found.append(line)
        if ended and run == worker._run:
            break
    return found
