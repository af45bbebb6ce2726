"""A function's code asset: the user's folder, and the libraries that its requirements file locks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from ._runtime import python_version

if TYPE_CHECKING:
    from constructs import Construct

    from .handler import Handler

LOCAL_CONTEXT = "serverless-patterns:local"
"""Context key: `true` when the app goes to the embedded cloud, where functions run on this machine's Python."""

# Whatever running or testing the code leaves behind: it would move the asset's hash, and with it every deployment.
_EXCLUDED = ("**/__pycache__", "**/*.pyc", "**/.*_cache", "**/.DS_Store")


def is_local(scope: Construct) -> bool:
    """Whether functions run on this machine instead of Lambda."""
    return str(scope.node.try_get_context(LOCAL_CONTEXT)).lower() == "true"


def running_python(scope: Construct, handler: Handler) -> str:
    """The Python that really runs the function, such as `3.14`."""
    if is_local(scope):
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    return python_version(handler.runtime)


def function_code(scope: Construct, handler: Handler) -> lambda_.Code:
    """The code asset. Its hash depends on content only: the same source gives the same template anywhere."""
    return lambda_.Code.from_asset(str(handler.code), exclude=list(_EXCLUDED))
