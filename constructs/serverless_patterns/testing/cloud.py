"""A place that stacks are deployed to by the real CDK CLI: the embedded cloud, another endpoint, or AWS itself."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from serverless_patterns.testing._assembly import Assembly
from serverless_patterns.testing._cdk_cli import run_cdk
from serverless_patterns.testing._session import clean_environment, client, local_environment
from serverless_patterns.testing.deployment import Deployment
from serverless_patterns.testing.errors import DeployError, NotHere
from serverless_patterns.testing.function_logs import failed_invocations, log_lines
from serverless_patterns.testing.progress import Progress, silence

if TYPE_CHECKING:
    from aws_cdk import App
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sqs import SQSClient

    from serverless_patterns.testing.faults import FaultProxy

__all__ = ["LOCAL_CONTEXT", "Cloud", "local_app"]

LOCAL_CONTEXT: Mapping[str, Any] = {"serverless-patterns:local": "true"}
"""Context of an app that goes to an emulator: dependencies are installed for the interpreter that runs the tests."""

ACCOUNT, REGION = "000000000000", "us-east-1"
DEPLOY_SECONDS = 900.0


def local_app(output: Path) -> "App":
    """An empty CDK app for an emulator.

    Its stacks deploy with the caller's credentials: an emulator that enforces IAM refuses the bootstrap roles.

    Args:
        output: Where it is synthesised to; a folder of its own, which need not exist.
    """
    import aws_cdk

    return aws_cdk.App(
        outdir=str(output),
        context=dict(LOCAL_CONTEXT),
        analytics_reporting=False,
        default_stack_synthesizer=aws_cdk.CliCredentialsStackSynthesizer(),
    )


class Cloud:
    """Deploys apps and looks into what became of them."""

    def __init__(self, *, endpoint_url: str | None, environment: Mapping[str, str], enforces_iam: bool = False) -> None:
        self.endpoint_url = endpoint_url
        """None: AWS itself."""
        self.environment = dict(environment)
        """For subprocesses that should work on this cloud: `subprocess.run(..., env=cloud.environment)`."""
        self.is_local = endpoint_url is not None
        self._enforces_iam = enforces_iam
        self._bootstrapped = not self.is_local  # an AWS account is its owner's to bootstrap
        self._clients: dict[str, Any] = {}

    @classmethod
    def at(cls, endpoint_url: str) -> "Cloud":
        """An emulator that somebody else started."""
        return cls(endpoint_url=endpoint_url, environment=local_environment(endpoint_url, ACCOUNT, REGION))

    @classmethod
    def aws(cls) -> "Cloud":
        """AWS, with the credentials and region of the environment; the account must be bootstrapped."""
        return cls(endpoint_url=None, environment=clean_environment(keep_aws=True))

    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    @overload
    def client(self, service: str) -> Any: ...
    def client(self, service: str) -> Any:
        """A boto3 client for this cloud, made once per service."""
        if service not in self._clients:
            self._clients[service] = client(service, self.endpoint_url, REGION)
        return self._clients[service]

    @property
    def faults(self) -> "FaultProxy":
        """Faults between functions and their AWS calls.

        Raises:
            NotHere: This is not the embedded cloud.
        """
        raise NotHere("faults need the embedded cloud: calls of functions elsewhere do not pass our proxy")

    def kill_function(self, function_name: str) -> int:
        """Kill the processes that run a function, in the midst of what they do; how many there were.

        What a message in flight then sees is what a crashed function leaves on AWS: no answer.

        Raises:
            NotHere: This is not the embedded cloud.
        """
        raise NotHere(
            f"killing {function_name} needs the embedded cloud: functions elsewhere are not processes of ours"
        )

    def reset(self) -> None:
        """Forget every resource, message and item, and end every fault; the next deploy bootstraps again.

        Raises:
            NotHere: This is not the embedded cloud.
        """
        raise NotHere("a reset needs the embedded cloud: what is elsewhere is not ours to delete")

    def app(self, output: Path) -> "App":
        """An empty CDK app whose stacks can be deployed here, synthesised to the folder `output`."""
        if self.is_local:
            return local_app(output)
        import aws_cdk

        return aws_cdk.App(outdir=str(output))

    def deploy(
        self,
        app: "App | Path",
        *,
        context: Mapping[str, str] | None = None,
        stacks: Sequence[str] | None = None,
        progress: Progress = silence,
        deadline_seconds: float = DEPLOY_SECONDS,
    ) -> Deployment:
        """Synthesise once and deploy by the CDK CLI.

        Args:
            app: An app made in the test, by `cloud.app(...)`; or a folder with a cdk.json.
            context: CDK context for an app in a folder.
            stacks: Ids of the stacks to deploy, with what they depend on; default: all.
            progress: Called with a line now and then: `print`.
            deadline_seconds: For the deploy command, in seconds.

        Returns:
            What was deployed; use it as a context manager, or `destroy` it, to take it down.

        Raises:
            ValueError: The app is made for AWS, or context is given with an app that has its own.
            DeployError: The CLI failed; with its whole output. Or a function was deployed without its code.
        """
        with ThreadPoolExecutor(1) as beside:  # bootstrapping and synthesis each take seconds and need each other not
            bootstrapped = beside.submit(self._bootstrap, progress)
            assembly = self._synthesise(app, context, progress)
            bootstrapped.result()
        self._require_own_credentials(assembly)
        arguments = ["deploy", "-a", str(assembly.folder), "--require-approval", "never", "--progress", "events"]
        self._cdk([*arguments, *(stacks or ["**"])], assembly.folder, progress, deadline_seconds)
        deployment = Deployment(assembly, self._deployed(assembly), self.client("cloudformation"))
        self._require_code(assembly, deployment)
        return deployment

    def logs(self, function_name: str) -> list[str]:
        """Every line that a function logged, in order of time."""
        return log_lines(self.client("logs"), self._function(function_name))

    def errors(self, function_name: str) -> list[str]:
        """The log of each invocation that ended in an exception, a time-out or a dead process."""
        return failed_invocations(self.client("logs"), self._function(function_name))

    def _function(self, name: str) -> dict[str, Any]:
        return self.client("lambda").get_function_configuration(FunctionName=name)

    def _bootstrap(self, progress: Progress) -> None:
        if not self._bootstrapped:
            account = f"aws://{self.environment['CDK_DEFAULT_ACCOUNT']}/{self.environment['CDK_DEFAULT_REGION']}"
            progress("embedded cloud: bootstrapping for the CDK")
            # In an empty folder: beside a cdk.json the command would synthesise that app first.
            self._cdk(["bootstrap", account], self._scratch, silence, DEPLOY_SECONDS)
            self._bootstrapped = True

    def _synthesise(self, app: "App | Path", context: Mapping[str, str] | None, progress: Progress) -> Assembly:
        if not isinstance(app, Path):
            if context:
                raise ValueError(
                    "context belongs to an app in a folder: an app made in the test has its own, from cloud.app()"
                )
            if self.is_local and app.node.try_get_context("serverless-patterns:local") != "true":
                raise ValueError(
                    "the app is made for AWS: make it with cloud.app(...), or with LOCAL_CONTEXT in its context"
                )
            return Assembly(Path(app.synth().directory))
        if not (app / "cdk.json").exists():
            raise ValueError(f"{app} has no cdk.json: pass the folder of a CDK app, or an App")
        folder = Path(tempfile.mkdtemp(prefix="cdk-out-", dir=self._scratch))
        given = {**(LOCAL_CONTEXT if self.is_local else {}), **(context or {})}
        pairs = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        progress(f"{app.name}: synthesising")
        self._cdk(["synth", "--quiet", "--output", str(folder), *pairs], app, progress, DEPLOY_SECONDS)
        return Assembly(folder)

    @cached_property
    def _scratch(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="serverless-patterns-"))

    def close(self) -> None:
        """Remove what was synthesised here. Stacks stay: `Deployment.destroy` is theirs."""
        if "_scratch" in self.__dict__:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> "Cloud":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _cdk(self, arguments: Sequence[str], folder: Path, progress: Progress, deadline_seconds: float) -> None:
        run_cdk(
            arguments, folder=folder, environment=self.environment, progress=progress, deadline_seconds=deadline_seconds
        )

    def _require_own_credentials(self, assembly: Assembly) -> None:
        if self._enforces_iam and any(stack.uses_bootstrap_roles for stack in assembly.stacks):
            raise ValueError(
                "with IAM enforced the emulator refuses the bootstrap roles: make the app with cloud.app(...), give "
                "its stacks a CliCredentialsStackSynthesizer, or start the cloud without iam=True"
            )

    def _deployed(self, assembly: Assembly) -> list[str]:
        cloudformation = self.client("cloudformation")
        pages = cloudformation.get_paginator("list_stacks").paginate()
        there = {
            stack["StackName"]
            for page in pages
            for stack in page["StackSummaries"]
            if stack["StackStatus"] != "DELETE_COMPLETE"
        }
        return [stack.name for stack in assembly.stacks if stack.name in there]

    def _require_code(self, assembly: Assembly, deployment: Deployment) -> None:
        # Without its code object the emulator still makes the function, which then answers every call with success.
        for stack in assembly.stacks:
            if stack.name not in deployment.stacks:
                continue
            for logical_id in stack.resources_of_type("AWS::Lambda::Function"):
                name = deployment.physical_ids[stack.name][logical_id]
                if self._function(name).get("CodeSize", 0) == 0:
                    raise DeployError(f"function {name} ({stack.name}/{logical_id}) was deployed without its code", "")
