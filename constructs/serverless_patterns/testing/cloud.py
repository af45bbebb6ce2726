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
from serverless_patterns.testing._synth_warnings import warned_of
from serverless_patterns.testing.deployment import Deployment
from serverless_patterns.testing.errors import DeployError, NotHere
from serverless_patterns.testing.function_logs import failed_invocations, log_lines
from serverless_patterns.testing.progress import Progress, silence
from serverless_patterns.testing.synthesis import from_app, local_app, synth_arguments

if TYPE_CHECKING:
    from aws_cdk import App
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sqs import SQSClient

    from serverless_patterns.testing.fault_proxy import FaultProxy

__all__ = ["Cloud"]

ACCOUNT, REGION = "000000000000", "us-east-1"
DEPLOY_SECONDS = 900.0


class Cloud:
    """Deploys apps and looks into what became of them."""

    def __init__(
        self,
        *,
        endpoint_url: str | None,
        environment: Mapping[str, str],
        enforces_iam: bool = False,
        home: Path | None = None,
    ) -> None:
        self.endpoint_url = endpoint_url
        """None: AWS itself."""
        self.environment = dict(environment)
        """For subprocesses that should work on this cloud: `subprocess.run(..., env=cloud.environment)`."""
        self.is_local = endpoint_url is not None
        self.deployments: list[Deployment] = []
        """In order; `is_destroyed` says which are gone."""
        self._enforces_iam = enforces_iam
        self._home = home
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
        """Synthesise once, tell each warning of our constructs as a `SynthWarning`, and deploy by the CDK CLI.

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
            assembly = warned_of(self._synthesise(app, context, progress))
            bootstrapped.result()
        self._require_own_credentials(assembly)
        arguments = ["deploy", "-a", str(assembly.folder), "--require-approval", "never", "--progress", "events"]
        if self.is_local:
            arguments += ["--method", "direct"]  # a third less time than by a change set, which nobody would look at
        self._cdk([*arguments, *(stacks or ["**"])], assembly.folder, progress, deadline_seconds)
        deployment = Deployment.of(assembly, self.client("cloudformation"), self.endpoint_url)
        self._require_code(deployment)
        self.deployments.append(deployment)
        return deployment

    def logs(self, function_name: str, *, since: float = 0) -> list[str]:
        """Every line that a function logged, in order of time, from `since` on (epoch seconds)."""
        return log_lines(self.client("logs"), self._function(function_name), since)

    def errors(self, function_name: str, *, since: float = 0) -> list[str]:
        """The log of each invocation that ended in an exception, a time-out or a dead process, from `since` on."""
        return failed_invocations(self.client("logs"), self._function(function_name), since)

    def _function(self, name: str) -> dict[str, Any]:
        return self.client("lambda").get_function_configuration(FunctionName=name)

    def _synthesise(self, app: "App | Path", context: Mapping[str, str] | None, progress: Progress) -> Assembly:
        if not isinstance(app, Path):
            return from_app(app, context, local=self.is_local)
        output = Path(tempfile.mkdtemp(prefix="cdk-out-", dir=self._scratch))
        arguments = synth_arguments(app, output, context, local=self.is_local)
        progress(f"synthesising the app in {app.name}/")
        self._cdk(arguments, app, progress, DEPLOY_SECONDS)
        return Assembly(output)

    def _bootstrap(self, progress: Progress) -> None:
        if not self._bootstrapped:
            account = f"aws://{self.environment['CDK_DEFAULT_ACCOUNT']}/{self.environment['CDK_DEFAULT_REGION']}"
            progress("embedded cloud: bootstrapping for the CDK")
            # In an empty folder: beside a cdk.json the command would synthesise that app first.
            self._cdk(["bootstrap", account], self._scratch, silence, DEPLOY_SECONDS)
            self._bootstrapped = True

    @cached_property
    def _scratch(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="serverless-patterns-", dir=self._home))

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

    def _require_code(self, deployment: Deployment) -> None:
        # Without its code object the emulator still makes the function, which then answers every call with success.
        for path, name in deployment.functions.items():
            if self._function(name).get("CodeSize", 0) == 0:
                raise DeployError(f"function {name} ({path}) was deployed without its code", "")
