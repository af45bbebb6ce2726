"""One cloud for all live tests, with the fault proxy in front of its functions."""

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from serverless_patterns.testing import Cloud
from tests.live.loopback_backend import loopback_backend

if TYPE_CHECKING:
    from tests.live.live_api import LiveApi


@pytest.fixture(scope="session")
def embedded_cloud_options() -> Mapping[str, Any]:
    return {"faults": True, "iam": True}


@pytest.fixture(scope="session")
def front_door(embedded_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> "Generator[LiveApi]":
    """The API with everything, deployed once."""
    from tests.live.api_stack import ApiStack  # takes a second, and most files here need no stack
    from tests.live.live_api import LiveApi

    app = embedded_cloud.app(tmp_path_factory.mktemp("api") / "cdk.out")
    with loopback_backend() as backend:
        stack = ApiStack(app, "FrontDoor", backend)
        with embedded_cloud.deploy(app) as deployment:
            live = LiveApi(embedded_cloud, deployment, stack)
            yield live
            live.close()
