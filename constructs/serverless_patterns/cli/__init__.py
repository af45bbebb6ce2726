"""The `serverless-patterns` command: dead-letter queues, sagas, and routes that move from a monolith. Needs `cli`."""

import sys

__all__ = ["main"]

_OURS = ("click", "rich", "boto3", "botocore")


def main() -> None:
    try:
        from serverless_patterns.cli._commands import commands
    except ModuleNotFoundError as missing:
        package = (missing.name or "").split(".")[0]
        if package not in _OURS:
            raise
        sys.stderr.write(f"{package} is not installed: pip install 'cdk-serverless-patterns[cli]'\n")
        sys.exit(2)
    commands(prog_name="serverless-patterns")
