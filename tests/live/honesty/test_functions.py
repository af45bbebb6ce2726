"""How functions run: what a deployed handler sees, and where the emulator differs from Lambda."""

import json

import pytest
from botocore.exceptions import ClientError


def test_layers_come_before_the_functions_code(function, layer) -> None:
    shadow = layer({"shared.py": "ORIGIN = 'layer'", "only_in_layer.py": ""})
    source = "import only_in_layer, shared\ndef handler(event, context): return shared.ORIGIN"
    layered = function(source, layers=[shadow])
    assert layered.invoke() == "layer"


def test_a_function_sees_its_variables_and_not_ours(function, monkeypatch) -> None:
    monkeypatch.setenv("NOBODY_S_BUSINESS", "x")
    lister = function(
        "import os\ndef handler(event, context): return dict(os.environ)", environment={"ORDERS": "orders-table"}
    )
    seen = lister.invoke()
    assert seen["ORDERS"] == "orders-table"
    assert seen["AWS_REGION"] == "us-east-1"
    assert not {"NOBODY_S_BUSINESS", "VIRTUAL_ENV", "PYTHONPATH"} & set(seen)


def test_a_function_sees_no_package_of_ours(function) -> None:
    absent = function(
        """
        from importlib.util import find_spec

        def handler(event, context):
            names = ("aws_cdk", "serverless_patterns", "serverless_patterns_runtime", "aws_lambda_powertools", "boto3")
            return [name for name in names if find_spec(name)]
        """
    )
    assert absent.invoke() == ["boto3"]


def test_a_function_runs_on_the_interpreter_that_runs_the_tests(function) -> None:
    import sys

    version = function("import sys\ndef handler(event, context): return list(sys.version_info[:3])")
    assert version.invoke() == list(sys.version_info[:3])


def test_the_remaining_time_counts_down_from_the_timeout(function) -> None:
    clock = function(
        """
        import time

        def handler(event, context):
            first = context.get_remaining_time_in_millis()
            time.sleep(0.2)
            return [first, context.get_remaining_time_in_millis()]
        """,
        timeout=7,
    )
    first, second = clock.invoke()
    assert 6_000 < first <= 7_000
    assert second <= first - 200


def test_a_function_is_stopped_at_its_timeout_and_that_is_an_error(function, cloud) -> None:
    slow = function("import time\ndef handler(event, context): time.sleep(30)", timeout=1)
    with pytest.raises(RuntimeError, match="timed out after 1"):
        slow.invoke()
    assert len(cloud.errors(slow.name)) == 1


def test_a_module_that_is_missing_is_an_error_that_names_it(function, cloud) -> None:
    broken = function("import not_in_the_asset\ndef handler(event, context): pass")
    with pytest.raises(RuntimeError, match="not_in_the_asset"):
        broken.invoke()
    (error,) = cloud.errors(broken.name)
    assert "not_in_the_asset" in error


def test_an_exception_is_in_the_log_with_its_traceback_and_a_handled_one_is_no_error(function, cloud) -> None:
    failing = function(
        """
        import json, traceback

        def handler(event, context):
            try:
                raise ValueError("on purpose")
            except ValueError:
                print(json.dumps({"exception": traceback.format_exc()}))
                if event.get("raise"):
                    raise
        """
    )
    failing.invoke()
    assert cloud.errors(failing.name) == []
    with pytest.raises(RuntimeError, match="on purpose"):
        failing.invoke(**{"raise": True})
    (error,) = cloud.errors(failing.name)
    assert "ValueError: on purpose" in error.splitlines()


@pytest.mark.parametrize(
    ("ends", "seconds"), [("return", 0.5), ("raise ValueError", 0.5), ("os._exit(1)", 0.5), ("time.sleep(30)", 2)]
)
def test_all_that_a_run_wrote_is_in_the_log_when_it_has_ended_however_late_it_comes(
    function, cloud, ends: str, seconds: float
) -> None:
    writer = function(
        f"""
        import os, subprocess, time

        # As on a busy machine: what is written takes a while to come through.
        slow = subprocess.Popen(["sh", "-c", "sleep {seconds}; exec cat >&2"], stdin=subprocess.PIPE)
        os.dup2(slow.stdin.fileno(), 2)

        def handler(event, context):
            print("first")
            print("last")
            {ends}
        """,
        timeout=1 if "sleep" in ends else 10,
    )
    cloud.client("lambda").invoke(FunctionName=writer.name)
    assert [line for line in cloud.logs(writer.name) if line in ("first", "last")] == ["first", "last"]


def test_a_line_without_an_end_is_in_the_log_of_its_run(function, cloud) -> None:
    writer = function("def handler(event, context): print('done', end='')")
    writer.invoke()
    lines = cloud.logs(writer.name)
    assert "done" in lines
    assert not [line for line in lines if "\x1e" in line]


def test_a_function_that_closes_its_log_goes_on(function) -> None:
    mute = function(
        "import os\ncalls = []\ndef handler(e, c): calls or os.close(2); calls.append(1); return len(calls)"
    )
    assert [mute.invoke(), mute.invoke()] == [1, 2]


def test_globals_survive_from_one_invocation_to_the_next(function) -> None:
    counter = function("calls = []\ndef handler(event, context): calls.append(1); return len(calls)")
    assert [counter.invoke(), counter.invoke()] == [1, 2]


def test_globals_survive_an_exception(function) -> None:
    counter = function(
        """
        calls = []

        def handler(event, context):
            calls.append(1)
            if event.get("raise"):
                raise RuntimeError
            return len(calls)
        """
    )
    with pytest.raises(RuntimeError):
        counter.invoke(**{"raise": True})
    assert counter.invoke() == 2


def test_an_error_has_the_class_of_the_exception_its_message_and_its_stack(function, cloud) -> None:
    failing = function("class Full(Exception): pass\ndef handler(event, context): raise Full(context.aws_request_id)")
    answer = cloud.client("lambda").invoke(FunctionName=failing.name)
    told = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert told["errorType"] == "Full"
    assert told["errorMessage"] == told["requestId"] != ""
    (frame,) = told["stackTrace"]
    assert "index.py" in frame
    assert "in handler" in frame


def test_an_error_of_a_process_that_ended_is_that_it_ended(function, cloud) -> None:
    failing = function("import os\ndef handler(event, context): os._exit(1)")
    answer = cloud.client("lambda").invoke(FunctionName=failing.name)
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ExitError"


@pytest.mark.xfail(
    strict=True,
    raises=pytest.fail.Exception,
    reason="the emulator takes answers of any size; Lambda refuses above 6 MB",
)
def test_answers_above_six_megabytes_are_refused(function) -> None:
    with pytest.raises((RuntimeError, ClientError)):
        function("def handler(event, context): return 'x' * 6_400_000").invoke()
