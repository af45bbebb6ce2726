"""Executions of state machines as AWS runs them: what stops, what is retried when, what is too much.

A thread of the emulator runs an execution, and one more each branch of a Parallel or Map. What has ended, by
StopExecution, at its time-out or because another branch failed, goes no further here; the emulator would go on.
"""

import json
import random
import re
from contextvars import ContextVar, copy_context
from threading import Event, Timer
from typing import Any

HOOKS = {
    "ministack.services.stepfunctions": (
        "_SFN_WAIT_SCALE",
        "_ExecutionError",
        "_add_event",
        "_emit_execution_status_event",
        "_error_matches",
        "_executions",
        "_fail_execution",
        "_find_matching_retrier",
        "_run_execution",
        "_run_map_items",
        "_run_parallel_branches",
        "_run_sub_machine",
        "_scaled_sleep",
        "_start_execution",
        "_state_machines",
        "_stop_execution",
        "error_response_json",
        "json_response",
        "now_iso",
    )
}
MOST_BYTES = 262_144
NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f<>{}\[\]?*\"#%\\^|~`$&,;:/]{1,80}")
FOREVER = 10**6
NOT_IN_ALL = ("States.DataLimitExceeded", "States.Runtime")


class Run:
    """An execution that goes on, or the branches of one of its states: they end together."""

    def __init__(self, execution: dict[str, Any], parent: "Run | None" = None) -> None:
        self.execution = execution
        self.branches = parent is not None
        self._over = Event()
        self._within: list[Run] = []
        if parent:
            parent._within.append(self)

    def stop(self) -> None:
        """End it, and the branches within; their threads notice at their next step."""
        self._over.set()
        for each in self._within:
            each.stop()

    def go_on(self, after: float = 0) -> None:
        """Wait, if it has not ended. SystemExit ends a thread without a word."""
        if self._over.wait(after) if after else self._over.is_set():
            raise SystemExit


RUN: ContextVar[Run | None] = ContextVar("RUN", default=None)
RUNS: dict[str, Run] = {}
"""By the execution's ARN, while it runs."""


def stop_what_has_ended(states: Any) -> None:
    """Let nothing happen in an execution after its end, nor in a branch after another one's failure."""
    run, stop, fail, add, sleep = (
        getattr(states, name)
        for name in ("_run_execution", "_stop_execution", "_fail_execution", "_add_event", "_scaled_sleep")
    )

    def run_to_end(arn: str) -> None:
        execution = states._executions[arn]
        RUNS[arn] = own = Run(execution)
        before = RUN.set(own)
        machine = states._state_machines.get(execution["stateMachineArn"], {"definition": "{}"})
        limit = json.loads(machine["definition"]).get("TimeoutSeconds", FOREVER)
        timer = Timer(limit, copy_context().run, (_time_out, states, own))
        timer.daemon = True
        timer.start()
        try:
            run(arn)
        finally:
            timer.cancel()
            RUN.reset(before)
            RUNS.pop(arn, None)

    def stop_all(request: dict[str, Any]) -> Any:
        answer = stop(request)
        arn = request.get("executionArn", "")
        if arn in RUNS and states._executions[arn]["status"] == "ABORTED":
            RUNS[arn].stop()
        return answer

    def fail_once(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)
            execution["output"] = None  # a failed execution has none on AWS

    def add_while_it_runs(execution: dict[str, Any], kind: str, *details: Any) -> Any:
        own = RUN.get()
        if own and own.execution is execution:
            own.go_on()
        return add(execution, kind, *details)

    def sleep_while_it_runs(seconds: float) -> None:
        own = RUN.get()
        if own is None:
            return sleep(seconds)
        return own.go_on(after=seconds * states._SFN_WAIT_SCALE)

    states._run_execution, states._stop_execution, states._fail_execution = run_to_end, stop_all, fail_once
    states._add_event, states._scaled_sleep = add_while_it_runs, sleep_while_it_runs
    for name in ("_run_parallel_branches", "_run_map_items"):
        setattr(states, name, _together(getattr(states, name)))
    states._run_sub_machine = _branch(states)


def _time_out(states: Any, run: Run) -> None:
    execution = run.execution
    if execution["status"] == "RUNNING":
        states._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
        execution |= {"status": "TIMED_OUT", "stopDate": states.now_iso()}
        run.stop()
        states._emit_execution_status_event(execution)


def _together(as_shipped: Any) -> Any:
    def run(state: Any, given: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
        before = RUN.set(Run(execution, RUN.get()))
        try:
            return as_shipped(state, given, execution, context)
        finally:
            RUN.reset(before)

    return run


def _branch(states: Any) -> Any:
    as_shipped = states._run_sub_machine

    def run(branch: Any, start: str, given: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
        own = RUN.get()
        try:
            # A context of its own, or branches would see each other's state, retry count and task token.
            return as_shipped(branch, start, given, execution, {**context})
        except states._ExecutionError:
            if own and own.execution is execution:  # a child of a distributed Map fails for itself
                own.stop()
            raise

    return run


def retry_as_told(states: Any) -> None:
    """Wait as MaxDelaySeconds and JitterStrategy say, and let `States.ALL` not be all."""
    find, matches = states._find_matching_retrier, states._error_matches

    def find_delayed(retriers: Any, error: str, counts: dict[int, int]) -> tuple[dict[str, Any] | None, int]:
        retrier, at = find(retriers, error, counts)
        if retrier is None:
            return None, at
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(at, 0)
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay = random.uniform(0, delay)
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1}, at

    def match(names: list[str], error: str) -> bool:
        return matches([name for name in names if name != "States.ALL" or error not in NOT_IN_ALL], error)

    states._find_matching_retrier, states._error_matches = find_delayed, match


def start_once(states: Any) -> None:
    """Answer a repeated start with the execution that runs; refuse names and inputs that AWS refuses."""
    as_shipped = states._start_execution

    def start(request: dict[str, Any]) -> Any:
        name, given = request.get("name"), request.get("input", "{}")
        if name is not None and not NAME.fullmatch(name):
            return states.error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
        if not _is_json(given) or len(given.encode()) > MOST_BYTES:
            return states.error_response_json("InvalidExecutionInput", "Invalid State Machine Execution Input", 400)
        for execution in list(states._executions.values()) if name else ():
            running = execution["name"], execution["stateMachineArn"], execution["input"]
            if running == (name, request.get("stateMachineArn"), given) and execution["status"] == "RUNNING":
                return states.json_response({field: execution[field] for field in ("executionArn", "startDate")})
        return as_shipped(request)

    states._start_execution = start


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
