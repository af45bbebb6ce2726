"""Which Python a function runs on."""

import re
from functools import cache

from aws_cdk import aws_lambda as lambda_

from ._checks import Problems

_OLDEST_MINOR = 11  # what serverless_patterns_runtime is written for


@cache
def newest_runtime() -> lambda_.Runtime:
    """The newest Python that this aws-cdk-lib knows."""
    newest = max(int(name.removeprefix("PYTHON_3_")) for name in dir(lambda_.Runtime) if name.startswith("PYTHON_3_"))
    return getattr(lambda_.Runtime, f"PYTHON_3_{newest}")


def python_version(runtime: lambda_.Runtime) -> str:
    """`3.14` for `python3.14`."""
    return runtime.name.removeprefix("python")


def check_runtime(runtime: object, problems: Problems) -> None:
    """Refuse what is not a Python that the runtime package runs on."""
    name = runtime.name if isinstance(runtime, lambda_.Runtime) else repr(runtime)
    version = re.fullmatch(r"python3\.(\d+)", name)
    if version is None or int(version[1]) < _OLDEST_MINOR:
        fix = "leave it out for the newest; a function in another language is passed as an IFunction"
        problems.add("runtime", f"be Python 3.{_OLDEST_MINOR} or later", name, fix)
