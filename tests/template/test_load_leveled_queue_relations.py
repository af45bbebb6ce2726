"""Relations between the resources, over all arguments that are allowed."""

from typing import Any

from aws_cdk import Duration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.load_leveled_queue import contract
from tests.template.stacks import (
    a_handler,
    a_queue,
    new_stack,
    statements,
    the,
    the_dead_letter_queue,
    the_mapping,
    the_queue,
    the_variables,
)

DAY = 86_400


def durations(low: int, high: int) -> st.SearchStrategy[Duration]:
    return st.integers(low, high).map(Duration.seconds)


@st.composite
def all_that_is_allowed(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of the pattern, each anywhere in its range, the edges included."""
    fifo = draw(st.booleans())
    cap = draw(st.integers(2, 1000))
    batch = draw(st.none() | st.integers(1, 10 if fifo else 10_000))
    needs_window = not fifo and (batch or 0) > 10
    window = None if fifo else draw(durations(1, 300) if needs_window else st.none() | durations(0, 300))
    timeout = draw(st.integers(1, 900))
    least_visible = 6 * timeout + (0 if window is None else int(window.to_seconds()))
    visibility = draw(st.none() | st.integers(least_visible, 43_200))
    longest = draw(st.integers(1, 43_200))
    wait = max(visibility or least_visible, longest)
    tries = draw(st.integers(1, min(1000, 13 * DAY // wait)))
    retention = draw(st.integers(max(60, tries * wait), 13 * DAY))
    return {
        "consumer": a_handler(
            draw(st.sampled_from(["orders:fulfil", "orders:call"])),
            timeout=Duration.seconds(timeout),
            environment=draw(st.dictionaries(st.from_regex(r"X[A-Z_]{1,9}", fullmatch=True), st.text(max_size=9))),
        ),
        "fifo": fifo,
        "content_based_deduplication": fifo and draw(st.booleans()),
        "max_concurrency": cap,
        "batch_size": batch,
        "max_batching_window": window,
        "max_receive_count": tries,
        "visibility_timeout": None if visibility is None else Duration.seconds(visibility),
        "retention_period": Duration.seconds(retention),
        "max_age": draw(st.none() | durations(1, retention)),
        "claims_retention": draw(durations(retention + 14 * DAY, 3650 * DAY)),
        "retry_max_delay": Duration.seconds(longest),
        "retry_base_delay": draw(durations(1, longest)),
        "reserved_concurrent_executions": draw(st.none() | st.integers(cap, 5000)),
        "alarms": draw(st.sampled_from(["all", "critical", "none", None])),
        "max_oldest_age": draw(durations(60, 14 * DAY)),
    }


@given(all_that_is_allowed())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_relations_hold_for_all_that_is_allowed(arguments: dict[str, Any]) -> None:
    stack = new_stack()
    a_queue(stack, **arguments)
    queue, letters, mapping, told = (
        the_queue(stack),
        the_dead_letter_queue(stack),
        the_mapping(stack),
        the_variables(stack),
    )
    function = the(stack, "Lambda::Function")
    window = mapping.get("MaximumBatchingWindowInSeconds", 0)

    assert 6 * function["Timeout"] + window <= queue["VisibilityTimeout"] <= 43_200
    assert told["VISIBILITY_TIMEOUT_SECONDS"] == str(queue["VisibilityTimeout"])
    cap = mapping["ScalingConfig"]["MaximumConcurrency"]
    assert 2 <= cap <= function.get("ReservedConcurrentExecutions", cap)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] <= 10 or window >= 1
    assert letters["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]
    assert int(told["CLAIMS_RETENTION_SECONDS"]) >= queue["MessageRetentionPeriod"] + letters["MessageRetentionPeriod"]
    assert letters.get("FifoQueue") == queue.get("FifoQueue")
    counted = told["COUNT_ATTEMPTS"] == "true"
    assert counted == (mapping["BatchSize"] > 1)
    native, tries = queue["RedrivePolicy"]["maxReceiveCount"], int(told["MAX_RECEIVE_COUNT"])
    assert tries <= native <= 1000
    assert counted or native == tries
    assert native == tries or native * queue["VisibilityTimeout"] <= queue["MessageRetentionPeriod"] / 2
    assert letters["RedriveAllowPolicy"]["sourceQueueArns"][0]["Fn::Join"][1][-1] == f":{queue['QueueName']}"
    longest_wait = max(queue["VisibilityTimeout"], int(told["RETRY_MAX_SECONDS"]))
    assert tries * longest_wait <= queue["MessageRetentionPeriod"]
    assert int(told["RETRY_BASE_SECONDS"]) <= int(told["RETRY_MAX_SECONDS"]) <= 43_200
    fields = {*business_function.Env._fields, *claims.Env._fields, *contract.Env._fields}
    ours = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
    assert {*told} == fields | ours | {*arguments["consumer"].environment}
    wild = [each for each in statements(stack) if "*" in str(each["Action"]) or "*" in each["Resource"]]
    assert [action for each in wild for action in each["Action"]] == [
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]
