"""One cloud for all live tests, with the fault proxy in front of its functions."""

from collections.abc import Mapping
from typing import Any

import pytest


@pytest.fixture(scope="session")
def embedded_cloud_options() -> Mapping[str, Any]:
    return {"faults": True, "iam": True}
