"""pytest fixtures for stacks on the embedded cloud. Importing this costs nothing until a test asks for one.

Where the cloud is, the environment decides: `LIVE_ENDPOINT=http://127.0.0.1:4566` is an emulator that runs already,
`LIVE_AWS=1` is AWS itself with the credentials at hand (it costs money, and stacks with RETAIN leave their data).
Otherwise each pytest process starts a cloud of its own, at the first test that needs it.
"""

import os
import re
import secrets
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from serverless_patterns.testing.errors import NotHere

if TYPE_CHECKING:
    from aws_cdk import App

    from serverless_patterns.testing import Cloud, Deployment

__all__ = ["cdk_app", "deploy", "embedded_cloud", "embedded_cloud_options", "fresh_name"]

EXTRA = ("boto3", "microburst")
"""What the extra `local` installs and a session on the embedded cloud imports, some of it only after a deploy."""


class Deploy(Protocol):
    """`cloud.deploy`, taken down at the end of the test."""

    def __call__(self, app: "App | Path", **options: Any) -> "Deployment": ...


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """A test that needs what only the embedded cloud can do is skipped elsewhere, and says why."""
    try:
        return (yield)
    except NotHere as missing:
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what went wrong in the functions that it deployed."""
    report = yield
    cloud = getattr(item, "funcargs", {}).get("embedded_cloud")
    if cloud is not None and report.when == "call" and report.failed:
        from serverless_patterns.testing.failure_report import errors_of_functions

        report.sections += errors_of_functions(cloud, call.start)
    return report


@pytest.fixture(scope="session")
def embedded_cloud_options() -> Mapping[str, Any]:
    """Arguments for `EmbeddedCloud.start`; override it in a conftest: `return {"faults": True, "iam": True}`."""
    return {}


@pytest.fixture(scope="session")
def embedded_cloud(embedded_cloud_options: Mapping[str, Any]) -> "Generator[Cloud]":
    """The cloud of this test session: shared, so give stacks names of their own (`fresh_name`)."""
    if missing := [package for package in EXTRA if find_spec(package) is None]:
        reason = f"{missing[0]} is not installed: pip install 'cdk-serverless-patterns[local]'"
        pytest.fail(reason, pytrace=False)
    from serverless_patterns.testing import Cloud, EmbeddedCloud

    if os.environ.get("LIVE_AWS") == "1":
        cloud = Cloud.aws()
    elif endpoint := os.environ.get("LIVE_ENDPOINT"):
        cloud = Cloud.at(endpoint)
    else:
        cloud = EmbeddedCloud.start(**embedded_cloud_options)
    with cloud:
        yield cloud


@pytest.fixture
def cdk_app(embedded_cloud: "Cloud", tmp_path: Path) -> "App":
    """An empty CDK app whose stacks `embedded_cloud` can deploy."""
    return embedded_cloud.app(tmp_path / "cdk.out")


@pytest.fixture
def deploy(embedded_cloud: "Cloud") -> Generator[Deploy]:
    """`embedded_cloud.deploy`, taken down at the end of the test."""
    with ExitStack() as taken_down:
        yield lambda app, **options: taken_down.enter_context(embedded_cloud.deploy(app, **options))


@pytest.fixture
def fresh_name(request: pytest.FixtureRequest) -> str:
    """A stack name that no other test uses, and that names this one."""
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:40].strip("-")
    return f"{readable}-{secrets.token_hex(3)}"
