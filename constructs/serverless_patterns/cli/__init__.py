"""The `serverless-patterns` command: what was left, in a dead-letter queue or a saga, and on with it. Needs `cli`."""

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
