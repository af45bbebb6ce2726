"""The embedded cloud: an emulator of AWS on this machine, for as long as a test needs it. No account, no Docker."""

import atexit
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from serverless_patterns.testing._process import LOOPBACK, Server, free_port
from serverless_patterns.testing._session import local_environment
from serverless_patterns.testing._workers import kill_workers
from serverless_patterns.testing.cloud import ACCOUNT, REGION, Cloud
from serverless_patterns.testing.environments import emulator_python
from serverless_patterns.testing.errors import CloudError
from serverless_patterns.testing.progress import Progress, silence

if TYPE_CHECKING:
    from serverless_patterns.testing.fault_proxy import FaultProxy

__all__ = ["EmbeddedCloud"]

HERE = Path(__file__).parent
READY_SECONDS = 60.0


class EmbeddedCloud(Cloud):
    """Starts in half a second, forgets everything at its end, and ends with the process that started it.

    For Linux and macOS. Functions run unsandboxed, on the interpreter that runs the tests; everything listens on
    127.0.0.1 only.

    Example:
        with EmbeddedCloud.start() as cloud:
            app = cloud.app(tmp_path / "cdk.out")
            shop = Shop(app, "Shop")
            with cloud.deploy(app) as deployment:
                url = deployment.physical_id(shop.fulfilment.queue)
                cloud.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    """

    def __init__(self, home: Path, emulator: Server, proxy: Server | None, *, iam: bool) -> None:
        environment = local_environment(emulator.url, ACCOUNT, REGION)
        super().__init__(endpoint_url=emulator.url, environment=environment, enforces_iam=iam, home=home)
        self.home = home
        """Everything that this cloud writes; gone with it."""
        self._emulator = emulator
        self._proxy = proxy
        atexit.register(self.close)

    @classmethod
    def start(
        cls,
        *,
        faults: bool = False,
        iam: bool = False,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
        progress: Progress = silence,
    ) -> "EmbeddedCloud":
        """Start the emulator; installs it when this machine has none yet.

        Args:
            faults: Put the fault proxy between functions and AWS (about 2 ms a call).
            iam: Check every SDK call of a function against its role. Stacks need `cloud.app(...)` then.
            port: Of 127.0.0.1; default: a free one.
            environment: Further variables for the emulator, which every function then sees.
            progress: Called with a line per step of an installation: `print`.

        Raises:
            EnvironmentNotReady: The emulator cannot be installed; says what to do.
            CloudError: The port is taken, or the emulator does not start; with its log.
        """
        python = emulator_python(progress)
        for attempts_left in (2, 1, 0):
            try:
                return cls._start(python, port, faults=faults, iam=iam, environment=environment or {})
            except CloudError as error:
                # A free port may be taken by somebody else before the emulator listens on it.
                if port or not attempts_left or "in use" not in str(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    @classmethod
    def _start(
        cls, python: Path, port: int | None, *, faults: bool, iam: bool, environment: Mapping[str, str]
    ) -> "EmbeddedCloud":
        home = Path(tempfile.mkdtemp(prefix="embedded-cloud-"))
        servers: list[Server] = []
        try:
            at = free_port(port)
            proxy = _start_proxy(home, f"http://{LOOPBACK}:{at}") if faults else None
            servers += [proxy] if proxy else []
            settings = _settings(home, at, iam) | ({"AWS_ENDPOINT_URL": proxy.url} if proxy else {}) | dict(environment)
            emulator = Server(HERE / "_run_emulator", [], python=python, port=at, environment=settings, home=home)
            servers.append(emulator)
            emulator.wait_ready("/_ministack/ready", READY_SECONDS)
            if proxy:
                proxy.wait_ready("/_microburst/health", READY_SECONDS)
            return cls(home, emulator, proxy, iam=iam)
        except BaseException:
            for server in reversed(servers):
                server.stop()
            shutil.rmtree(home, ignore_errors=True)
            raise

    @property
    def faults(self) -> "FaultProxy":
        """Faults between functions and their AWS calls.

        Raises:
            CloudError: Started without `faults=True`.
        """
        if self._proxy is None:
            raise CloudError("no fault proxy: start the cloud with EmbeddedCloud.start(faults=True)")
        from serverless_patterns.testing.fault_proxy import FaultProxy

        return FaultProxy(self._proxy)

    @property
    def emulator_log(self) -> Path:
        """What the emulator itself logs; useful when a function does nothing at all."""
        return self._emulator.log

    def errors(self, function_name: str, *, since: float = 0) -> list[str]:
        """The log of each invocation that failed; those that failed before the function's own code ran come last."""
        # A missing module or handler leaves nothing in the function's log here; on AWS it does.
        stillborn = f"execution error for {function_name}: "
        log = self._emulator.log.read_text(encoding="utf-8", errors="replace")
        return super().errors(function_name, since=since) + [
            line.partition(stillborn)[2] for line in log.splitlines() if stillborn in line
        ]

    def kill_function(self, function_name: str) -> int:
        """Kill the processes that run a function, in the midst of what they do; how many there were."""
        return kill_workers(self.home, function_name)

    def reset(self) -> None:
        """Forget every resource, message and item, and end every fault; the next deploy bootstraps again.

        Raises:
            CloudError: The emulator does not answer.
        """
        if self._proxy:
            self.faults.clear()
        status, body = self._emulator.ask("POST", "/_ministack/reset")
        if status != 200:
            raise CloudError(f"the emulator answers {status} to a reset: {body.decode(errors='replace')}")
        self._bootstrapped = False

    def close(self) -> None:
        """Stop everything and remove its files. Twice is harmless."""
        atexit.unregister(self.close)
        self._emulator.stop()
        if self._proxy:
            self._proxy.stop()
        super().close()
        shutil.rmtree(self.home, ignore_errors=True)

    def detach(self) -> str:
        """Leave everything running when this process ends; the shell command that stops it then."""
        atexit.unregister(self.close)
        super().close()
        groups = [server.detach() for server in (self._emulator, self._proxy) if server]
        return f"kill -- {' '.join(f'-{group}' for group in groups)}; rm -rf {shlex.quote(str(self.home))}"

    def __enter__(self) -> "EmbeddedCloud":
        return self


def _start_proxy(home: Path, upstream: str) -> Server:
    at = free_port()
    arguments = ["--upstream", upstream, "--host", LOOPBACK, "--port", str(at)]
    return Server(
        HERE / "_run_fault_proxy.py",
        arguments,
        python=Path(sys.executable),
        port=at,
        environment=_environment(home),
        home=home,
    )


def _settings(home: Path, port: int, iam: bool) -> dict[str, str]:
    return _environment(home) | {
        "BIND_HOST": LOOPBACK,  # by default it listens on every address
        "GATEWAY_PORT": str(port),
        "S3_DATA_DIR": str(home / "s3"),
        "SFTP_ENABLED": "0",  # fixed ports, where two emulators would collide
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",  # the same with and without Docker on the machine
        "AUTH": "true" if iam else "false",
    }


def _environment(home: Path) -> dict[str, str]:
    # From nothing: functions inherit it, and must see neither the user's variables nor the user's ~/.aws.
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),  # code is unpacked there
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
