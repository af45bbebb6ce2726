"""How the emulator's launcher gathers the lines of a function's run: to the run's end, not to the first pause."""

import queue
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from serverless_patterns.testing._run_emulator import function_logs
from serverless_patterns.testing._run_emulator.function_logs import ANSWERS, END, keep_lines_together

SCRIPT = f"def run():\n{ANSWERS}"


class Worker:
    """As the emulator's, whose process is ours to play."""

    def __init__(self, runtime: str = "python3.13") -> None:
        self.config = {"Runtime": runtime}
        self._stderr_queue: queue.Queue[str] = queue.Queue()
        self._process_ends = threading.Event()
        self._stderr_thread = threading.Thread(target=self._process_ends.wait, daemon=True)
        self._stderr_thread.start()

    def write(self, *lines: str) -> None:
        for line in lines:
            self._stderr_queue.put(line)

    def end(self) -> None:
        self._process_ends.set()
        self._stderr_thread.join()

    def invoke(self, *_: Any) -> str:
        return self._drain_stderr_bounded()

    def _drain_stderr(self) -> str:
        return "as shipped"

    _drain_stderr_bounded = _drain_stderr


@pytest.fixture
def worker() -> Worker:
    return changed()()


def changed() -> type[Worker]:
    worker_class: type[Worker] = type("Changed", (Worker,), {})
    keep_lines_together(SimpleNamespace(_PYTHON_WORKER_SCRIPT=SCRIPT, Worker=worker_class))
    return worker_class


def test_a_run_ends_its_lines_before_it_answers() -> None:
    runtime: Any = SimpleNamespace(_PYTHON_WORKER_SCRIPT=SCRIPT, Worker=type("Changed", (Worker,), {}))
    keep_lines_together(runtime)
    script = runtime._PYTHON_WORKER_SCRIPT
    assert script.index(END.encode("unicode_escape").decode()) < script.index("_real_stdout.flush()")
    compile(script, "script", "exec")


def test_a_run_has_its_own_lines_and_what_an_earlier_one_left(worker: Worker) -> None:
    worker.write("late", f"{END}r1", "mine", f"no end{END}r2", "of the next")
    assert worker.invoke({}, "r2") == "late\nmine\nno end"
    worker.write(f"{END}r3")
    assert worker.invoke({}, "r3") == "of the next"


def test_a_process_that_is_gone_is_not_waited_for_once_its_lines_are_read(worker: Worker) -> None:
    worker.write("last words")
    worker.end()
    assert worker.invoke({}, "r1") == "last words"


def test_lines_that_do_not_end_hold_nobody_up_for_ever(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_logs, "PATIENCE_SECONDS", 0.1)
    worker.write("first", "")
    assert worker.invoke({}, "r1") == "first\n"


def test_other_runtimes_are_gathered_as_shipped() -> None:
    assert changed()("nodejs22.x").invoke({}, "r1") == "as shipped"


def test_a_script_that_is_not_as_expected_stops_the_start() -> None:
    with pytest.raises(SystemExit, match="as expected"):
        keep_lines_together(SimpleNamespace(_PYTHON_WORKER_SCRIPT="def run(): pass", Worker=Worker))
