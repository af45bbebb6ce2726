"""The fixtures from an outside project: a folder with nothing but a handler and a test."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from serverless_patterns.testing import Cloud

HANDLER = """
    from serverless_patterns_runtime import Effects, Put

    def fulfil(order: dict) -> Effects:
        return Effects(writes=[Put("ORDERS", {"order_id": order["order_id"], "status": "FULFILLED"})])
"""
TEST = """
    import json
    from pathlib import Path

    from aws_cdk import RemovalPolicy, Stack
    from aws_cdk import aws_dynamodb as dynamodb

    from serverless_patterns import Defaults, Handler, LoadLeveledQueue
    from serverless_patterns.testing import wait_until


    def test_an_order_is_fulfilled(embedded_cloud, cdk_app, deploy, fresh_name):
        stack = Stack(cdk_app, fresh_name)
        Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY)
        key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
        orders = dynamodb.TableV2(stack, "Orders", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        consumer = Handler(Path(__file__).parent / "handlers", "orders:fulfil", tables={"ORDERS": orders})
        queue = LoadLeveledQueue(stack, "Fulfilment", consumer=consumer, max_concurrency=2, idempotency_key="order_id")

        deployment = deploy(cdk_app)
        url, table = deployment.physical_id(queue.queue), deployment.physical_id(orders)
        embedded_cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"order_id": "o-1"}))

        def fulfilled():
            answer = embedded_cloud.client("dynamodb").get_item(TableName=table, Key={"order_id": {"S": "o-1"}})
            return answer.get("Item", {}).get("status", {}).get("S") == "FULFILLED"

        wait_until(fulfilled, 30, "the order to be fulfilled")
        assert embedded_cloud.errors(deployment.physical_id(queue.consumer_function)) == []
"""


def pytest_in(folder: Path, files: dict[str, str], **environment: str) -> "subprocess.CompletedProcess[str]":
    for name, source in {"pytest.ini": "[pytest]\naddopts = --strict-config -rs\n", **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(textwrap.dedent(source))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "LIVE_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        command, cwd=folder, env=ours | environment, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


def test_an_outside_project_deploys_its_stack_and_uses_it(project: Path) -> None:
    run = pytest_in(project, {"handlers/orders.py": HANDLER, "test_orders.py": TEST})
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout


def test_a_test_that_fails_shows_the_errors_of_the_functions_that_it_deployed(project: Path) -> None:
    handler = """
        from serverless_patterns_runtime import Effects, PermanentError

        def fulfil(order: dict) -> Effects:
            raise PermanentError("no order of mine " * order["times"])
    """
    source = (
        TEST.replace("def test_an", "@pytest.mark.parametrize('times', [1, 2])\n    def test_an")
        .replace("import json", "import json\n    import pytest")
        .replace("fresh_name):", "fresh_name, times):")
        .replace('{"order_id": "o-1"}', '{"order_id": "o-1", "times": times}')
        .replace(
            "wait_until(fulfilled, 30",
            "wait_until(lambda: 'ERROR' in str(embedded_cloud.logs(deployment.physical_id("
            "queue.consumer_function))), 30, 'an error')\n        wait_until(fulfilled, 0.1",
        )
    )
    run = pytest_in(project, {"handlers/orders.py": handler, "test_orders.py": source})
    assert "2 failed" in run.stdout, run.stdout + run.stderr
    titles = [line for line in run.stdout.splitlines() if "errors of function" in line]
    assert len(titles) == 2, run.stdout
    assert all("/FulfilmentConsumer" in title for title in titles)
    first, second = run.stdout.split("errors of function")[1:]
    assert first.count('"reason":"no order of mine "') == 1
    assert second.count('"reason":"no order of mine no order of mine "') == 1


def test_an_endpoint_that_runs_already_is_used(project: Path, embedded_cloud: Cloud) -> None:
    assert embedded_cloud.endpoint_url
    source = f"""
        def test_which(embedded_cloud):
            assert embedded_cloud.endpoint_url == {embedded_cloud.endpoint_url!r}
            assert "QueueUrls" in embedded_cloud.client("sqs").list_queues(QueueNamePrefix="made-outside")
    """
    url = embedded_cloud.client("sqs").create_queue(QueueName="made-outside")["QueueUrl"]
    run = pytest_in(project, {"test_which.py": source}, LIVE_ENDPOINT=embedded_cloud.endpoint_url)
    embedded_cloud.client("sqs").delete_queue(QueueUrl=url)
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_only_the_embedded_cloud_can_do_is_skipped_elsewhere(project: Path, embedded_cloud: Cloud) -> None:
    assert embedded_cloud.endpoint_url
    source = """
        from serverless_patterns.testing import Fault

        def test_faults(embedded_cloud):
            with embedded_cloud.faults.inject(Fault.throttled("sqs", "SendMessage")):
                pass

        def test_a_kill(embedded_cloud):
            embedded_cloud.kill_function("any")

        def test_a_reset(embedded_cloud):
            embedded_cloud.reset()
    """
    run = pytest_in(project, {"test_faults.py": source}, LIVE_ENDPOINT=embedded_cloud.endpoint_url)
    assert "3 skipped" in run.stdout, run.stdout + run.stderr
    assert "faults need the embedded cloud: calls of functions elsewhere do not pass our proxy" in run.stdout


def test_options_come_from_a_conftest(project: Path) -> None:
    conftest = """
        import pytest

        @pytest.fixture(scope="session")
        def embedded_cloud_options():
            return {"faults": True}
    """
    source = """
        from serverless_patterns.testing import Fault, FaultNotFired
        import pytest

        def test_a_fault_that_does_not_fire_fails(embedded_cloud):
            with pytest.raises(FaultNotFired):
                with embedded_cloud.faults.inject(Fault.throttled("sqs", "SendMessage")):
                    pass
    """
    run = pytest_in(project, {"conftest.py": conftest, "test_faults.py": source})
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("missing", ["boto3", "microburst"])
def test_without_the_extra_one_line_says_how_to_install_it(project: Path, missing: str) -> None:
    conftest = f"import sys; sys.modules[{missing!r}] = None"
    source = "def test_it(embedded_cloud): ..."
    run = pytest_in(project, {"conftest.py": conftest, "test_it.py": source})
    line = f"{missing} is not installed: pip install 'cdk-serverless-patterns[local]'"
    assert f"___\n{line}\n1 error in" in run.stdout, run.stdout + run.stderr


def test_a_project_that_does_not_use_it_pays_nothing(project: Path) -> None:
    source = """
        import sys

        def test_nothing_heavy_is_imported():
            assert "serverless_patterns.testing.plugin" in sys.modules
            assert not {"aws_cdk", "jsii", "boto3", "botocore"} & set(sys.modules)
    """
    run = pytest_in(project, {"test_it.py": source})
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(project.glob("**/embedded-cloud-*")) == []


def test_names_are_fresh_and_fit_a_stack(project: Path) -> None:
    source = """
        import re
        import pytest

        seen = set()

        @pytest.mark.parametrize("value", ["a b/c", "x" * 200, "ü"])
        def test_a_name(fresh_name, value):
            assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,60}", fresh_name)
            assert fresh_name not in seen
            seen.add(fresh_name)
    """
    run = pytest_in(project, {"test_names.py": source})
    assert run.returncode == 0, run.stdout + run.stderr
