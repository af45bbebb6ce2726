"""`make deploy` asks for API Gateway's role before it deploys APIs that write access logs."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Environment, NestedStack, Stack, Stage
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from apps.account.app import define
from check_api_account import Asking, main, stacks_with_access_logs
from serverless_patterns import MockResponse, Route
from tests.template.apis import an_api

HEALTH = Route("GET /health", MockResponse())
ROLE = {"cloudwatchRoleArn": "arn:aws:iam::111111111111:role/logs"}


def assembly(*regions: str | None, **arguments: Any) -> Path:
    app = App(analytics_reporting=False)
    for region in regions:
        env = Environment(account="111111111111", region=region) if region else None
        an_api(Stack(app, f"Shop{(region or '')[:2]}", env=env), HEALTH, **arguments)
    return Path(app.synth().directory)


class Answering:
    """What is answered in each region; who was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, list[str]()

    def __call__(self, region: str | None) -> Any:
        name = region or "us-east-1"
        self.asked.append(name)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = boto3.client("apigateway", region_name=name, **keys)
        answer, stub = self.answers[name[:2]], Stubber(client)
        if isinstance(answer, str):
            stub.add_client_error("get_account", answer, "you may not")
        else:
            stub.add_response("get_account", answer, {})
        stub.activate()
        return client


def test_an_account_with_the_role_is_deployed_to_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    clients = Answering(us=ROLE)
    assert main(assembly(None), clients) == 0
    assert clients.asked == ["us-east-1"]
    assert capsys.readouterr() == ("", "")


def test_each_region_without_it_is_named_with_the_one_command_that_mends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(assembly("us-east-1", "eu-west-1", "ap-south-1"), Answering(us={}, eu=ROLE, ap={})) == 1
    asia, us = capsys.readouterr().err.splitlines()
    assert asia.startswith("ap-south-1: API Gateway has no role to write logs with in this account, and Shopap asks")
    assert asia.endswith("AWS_REGION=ap-south-1 make api-account")
    assert us.endswith("AWS_REGION=us-east-1 make api-account")


def test_who_may_not_ask_is_told_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(assembly("us-east-1"), Answering(us="AccessDeniedException")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("us-east-1: whether API Gateway may write the access logs of Shopus cannot be asked: ")
    assert "AccessDeniedException" in line


def test_who_has_no_credentials_is_told_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def nobody(_: str | None) -> Any:
        raise NoCredentialsError

    assert main(assembly(None), nobody) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("cannot be asked: Unable to locate credentials")


def test_the_real_client_without_credentials_or_a_region_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    assert main(assembly(None)) == 1
    assert "must specify a region" in capsys.readouterr().err
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert main(assembly(None)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Unable to locate credentials")


def test_nobody_is_asked_when_no_api_writes_access_logs() -> None:
    clients = Answering()
    assert main(assembly(None, access_logs=False), clients) == 0
    assert clients.asked == []


def test_apis_in_nested_stacks_and_stages_are_found() -> None:
    app = App(analytics_reporting=False)
    an_api(NestedStack(Stack(app, "Parent"), "Nested"), HEALTH)  # pyright: ignore[reportArgumentType]
    stage = Stage(app, "Prod", env=Environment(account="111111111111", region="eu-west-1"))
    an_api(Stack(stage, "Shop"), HEALTH)
    found = set(stacks_with_access_logs(Path(app.synth().directory)))
    assert found == {Asking("Parent", None), Asking("Prod-Shop", "eu-west-1")}


def test_the_stack_that_brings_the_role_does_not_ask_for_it() -> None:
    app = App(analytics_reporting=False)
    stack = define(app)
    an_api(stack, HEALTH)
    assert main(Path(app.synth().directory), Answering()) == 0


def test_the_commands_that_are_named_exist() -> None:
    makefile = Path("Makefile").read_text()
    assert "\napi-account: setup\n" in makefile
    deploy = makefile.partition("\ndeploy: setup\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in deploy] == ["@cdk", "@python", "@cdk"]
    assert deploy[1] == "\t@python tools/check_api_account.py cdk.out"
    assert json.loads(Path("cdk.json").read_text())["app"] == "python apps/shop/app.py"
